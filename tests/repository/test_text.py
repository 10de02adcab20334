"""The texts: headings in order, links that lead somewhere, figures that add up, one word for one thing.

``make check`` runs this. Spelling is codespell's, with its settings in ``pyproject.toml``. The links of the built site
are in ``test_site.py``; addresses of other sites are not asked, since a test must not need a network.
"""

import json
import re
import subprocess
from html import escape
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup, Comment
from markdown import Markdown
from mistune import HTMLRenderer
from mkdocs.config import load_config
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from mock_server import demo_data
from mock_server.envelope import ApiError
from publish import course, notebooks
from tests.publish.test_samples import TABS
from tools.debian import need
from tools.running import NOTEBOOKS, ROOT
from tools.texts import CODE, DOCUMENTS, FILES, PROGRAMS, SETTINGS, TEMPLATES, headings, markdown, prose, without_blocks
from tools.write_exercises import EXERCISES, SOLUTIONS

pytestmark = pytest.mark.check


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


def test_every_kind_of_text_is_there():
    assert {path.name for path in DOCUMENTS} > {"README.md", "index.md", NOTEBOOKS[0].name, SOLUTIONS[-1].name}
    assert (
        len(TEMPLATES) > 5
        and len(PROGRAMS) > 50
        and {"Makefile", ".env.example", "openapi.yaml"} <= {path.name for path in SETTINGS}
    )


def test_git_keeps_nothing_that_a_program_made():
    need("git")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no clone")
    kept = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    assert [path for path in kept if path not in FILES or path.stat().st_size > 300_000] == []


def test_a_clone_has_the_same_line_ends_whatever_git_is_told(tmp_path):
    need("git")
    written = {}
    for told in ("autocrlf=false", "autocrlf=true", "autocrlf=input", "eol=crlf"):
        checkout = ["git", "-c", f"core.{told}", "checkout-index", "--all", f"--prefix={tmp_path / told}/"]
        if subprocess.run(checkout, cwd=ROOT, capture_output=True).returncode:
            pytest.skip("this is no clone")
        files = [path for path in (tmp_path / told).rglob("*") if path.is_file()]
        written[told] = {path.relative_to(tmp_path / told): path.read_bytes() for path in files}
    first, *others = written.values()
    assert len(first) > 200
    assert [path for path, text in first.items() if any(other[path] != text for other in others)] == []


# Headings

NAMES = (
    "API JupyterLab JupyterHub Settings Python Windows Linux GitHub Bearer I Colab Binder Actions Docker Compose Credential "
    "Manager SecretManagement Markdown MkDocs Material VS Code"
)


def heading_faults(text, is_notebook=False):
    """Return what is wrong with the headings of a text."""
    found, titles, before = [], [], 0
    for level, title in headings(text):
        words = re.sub(r"^(\d+\.|Step \d+:|Error \d+:) ", "", title).replace("`", "").split()
        if level > before + 1:
            found.append(f"“{title}” skips a level")
        if title.lower() in titles:
            found.append(f"“{title}” is there twice")
        if words[0][0].islower() and title == words[0] and "-" in title:
            words = []  # the name of a lesson, which the hook turns into its title
        elif words[0][0].islower() and title.startswith(words[0]) and not re.match(r"\w+\.\w", title):
            found.append(f"“{title}” begins with a small letter")
        for word in words[1:]:
            if word[0].isupper() and not word.isupper() and re.sub(r"[’']s$", "", word.strip(",.:!?")) not in NAMES.split():
                found.append(f"“{title}” is not in sentence case: {word}")
        if title[-1] in ".:;":
            found.append(f"“{title}” ends in “{title[-1]}”")
        if len(title) > 60:
            found.append(f"“{title}” is longer than 60 characters")
        if is_notebook and CODE.search(title):
            found.append(f"“{title}” has code in it, which breaks the contents")
        titles.append(title.lower())
        before = level
    if [level for level, _ in headings(text)].count(1) != 1 or not re.match(r"(---\n.*?\n---\s+)?# ", text, re.DOTALL):
        found.append("it doesn't begin with its one title")
    return found


@each(DOCUMENTS)
def test_headings_are_in_order(path):
    assert heading_faults(markdown(path), path.suffix == ".ipynb") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# One\n\n# Two\n", "one title"),
        ("Words\n\n# One\n", "one title"),
        ("## Two\n", "one title"),
        ("# One\n\n### Three\n", "skips a level"),
        ("# One\n\n## Two\n\n## two\n", "is there twice"),
        ("# One\n\n## Generate a Token\n", "sentence case: Token"),
        ("# generate a token\n", "small letter"),
        ("# One\n\n## Call `/links`\n", "code in it"),
        ("# One\n\n## Two:\n", "ends in “:”"),
        ("# " + "Word " * 13, "longer than 60"),
    ],
)
def test_a_wrong_heading_is_found(text, fault):
    assert any(fault in found for found in heading_faults(text, is_notebook=True))


def test_code_is_not_taken_for_a_heading():
    assert heading_faults("# One\n\n```bash\n# a comment\n```\n\n## Two\n") == []


# A text cell, as JupyterLab and the site read it


class Jupyter(IPythonRenderer):
    """Tells formulas apart, which JupyterLab typesets and the site doesn't."""

    def block_math(self, body):
        return f"<math>{escape(body)}</math>"

    inline_math = block_math
    heading = HTMLRenderer.heading  # without a link to itself


@pytest.fixture(scope="session")
def readers():
    """Return two functions that make HTML of a text cell: as JupyterLab reads it, and as the site does."""
    config = load_config(str(ROOT / "mkdocs.yml"))
    extensions = [name for name in config.markdown_extensions if name not in ("toc", "pymdownx.snippets")]
    site = Markdown(extensions=extensions, extension_configs=config.mdx_configs)
    return (
        lambda text: MarkdownWithMath(renderer=Jupyter(escape=False)).render(text),
        lambda text: site.reset().convert(notebooks.site_text(text, {}, "")),
    )


def read(html):
    """Return each word of HTML, with the names of the elements that it stands in. Those that change nothing are left out."""
    tree, found = BeautifulSoup(html, "html.parser"), []
    for tag in tree.select("input"):
        tag.replace_with("☐")
    for text in tree.find_all(string=lambda text: not isinstance(text, Comment)):
        around = [tag.name for tag in text.parents if tag.name not in ("p", "div", "span", "label", "[document]")]
        around = around[around.index("pre") :] if "pre" in around else around
        found += [(word, *around) for word in text.split()]
    return found


def read_alike(text, readers):
    jupyter, site = readers
    return read(jupyter(text)) == read(site(text))


def reading_faults(path, readers):
    """Return the lines of a notebook from which on JupyterLab and the site read a text cell differently."""
    found, file = [], path.read_text(encoding="utf-8")
    for cell in json.loads(file)["cells"]:
        lines = "".join(cell["source"]).splitlines()
        if cell["cell_type"] == "markdown" and not read_alike("\n".join(lines), readers):
            line = next(count for count in reversed(range(len(lines))) if read_alike("\n".join(lines[:count]), readers))
            start = max(file.find(f'"id": "{cell.get("id")}"'), 0)
            place = file.count("\n", 0, max(file.find(json.dumps(lines[line], ensure_ascii=False)[:-1], start), 0)) + 1
            found.append(f"{path.relative_to(ROOT)}:{place}: JupyterLab and the site read this differently: {lines[line]}")
    return found


@each([path for path in DOCUMENTS if path.suffix == ".ipynb"])
def test_a_text_cell_is_read_alike_in_jupyterlab_and_on_the_site(path, readers):
    assert reading_faults(path, readers) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- one\n  - two by two spaces", 1),
        ("1. one\n   - two by three spaces", 1),
        ("- one\n- two\n  - deep\n    - deeper", 2),
        ("A paragraph:\n- and a list right behind it", 1),
        ("A paragraph:\n1. and a list\n2. right behind it", 1),
        ("## A heading\nWords:\n* one", 2),
        ("A formula $E = mc^2$ in a text", 0),
        ("It costs $5 here, and $6 there", 0),
        ("Words\n\n$$\n\\frac{a}{b}\n$$", 4),
        ("See https://example.com for more", 0),
        ("!!! note\n    Words", 0),
        ('=== "Tab"\n\n    Words', 0),
        ("Words { .class }\n\n## A heading { #anchor }", 2),
        ("```python\nx = 1\n```\n\n- one\n  - two", 5),
        ("> a quote\n- a list", 1),
    ],
)
def test_a_text_that_is_read_in_two_ways_is_found(text, line, readers, tmp_path, monkeypatch):
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": (text + "\n").splitlines(keepends=True)}]
    path = tmp_path / "any.ipynb"
    path.write_text(json.dumps({"cells": cells}, indent=1), encoding="utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    [fault] = reading_faults(path, readers)
    place = int(re.match(r"any\.ipynb:(\d+): ", fault)[1])
    assert fault.endswith(f": {text.splitlines()[line]}")
    assert (
        json.loads(path.read_text(encoding="utf-8").splitlines()[place - 1].strip().rstrip(","))[:-1] == text.splitlines()[line]
    )


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] to do\n- [x] done",
        "1. one\n2. two\n\nThis is ~~wrong~~ right, at about ~5 %, and `~~code~~`.",
        "- one\n    - two by four spaces\n\n        and its paragraph\n\nA paragraph:\n\n- and a list",
        "A [link](a.md), **bold**, *italics*, <b>HTML</b> and a price of $5.",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
    ],
)
def test_a_text_that_is_read_alike_is_left_alone(text, readers):
    assert read_alike(text, readers)


# Links, as GitHub and JupyterLab follow them: from file to file

GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|<(https?://[^<>\s]+)>|(?:href|src)=\"([^\"]*)\"")
MOCK_SERVER, SITE = "127.0.0.1:8787", "127.0.0.1:8000"


def links(text):
    """Return the addresses that Markdown links to."""
    return [next(filter(None, groups)) for groups in LINK.findall(CODE.sub("", without_blocks(text)))]


def anchors(path, source):
    """Return the anchors of a file: GitHub's from page to page; for a notebook and from one, JupyterLab's."""
    titles = [re.sub(r"[`*]|\]\([^)]*\)|[\[\]]", "", title) for _, title in headings(markdown(path))]
    if ".ipynb" in (path.suffix, source.suffix):
        return {title.replace(" ", "-") for title in titles}
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def link_faults(path, text, answers):
    """Return the links of a text that lead nowhere. ``answers`` tells whether the mock server knows a path."""
    found = []
    for link in links(text):
        parts = urlsplit(link)
        if parts.scheme == "lesson" and path.is_relative_to(ROOT / "docs" / "workshop"):
            continue  # the hook turns it into a link, or fails the build; on GitHub its text stays
        if parts.scheme or parts.netloc:
            known = parts.netloc == SITE if parts.netloc != MOCK_SERVER else answers(parts.path)
            if not known and not (parts.scheme == "https" and "." in parts.netloc):
                found.append(f"{link}: nobody answers there")
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if parts.path.startswith("/") or not target.is_relative_to(ROOT) or not target.exists():
            found.append(f"{link}: there is no such file")
        elif parts.fragment and unquote(parts.fragment) not in anchors(target, path):
            found.append(f"{link}: {target.name} has no such heading")
    return found


@pytest.fixture
def answers(application):
    """Tell whether the mock server has something at a path, for a method."""

    def answers(path, method="GET"):
        return application.client(follow_redirects=False).request(method, path).status_code not in (404, 405)

    return answers


@each(DOCUMENTS)
def test_a_link_leads_somewhere_without_the_site(path, answers):
    assert link_faults(path, markdown(path), answers) == []


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("[a](no-such-page.md)", "no such file"),
        ("[a](../notebooks/no-such.ipynb)", "no such file"),
        ("![a](pictures/no-such.svg)", "no such file"),
        ("[a](/quickstart.md)", "no such file"),
        ("[a](quickstart.md#no-such-heading)", "no such heading"),
        ("[a](../notebooks/02-generate-a-token.ipynb#use-it-once)", "no such heading"),
        ("[a](#no-such-heading)", "no such heading"),
        ("<http://127.0.0.1:8787/settings/no-such>", "nobody answers"),
        ("[a](http://example.com/)", "nobody answers"),
        ('<a href="no-such.md">a</a>', "no such file"),
    ],
)
def test_a_dead_link_is_found(link, fault, answers):
    page = ROOT / "docs" / "index.md"
    assert [found for found in link_faults(page, f"Read {link}.", answers) if fault in found]
    alive = "[a](../notebooks/02-generate-a-token.ipynb#Use-it-once) [b](quickstart.md#4-call-the-api) `[c](d.md)`"
    assert link_faults(page, alive, answers) == []


def unlinked_terms(lessons):
    """Return the terms of the glossary that lessons use and that no lesson links."""
    terms = [title for level, title in headings(markdown(GLOSSARY)) if level == 2]
    linked = set(re.findall(r"glossary\.md#([\w-]+)", lessons.lower()))
    used = [term for term in terms if re.search(rf"\b{term.partition(' and ')[0]}", lessons, re.IGNORECASE)]
    return [term for term in used if term.lower().replace(" ", "-") not in linked]


def test_a_lesson_links_each_term_of_the_glossary():
    lessons = "\n".join(map(markdown, NOTEBOOKS))
    assert unlinked_terms(lessons) == []
    assert unlinked_terms(lessons.replace("#Jitter", "#Retry")) == ["Jitter"]


@each(TEMPLATES)
def test_a_link_of_the_settings_page_leads_somewhere(path, answers):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r'(?:href|src|action)="([^"]+)"', text)
    posted = set(re.findall(r'<form method="post" action="([^"]+)"', text))
    for target in targets:
        if target.startswith("{{ top }}"):  # the others are what an account typed
            address = re.sub(r"\{\{.*?\}\}", "1", target.removeprefix("{{ top }}"))
            assert answers(address, "POST" if target in posted else "GET"), target
        else:
            assert target == "{{ block.url }}", target


# Figures

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBER = rf"\b((?!401)\d+|{'|'.join(WORDS[1:])})"  # “no links” is no figure
COUNTED_THINGS = (
    rf"{NUMBER}(?: \w+)? (?:notebooks?|lessons?|exercises?|languages?|errors|codes|minutes?|hours?|days of clicks|links)\b"
)


def minutes(path):
    return nbformat.read(path, as_version=4).metadata.linked_is.minutes


def tasks_of(path):
    return sum(re.match(r"\d+\. ", title) is not None for _, title in headings(markdown(path)))


UNAUTHORIZED = sum(error.status == 401 for error in ApiError.__subclasses__())
# A claim, with {} where its number stands, and what that must be. All others of such numbers are in UNCOUNTED.
COUNTED = {
    "to {} exercises a notebook": max(map(tasks_of, EXERCISES)),
    "{} to four exercises a notebook": min(map(tasks_of, EXERCISES)),
    "{} languages": len(TABS),
    "{} 401 errors": UNAUTHORIZED,
    "{} authentication errors": UNAUTHORIZED,
    "{} errors": UNAUTHORIZED,
    "{} codes": UNAUTHORIZED,
    "{} links, a bio profile": len(demo_data.links(1)),
    "{} days of clicks": demo_data.HISTORY_DAYS,
    "{} minutes are for the welcome": course.WELCOME,
    "A break of {} minutes": course.BREAK,
    "more than {} minutes without one": course.UNBROKEN,
}
UNCOUNTED = {
    "same {} questions before": "test_workshop.py counts them",
    "**Time:** {} minutes": "test_notebooks.py compares it with the metadata",
    "{} exercises on": "test_an_exercise_notebook_says_how_many_it_holds",
    "{} demo links": "an output beside it shows them",
    "Ask for {} links a page": "the request beside it asks for so many",
    "after {} lessons everybody has something": "generate, load, call: the guide says so",
    "in {} minutes": "how long the quickstart takes is a promise",
    "It takes {} minutes after the set-up": "so is this",
    "for {} minutes, 2 hours and half a day": "agendas: test_workshop.py adds them up",
    "{} hours and half a day": "the same",
    "\n## {} minutes": "the same",
    "\n## {} hours": "the same",
    "The agenda of {} minutes": "the same",
    "after {} minutes needs a neighbour": "advice",
    "{} minutes before the end": "advice",
    "stands still for {} minutes": "advice",
}


def value_of(number):
    return int(number) if number.isdigit() else WORDS.index(number.lower())


def places(claim):
    return re.compile(re.escape(claim).replace(r"\{\}", NUMBER), re.IGNORECASE)


def figure_faults(text):
    """Return the numbers in a text that are wrong, and those that nobody counts."""
    right, found = set(), []
    for claim, value in COUNTED.items():
        for place in places(claim).finditer(text):
            if place.start(1) not in right:
                right.add(place.start(1))
                if value_of(place[1]) != value:
                    found.append(f"“{place[0]}”: there are {value}")
    right |= {place.start(1) for claim in UNCOUNTED for place in places(claim).finditer(text)}
    for place in re.finditer(COUNTED_THINGS, text, re.IGNORECASE):
        if place.start(1) not in right:
            found.append(f"“{place[0]}”: nobody counts it")
    return found


@each(DOCUMENTS)
def test_figures_add_up(path):
    assert figure_faults("\n" + prose(path)) == []


def test_a_wrong_figure_is_found():
    faults = {"“Ten errors”: there are 3", "“two languages”: there are 3", "“7 minutes”: nobody counts it"}
    assert {*figure_faults("Ten errors, two languages and 7 minutes.")} == faults


@each([*EXERCISES, *SOLUTIONS])
def test_an_exercise_notebook_says_how_many_it_holds(path):
    said = re.search(rf"^{NUMBER} (?:exercises on \[|parts make it easier)", markdown(path), re.MULTILINE | re.IGNORECASE)
    assert value_of(said[1]) == tasks_of(path)


def test_versions_are_the_same_everywhere():
    python = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    said = "\n".join(map(prose, [*DOCUMENTS, *PROGRAMS, *SETTINGS]))
    assert set(re.findall(r"(?:Python|version) ([\d.]+\d) or newer", said)) == {python}
    assert len(set(re.findall(r"Node(?:\.js)? ([\d.]+\d) or newer", said))) == 1
    assert len(set(re.findall(r"curl ([\d.]+\d)", said))) == 1


# One word for one thing

SAY = {  # the word, and what is not said instead
    "token": r"(?:API|access|secret|auth|authentication|private) keys?|(?:access|auth|authentication) tokens?|credentials?",
    "mock server": r"(?:fake|dummy|test|stub|local) (?:server|API)|stubs?|mock (?:API|service|backend)|simulator",
    "base URL": r"API (?:URL|root|address)|(?:base|root) (?:address|URI)|root URL|endpoint root|endpoints?",
    "linked.is": r"Linked\.is|LINKED\.IS|linkedis|Linkedis|Linked Is",
    "Settings > API": r"Settings ?(?:→|->|/|›|»|,) ?API|settings > API|API settings",
    "Generate New Token": r"(?:Create|Make|Add) (?:New|a) Token|Generate (?:New token|new Token|Token)|New Token(?<!Generate New Token)",
    "notebook": r"worksheets?|tutorials?|chapters?",
    "learner": r"students?|participants?|attendees?|pupils?|trainees?",
    "instructor": r"trainers?|lecturers?|your hosts?|the host's|and hosts|You, the host",
    "practice account": r"(?:test|dummy|demo) accounts?",
    "demo links": r"(?:sample|example|test) links",
    "bio profile": r"bio pages?|profile pages?",
    "revoke": r"(?:invalidate|deactivate|disable|cancel)s? (?:a|the|your|this) token",
    "folder": r"director(?:y|ies)",
    "repository": r"repos?\b",
    "e-mail": r"emails?|E-Mail",
    "white space": r"whitespace",
    "site": r"web ?sites?",
    "JupyterLab": r"Jupyter Lab|Jupyterlab",
    "GitHub": r"Github",
    "JavaScript": r"Javascript|javascript",
    "macOS": r"Mac OS|MacOS|OS X",
    "cannot, can't": r"can not",
    "don't have to": r"needn[’']t",
    "because": r"for (?:they|he|she|we)\b",
    "British spelling": r"(?<![-.])[Cc]olor(?:s|ed)?(?![:-])|[Bb]ehavior|[Nn]eighbors?|[Rr]ecogniz\w+|[Oo]rganiz\w+|[Ll]abeled|[Cc]anceled|[Gg]ray",
    "nothing": r"[Pp]lease|[Ss]imply|[Oo]bviously|seamless\w*|powerful|robust|leverag\w+|utili[sz]\w+|e\.g\.|i\.e\.|etc\.",
}
EXCEPT = {  # what may stand there all the same, and why
    "Too many requests. Please try again later.": "the API's own message",
    "Settings › API": "the page's own breadcrumb",
    "like Mac OS X": "what a browser calls itself",
    "data:text/javascript": "a media type",
}

ALL = [*DOCUMENTS, *TEMPLATES, *(path for path in PROGRAMS if path.name != "test_text.py"), *SETTINGS]


def word_faults(text):
    """Return the words in a text in whose place another one is said everywhere else."""
    for phrase in EXCEPT:
        text = text.replace(phrase, "")
    return [f"“{found[0]}”: say {word}" for word, others in SAY.items() for found in re.finditer(rf"\b(?:{others})", text)]


@each(ALL)
def test_one_thing_has_one_word(path):
    assert word_faults(prose(path)) == []


def test_every_exception_is_needed():
    texts = "\n".join(map(prose, ALL))
    assert [phrase for phrase in EXCEPT if phrase not in texts] == []


def unsaved(text):
    """Return the lines that send a reader from `.env` to a restart, and forget to save the file in between."""
    lines = [line for line in text.splitlines() if re.search(r"\.env\b.*\brestart\b", line, re.IGNORECASE)]
    return [line for line in lines if not re.search(r"\b(?:save|copy|rename)", line, re.IGNORECASE)]


@each([*DOCUMENTS, *PROGRAMS])
def test_a_reader_saves_before_a_restart(path):
    if path.name != "test_text.py":
        assert unsaved(markdown(path) if path in DOCUMENTS else prose(path)) == []


def test_a_restart_without_a_save_is_found():
    assert unsaved("Correct `.env`, restart the kernel.") and not unsaved("Correct `.env`, save it, restart the kernel.")


def test_another_word_is_found():
    wrong = "Keep the API key. The fake server at the API URL. Open Settings → API on Linked.is. Click Create New Token."
    assert len(word_faults(wrong)) == 6
    assert word_faults("Keep the token of linked.is: open Settings > API and click Generate New Token.") == []
