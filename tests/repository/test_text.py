"""The texts: headings in order, links that lead somewhere, figures that add up, one word for one thing.

``make check`` runs this. Each fault names its file and its line, says what is wrong, and what to do. The words are in
``words.yaml``, each with the reader that it serves. Spelling is codespell's, with its settings in ``pyproject.toml``. The
links of the built site are in ``test_site.py``; addresses of other sites are not asked, since a test must not need a network.
"""

import difflib
import json
import re
import subprocess
import tomllib
from functools import cache
from html import escape
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Comment
from markdown import Markdown
from mistune import HTMLRenderer
from mkdocs.config import load_config
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from starlette.testclient import TestClient

from mock_server import demo_data
from mock_server.app import create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.envelope import ApiError
from mock_server.store import Store
from publish import agendas, notebooks
from tests.publish.test_samples import TABS
from tools.debian import NODE, need
from tools.running import NOTEBOOKS, ROOT
from tools.texts import DOCUMENTS, FILES, PROGRAMS, RULES, SETTINGS, TEMPLATES, complain, headings, markdown, prose, without_code
from tools.write_exercises import EXERCISES, SOLUTIONS

pytestmark = pytest.mark.check

ALL = [*DOCUMENTS, *TEMPLATES, *(path for path in PROGRAMS if path.name != "test_text.py"), *SETTINGS]


def line_of(text, found):
    return text.count("\n", 0, found.start()) + 1


def test_every_kind_of_text_is_there():
    assert {path.name for path in DOCUMENTS} > {"README.md", "index.md", NOTEBOOKS[0].name, SOLUTIONS[-1].name}
    assert len(TEMPLATES) > 5 and len(PROGRAMS) > 50
    assert {"Makefile", ".env.example", "openapi.yaml"} <= {path.name for path in SETTINGS}


def test_git_keeps_nothing_that_a_program_made():
    need("git")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no clone")
    kept = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    too_much = [path for path in kept if path not in FILES or path.stat().st_size > 300_000]
    complain(f"{path.relative_to(ROOT)}: made by a program, or too big for each clone: `git rm --cached` it" for path in too_much)


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


# What is wrong with a text: each function yields the lines, and what to do there


def heading_faults(path, text):
    """Headings are in order, and in sentence case."""
    titles, before = [], 0
    if not re.match(r"\s*(---\n.*?\n---\s+)?# ", text, re.DOTALL):
        yield 1, "a text begins with its one title: begin with “# …”"
    for line, level, title in headings(text):
        words = re.sub(r"^(\d+\.|Step \d+:|Error \d+:) ", "", title).replace("`", "").split()
        if title == words[0] and "-" in title and title[0].islower():
            words = ["The"]  # the name of a lesson, which a step of the build turns into its title
        capitals = [re.sub(r"[’']s$", "", word.strip(",.:!?")) for word in words[1:] if word[0].isupper() and not word.isupper()]
        names = " ".join(word for word in capitals if word not in RULES["names"])
        small = words[0][0].islower() and title.startswith(words[0]) and not re.match(r"\w+\.\w", title)
        wrong = {
            "is a second title, and a text has one title: write “##”": level == 1 and titles,
            f"skips a level: write “{'#' * (before + 1)}”": level > before + 1,
            "is there twice: give one of them other words": title.lower() in titles,
            "begins with a small letter: write a capital": small,
            f"ends in “{title[-1]}”: take it away": title[-1] in ".:;",
            "is longer than 60 characters: shorten it": len(title) > 60,
            "has code, which breaks the contents: write it as text": path.suffix == ".ipynb" and without_code(title) != title,
            f"is not in sentence case: write “{names.lower()}”, or add names to `names` in words.yaml": names,
        }
        yield from ((line, f"“{title}” {what}") for what, is_wrong in wrong.items() if is_wrong)
        titles.append(title.lower())
        before = level


class Jupyter(IPythonRenderer):
    """Tells formulas apart, which JupyterLab typesets and the site doesn't."""

    def block_math(self, body):
        return f"<math>{escape(body)}</math>"

    inline_math = block_math
    heading = HTMLRenderer.heading  # without a link to itself


@cache
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


def read_alike(text):
    jupyter, site = readers()
    return read(jupyter(text)) == read(site(text))


def reading_faults(_, text):
    """JupyterLab and the site read a text cell alike."""
    for found in re.finditer(r"[^\n](?:.|\n)*?(?=\n{5}|\Z)", text):  # there are that many lines of JSON between two cells
        cell, lines = found[0], found[0].splitlines()
        if not read_alike(cell):
            at = next(count for count in reversed(range(len(lines))) if read_alike("\n".join(lines[:count])))
            wrong = f"JupyterLab and the site read “{lines[at]}” differently: CONTRIBUTING.md says what both read alike"
            yield line_of(text, found) + at, wrong


GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|<(https?://[^<>\s]+)>|(?:href|src)=\"([^\"]*)\"")
MOCK_SERVER, SITE = "127.0.0.1:8787", "127.0.0.1:8000"


@cache
def answers(path, method="GET"):
    """Tell whether the mock server has something at a path, for a method."""
    client = TestClient(create_app(Store(Database(":memory:"), Clock())), f"http://{MOCK_SERVER}", follow_redirects=False)
    return client.request(method, path).status_code not in (404, 405)


def anchors(path, source):
    """Return the anchors of a file: GitHub's from page to page; for a notebook and from one, JupyterLab's."""
    titles = [re.sub(r"[`*]|\]\([^)]*\)|[\[\]]", "", title) for _, _, title in headings(markdown(path))]
    if ".ipynb" in (path.suffix, source.suffix):
        return {title.replace(" ", "-") for title in titles}
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def why_dead(link, path):
    """Return why a link in a file leads nowhere, or nothing if it leads somewhere, also without the site."""
    parts = urlsplit(link)
    if parts.scheme == "lesson" and path.is_relative_to(ROOT / "docs" / "workshop"):
        return None  # a step of the build turns it into a link, or fails; on GitHub its text stays
    if parts.scheme or parts.netloc:
        known = parts.netloc == SITE if parts.netloc != MOCK_SERVER else answers(parts.path)
        known = known or (parts.scheme == "https" and "." in parts.netloc)
        return None if known else "nobody answers there: correct the address"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if parts.path.startswith("/") or not target.is_relative_to(ROOT) or not target.exists():
        return "there is no such file: correct the path, from the folder of this file on"
    if parts.fragment and unquote(parts.fragment) not in anchors(target, path):
        close = difflib.get_close_matches(parts.fragment, anchors(target, path), cutoff=0)
        return f"{target.name} has no such heading: write one that it has, as #{', #'.join(close)}"
    return None


def link_faults(path, text):
    """A link leads somewhere, as GitHub and JupyterLab follow it: from file to file."""
    text = without_code(text)
    for found in LINK.finditer(text):
        link = next(filter(None, found.groups()))
        if why := why_dead(link, path):
            yield line_of(text, found), f"{link}: {why}"


def page_faults(_, text):
    """A link or a form of the settings page leads somewhere."""
    posted = set(re.findall(r'<form method="post" action="([^"]+)"', text))
    for found in re.finditer(r'(?:href|src|action)="((?:\{\{.*?\}\}|[^"])+)"', text):
        address = re.sub(r"\{\{.*?\}\}", "1", found[1].removeprefix("{{ top }}"))
        is_ours = found[1].startswith("{{ top }}/") and answers(address, "POST" if found[1] in posted else "GET")
        if not is_ours and found[1] != "{{ block.url }}":  # which an account typed
            yield line_of(text, found), f"{found[1]}: nobody answers there: begin with {{{{ top }}}}, and correct the path"


NUMERALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBER = rf"\b((?![45]\d\d\b)\d+(?:\.\d+)*|{'|'.join(NUMERALS)})"  # the status of an answer is no figure
UNAUTHORIZED = sum(error.status == 401 for error in ApiError.__subclasses__())
# What a number in a text is, and what it must be; {} stands for it. In a document, these things are all counted.
VERSIONS = {
    "(?:Python|version) {} or newer": tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"][
        2:
    ],
    r"Node(?:\.js)? {} or newer": NODE,
    "curl {}": "7.84",  # knows %header{…}, which the samples use
}
COUNTS = {
    r"{}(?: \w+)? languages": len(TABS),
    r"{}(?: \w+)? (?:errors|codes)": UNAUTHORIZED,
    r"{}(?: \w+)? (?:notebooks|lessons)": len(NOTEBOOKS),
    "(?:comes with {}|{} demo) links": len(demo_data.links(1)),
    "{} days of clicks": demo_data.HISTORY_DAYS,
    "{} minutes are for the welcome": agendas.WELCOME,
    "{} for the end": agendas.END,
    "break of {} minutes": agendas.BREAK,
    "more than {} minutes without one": agendas.UNBROKEN,
}
EXERCISES_OF_A_NOTEBOOK = r"{}(?: \w+)? exercises|{} parts make it easier"


def figure_faults(path, text):
    """Figures add up."""
    tasks = sum(bool(re.match(r"\d+\. ", title)) for _, _, title in headings(text))
    claims = VERSIONS | ({**COUNTS, EXERCISES_OF_A_NOTEBOOK: tasks} if path in DOCUMENTS else {})
    for claim, value in claims.items():
        for found in re.finditer(claim.replace("{}", NUMBER), text, re.IGNORECASE):
            said = next(filter(None, found.groups())).lower()
            if str(NUMERALS.index(said) + 1 if said in NUMERALS else said) != str(value):
                yield line_of(text, found), f"“{found[0]}”: the number is {value}. Correct it, or say it without a number"


def word_faults(_, text):
    """One thing has one word."""
    for rule in RULES["rules"]:
        for word, others in rule["use"].items():
            for found in re.finditer(rf"\b(?:{others})", text):
                yield line_of(text, found), f"“{found[0]}”: use {word}. This serves {rule['for']} (words.yaml)"


def saving_faults(_, text):
    """A reader saves `.env` before a restart."""
    for found in re.finditer(r"(?i)^(?!.*\b(?:save|copy|rename)).*\.env\b.*\brestart\b.*", text, re.MULTILINE):
        yield line_of(text, found), f"“{found[0].strip()}”: say that the file must be saved before the restart"


CHECKS = {
    heading_faults: (markdown, DOCUMENTS),
    reading_faults: (markdown, [path for path in DOCUMENTS if path.suffix == ".ipynb"]),
    link_faults: (markdown, DOCUMENTS),
    page_faults: (markdown, TEMPLATES),
    figure_faults: (prose, ALL),
    word_faults: (prose, ALL),
    saving_faults: (markdown, [path for path in ALL if path in DOCUMENTS or path in PROGRAMS]),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_text_has(check):
    text_of, paths = CHECKS[check]
    complain(f"{path.relative_to(ROOT)}:{line}: {wrong}" for path in paths for line, wrong in check(path, text_of(path)))


# Each fault once: the line where it is found, and words of the message. Line 0: nothing is wrong.
RED = [
    (heading_faults, "# One\n\n# Two\n", 3, "second title"),
    (heading_faults, "Words\n\n# One\n", 1, "begins with its one title"),
    (heading_faults, "## Two\n", 1, "begins with its one title"),
    (heading_faults, "# One\n\n### Three\n", 3, "skips a level: write “##”"),
    (heading_faults, "# One\n\n## Two\n\n## two\n", 5, "is there twice"),
    (heading_faults, "# One\n\n## Generate a Token\n", 3, "sentence case: write “token”"),
    (heading_faults, "# generate a token\n", 1, "small letter"),
    (heading_faults, "# One\n\n## Call `/links`\n", 3, "has code"),
    (heading_faults, "# One\n\n## Two:\n", 3, "ends in “:”"),
    (heading_faults, "# " + "Word " * 13, 1, "longer than 60"),
    (heading_faults, "# One\n\n```bash\n# a comment\n```\n\n## Two\n", 0, ""),
    (reading_faults, "- one\n  - two by two spaces", 2, "“  - two by two spaces”"),
    (reading_faults, "1. one\n   - two by three spaces", 2, "“   - two by three spaces”"),
    (reading_faults, "- one\n- two\n  - deep\n    - deeper", 3, "“  - deep”"),
    (reading_faults, "A paragraph:\n- and a list right behind it", 2, "“- and a list right behind it”"),
    (reading_faults, "A paragraph:\n1. and a list\n2. right behind it", 2, "“1. and a list”"),
    (reading_faults, "## A heading\nWords:\n* one", 3, "“* one”"),
    (reading_faults, "A formula $E = mc^2$ in a text", 1, "“A formula $E = mc^2$ in a text”"),
    (reading_faults, "It costs $5 here, and $6 there", 1, "“It costs $5 here, and $6 there”"),
    (reading_faults, "Words\n\n$$\n\\frac{a}{b}\n$$", 5, "“$$”"),
    (reading_faults, "See https://example.com for more", 1, "“See https://example.com for more”"),
    (reading_faults, "!!! note\n    Words", 1, "“!!! note”"),
    (reading_faults, '=== "Tab"\n\n    Words', 1, '“=== "Tab"”'),
    (reading_faults, "Words { .class }\n\n## A heading { #anchor }", 3, "“## A heading { #anchor }”"),
    (reading_faults, "```python\nx = 1\n```\n\n- one\n  - two", 6, "“  - two”"),
    (reading_faults, "> a quote\n- a list", 2, "“- a list”"),
    (reading_faults, "- [ ] to do\n- [x] done", 0, ""),
    (reading_faults, "1. one\n2. two\n\nThis is ~~wrong~~ right, at about ~5 %, and `~~code~~`.", 0, ""),
    (reading_faults, "- one\n    - two by four spaces\n\n        and its paragraph\n\nA paragraph:\n\n- and a list", 0, ""),
    (reading_faults, "A [link](a.md), **bold**, *italics*, <b>HTML</b> and a price of $5.", 0, ""),
    (reading_faults, "| a | b |\n| --- | --- |\n| 1 | 2 |", 0, ""),
    (link_faults, "[a](no-such-page.md)", 1, "no such file"),
    (link_faults, "Words\n\n[a](../notebooks/no-such.ipynb)", 3, "no such file"),
    (link_faults, "![a](pictures/no-such.svg)", 1, "no such file"),
    (link_faults, "[a](/quickstart.md)", 1, "no such file"),
    (link_faults, "[a](quickstart.md#call-the-api)", 1, "no such heading: write one that it has, as #4-call-the-api"),
    (link_faults, "[a](../notebooks/02-generate-a-token.ipynb#use-it-once)", 1, "no such heading"),
    (link_faults, "[a](#no-such-heading)", 1, "no such heading"),
    (link_faults, "<http://127.0.0.1:8787/settings/no-such>", 1, "nobody answers"),
    (link_faults, "[a](http://example.com/)", 1, "nobody answers"),
    (link_faults, '```\n[a](b.md)\n```\n<a href="no-such.md">a</a>', 4, "no such file"),
    (link_faults, "[a](../notebooks/02-generate-a-token.ipynb#Use-it-once) [b](quickstart.md#4-call-the-api)", 0, ""),
    (link_faults, "`[c](d.md)`", 0, ""),
    (page_faults, '<br>\n<a href="{{ top }}/settings/no-such">', 2, "nobody answers"),
    (page_faults, '<form method="post" action="{{ top }}/settings/api">', 1, "nobody answers"),
    (page_faults, '<a href="http://example.com/">', 1, "nobody answers"),
    (
        page_faults,
        '<a href="{{ top }}/settings/api"><form method="post" action="{{ top }}/login"><a href="{{ block.url }}">',
        0,
        "",
    ),
    (figure_faults, "Words.\nAll ten errors.", 2, "“ten errors”: the number is 3"),
    (figure_faults, "Two languages.", 1, "the number is 3"),
    (figure_faults, "In 4 short lessons.", 1, f"the number is {len(NOTEBOOKS)}"),
    (figure_faults, "Four exercises.\n\n## 1. Ask\n", 1, "the number is 1"),
    (figure_faults, "Install Python 3.9 or newer.", 1, "“Python 3.9 or newer”: the number is 3."),
    (figure_faults, "Three 401 errors, two 429 answers, 3 codes and one error.\nOne exercises.\n\n## 1. Ask\n", 0, ""),
    (word_faults, "Words.\nKeep the API key.", 2, "“API key”: use token"),
    (word_faults, "The fake server", 1, "“fake server”: use mock server"),
    (word_faults, "at the API URL.", 1, "“API URL”: use base URL"),
    (word_faults, "Open Settings → API", 1, "“Settings → API”: use Settings > API"),
    (word_faults, "on Linked.is", 1, "“Linked.is”: use linked.is"),
    (word_faults, "Click Create New Token.", 1, "“Create New Token”: use Generate New Token"),
    (word_faults, "The course takes three hours.", 1, "use no number"),
    (word_faults, "Keep the token of linked.is: open Settings > API and click Generate New Token.", 0, ""),
    (saving_faults, "Words.\nCorrect `.env`, restart the kernel.", 2, "saved before the restart"),
    (saving_faults, "Correct `.env`, save it, restart the kernel.", 0, ""),
]


@pytest.mark.parametrize(("check", "text", "line", "fault"), RED)
def test_a_fault_is_found(check, text, line, fault):
    found = list(check(ROOT / ("notebooks/any.ipynb" if check is heading_faults else "docs/index.md"), text))
    assert any(at == line and fault in wrong for at, wrong in found) if line else not found


def unlinked_terms(lessons):
    """Return the terms of the glossary that lessons use and that no lesson links."""
    terms = [title for _, level, title in headings(markdown(GLOSSARY)) if level == 2]
    linked = set(re.findall(r"glossary\.md#([\w-]+)", lessons.lower()))
    used = [term for term in terms if re.search(rf"\b{term.partition(' and ')[0]}", lessons, re.IGNORECASE)]
    return [term for term in used if term.lower().replace(" ", "-") not in linked]


def test_a_lesson_links_each_term_of_the_glossary():
    lessons = "\n".join(map(markdown, NOTEBOOKS))
    complain(
        f"{GLOSSARY.name}: “{term}” has no link in any lesson: link it where a lesson uses it" for term in unlinked_terms(lessons)
    )
    assert unlinked_terms(lessons.replace("#Jitter", "#Retry")) == ["Jitter"]


def test_an_exercise_notebook_says_how_many_exercises_it_has():
    says = re.compile(EXERCISES_OF_A_NOTEBOOK.replace("{}", NUMBER), re.IGNORECASE)
    silent = [path for path in [*EXERCISES, *SOLUTIONS] if not says.search(prose(path))]
    complain(f"{path.relative_to(ROOT)}: say below the title how many exercises it has" for path in silent)


CONTRACT = """info: {title: The API, summary: 'An API key'}
properties:
  email: {type: string, example: My API key, description: your email}
  description: {type: string}
  endpoints:
    description: >-
      Words, and a
      tutorial.
    # the whitespace
"""
NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "outputs": [], "source": ["email = 1\n", "# email"]},
        {"cell_type": "markdown", "source": ["A `repo`\n", "a repo"]},
        {"cell_type": "markdown", "source": ["email"]},
    ]
}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.md", "A `stub\nor an` email\n```\nemail\n```\n<!-- email\n-->\n[site](email)\nAPI key", {2: "email", 9: "API key"}),
        ("a.ipynb", json.dumps(NOTEBOOK, indent=1), {15: "repo", 21: "email"}),
        ("a.py", '1  # a `stub`, a stub\n"""\nSay it\nin an email."""\nemail = {"API key": 1}', {1: "stub", 4: "email"}),
        (
            "a.html",
            '<input\n name="email">\n{{ email }} your\nemail<script>\n// email\n</script>\nAPI keys',
            {4: "email", 7: "API keys"},
        ),
        ("openapi.yaml", CONTRACT, {1: "API key", 3: "email", 8: "tutorial", 9: "whitespace"}),
        ("a.toml", "email = 1 # the email", {1: "email"}),
    ],
)
def test_words_are_found_on_their_lines_and_code_is_not_read(name, text, found, tmp_path):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    faults = sorted(word_faults(path, prose(path)))
    assert [line for line, _ in faults] == list(found)
    assert all(f"“{word}”" in fault for (_, fault), word in zip(faults, found.values(), strict=True))
