"""The built site: light, whole, from one origin, and made of committed outputs."""

import gzip
import json
import re
import shutil
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from playwright.sync_api import expect

from mock_server.envelope import ApiError
from tools.running import NOTEBOOKS, ROOT
from tools.static_site import build, parsed, without_tab
from tools.write_exercises import EXERCISES, SOLUTIONS


@pytest.fixture(scope="session")
def pages(site):
    return {path: parsed(path) for path in site.rglob("*.html")}


def notebook_pages(site):
    return [site / "notebooks" / path.stem / "index.html" for path in NOTEBOOKS]


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_a_page_is_light(site, pages):
    """Weighed as it travels; tests/publish/test_site_browser.py weighs what comes with it."""
    assert len([page for page in pages if site / "notebooks" in page.parents]) == len([*NOTEBOOKS, *EXERCISES, *SOLUTIONS])
    weights = {page: len(gzip.compress(page.read_bytes())) for page in pages}
    assert {page: weight for page, weight in weights.items() if weight > 16_000} == {}


def test_no_page_asks_another_origin(site, pages):
    for path, page in pages.items():
        for tag in page.select("script[src], img[src], iframe[src], source[src], link[href]"):
            address = tag.get("src") or tag.get("href")
            assert tag.get("rel") == ["canonical"] or not urlsplit(address).netloc, f"{path}: {address}"
        for script in page.select("script:not([type='application/ld+json'])"):
            assert not re.search("https?://", str(script)), path
    for path in [*site.rglob("*.css"), *pages]:
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", path.read_text(encoding="utf-8")), path


def test_every_picture_follows_the_colour_scheme(pages):
    drawings = [tag for page in pages.values() for tag in page.select("svg.drawing")]
    images = [tag["src"] for page in pages.values() for tag in page.select("article img")]
    light = [source.removesuffix(".png#only-light") for source in images if source.endswith("#only-light")]
    dark = [source.removesuffix("-dark.png#only-dark") for source in images if source.endswith("#only-dark")]
    assert drawings and light == dark and len(images) == 2 * len(light) > 0


def test_every_link_and_anchor_leads_somewhere_below_any_path(site, pages):
    ids = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    checked = 0
    for path, page in pages.items():
        here = path.relative_to(site).as_posix().removesuffix("index.html")
        for tag in page.select("a[href], link[href], script[src], img[src]"):
            link = tag.get("href") or tag.get("src")
            parts = urlsplit(urljoin(f"http://site/kit/{here}", link))
            if parts.netloc != "site":
                continue
            assert parts.path.startswith("/kit/"), f"{path}: {link}"
            target = site / unquote(parts.path).removeprefix("/kit/")
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path}: {link}"
            if parts.fragment and tag.name != "img":  # `#only-dark` is for the theme
                assert unquote(parts.fragment) in ids[target], f"{path}: {link}"
            if target.suffix == ".ipynb":
                assert tag.has_attr("download")
            checked += 1
    assert checked > 100


def test_the_outputs_of_a_page_are_those_of_the_notebook(site, pages):
    for path, page in zip(NOTEBOOKS, notebook_pages(site), strict=True):
        outputs = ["".join(output["text"]).strip() for cell in cells_of(path) for output in cell.get("outputs", [])]
        shown = [tag.get_text().strip() for tag in pages[page].select(".cell-output")]
        assert shown == outputs and outputs


def test_search_finds_code_and_leaves_outputs_out(site):
    documents = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert not [document["location"] for document in documents if "Pythoncurl" in document["text"]]  # labels of tabs
    texts = [document["text"] for document in documents if document["location"].startswith("notebooks/")]
    found = unescape(" ".join(texts))
    cells = [cell for path in NOTEBOOKS for cell in cells_of(path)]
    sources = "\n".join("".join(cell["source"]) for cell in cells)
    outputs = [line for cell in cells for output in cell.get("outputs", []) for line in output["text"]]
    only_in_outputs = [line.strip() for line in outputs if len(line) > 30 and line.strip() not in sources]
    assert "load_dotenv()" in found and len(only_in_outputs) > 3
    assert not [line for line in only_in_outputs if line in found]


def test_the_contents_of_a_page_have_its_headings(pages):
    for path, page in pages.items():
        contents = {tag["href"][1:] for tag in page.select(".md-nav--secondary a[href^='#']")}
        assert {tag["id"] for tag in page.select("article h2[id], article h3[id]")} <= contents, path


def test_the_errors_page_lists_what_the_code_answers(site, pages):
    text = pages[site / "reference" / "errors" / "index.html"].get_text()
    for error in ApiError.__subclasses__():
        assert error.code in text and str(error.origin) in text
        if error.status == 401:
            assert error.message in text


@pytest.mark.parametrize("screen", [(1280, 800), (390, 844)], ids=lambda screen: f"{screen[0]} pixels")
def test_home_has_its_three_doors_on_the_first_screen(site, browser, screen):
    width, height = screen
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto((site / "index.html").as_uri())
    doors = tab.locator(".grid.cards li").all()
    assert len(doors) == 3
    for door in doors:  # The reader's fonts decide how much of the text below its link is seen.
        expect(door.get_by_role("link").first).to_be_in_viewport(ratio=1)
    tab.close()


def test_a_page_says_how_many_of_its_outputs_are_proved(site, pages):
    for path, page in pages.items():
        outputs = len(page.select("article .cell-output"))
        said = page.select_one("article .proved")
        assert (said is not None) == (outputs > 0), path
        if outputs:
            assert re.search(rf"\b{outputs} outputs?\b", said.get_text()), path
            assert (path.parent / said.a["href"]).resolve() == site / "explanation" / "how-the-proof-works"


NEAR = {  # What people come for → where it is.
    "the format of the header": "notebooks/04-call-the-api/",
    "what to do after TOKEN_EXPIRED": "reference/errors/#token_expired",
    "how to revoke": "how-to/react-to-a-leak/",
    "GitHub Actions": "how-to/store-a-token-in-ci/",
    "curl": "quickstart/",
    "the base URL": "reference/api/",
    "rate limits": "reference/rate-limits/",
    "the OpenAPI file": "openapi.json",
    "the course in a browser": "reference/browsers/",
}


def test_what_people_come_for_is_three_clicks_from_home(site, pages):
    reached, on_the_way = {""}, [""]
    for _ in range(3):
        links = {
            urljoin(f"/{page}", tag["href"]) for page in on_the_way for tag in pages[site / page / "index.html"].select("a[href]")
        }
        new = {link.removeprefix("/") for link in links if link.startswith("/")} - reached
        reached |= new
        on_the_way = {page.partition("#")[0] for page in new if site / page.partition("#")[0] / "index.html" in pages}
    assert [what for what, address in NEAR.items() if address not in reached] == []


def notebook_of(source, kind="markdown"):
    cell = {"cell_type": kind, "id": "only", "metadata": {}, "source": source}
    cell |= {"outputs": [], "execution_count": None} if kind == "code" else {}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


# Each lacks something that a page, a lesson or a description is made of: its file, and what it holds.
UNFINISHED = {
    "notebooks/Untitled.ipynb": notebook_of([], "code"),  # as JupyterLab makes it
    "notebooks/exercises/Untitled 1.ipynb": notebook_of("Words, and no heading"),
    "notebooks/exercises/empty.ipynb": "",
    "notebooks/cut.ipynb": notebook_of("# A title")[:-20],
    "notebooks/old.ipynb": json.dumps({"worksheets": [{"cells": []}], "metadata": {}, "nbformat": 3}),
    "notebooks/exercises/strange.ipynb": "[1]",
    "notebooks/exercises/bare.ipynb": notebook_of("# A title"),
    "docs/workshop/bare.md": "# A title\n",
}


def build_with_faults(project):
    """Build a site of short pages and of one notebook, which is full of faults. Return the finished process."""
    without_tab(project)
    for path in (project / "docs").rglob("*.md"):
        path.write_text("# A title\n\nA paragraph.\n", encoding="utf-8")
    shutil.rmtree(project / "notebooks")
    (project / "notebooks" / "exercises").mkdir(parents=True)
    links = "[page](no-such-page.ipynb) [anchor](../docs/reference/errors.md#no-such-anchor) [heading](#no-such-heading)"
    answers = "<details><summary>Answers</summary>\n\n1. **Right.** One.\n\n</details>"
    parts = (
        notebook_of(f"# A title\n\n**What you'll do:** look. {links}"),
        notebook_of("", "code"),
        notebook_of(f"## Check yourself\n\n**One option only?**\n\n1. Yes\n\n{answers}"),
    )
    notebook = {**json.loads(parts[0]), "metadata": {"linked_is": {"minutes": 5}}}
    notebook["cells"] = [{**json.loads(part)["cells"][0], "id": str(number)} for number, part in enumerate(parts)]
    error = {"output_type": "error", "ename": "KeyError", "evalue": "data", "traceback": ["KeyError: data"]}
    notebook["cells"][1]["outputs"] = [error]
    for name, text in {"notebooks/faulty.ipynb": json.dumps(notebook), **UNFINISHED}.items():
        (project / name).write_text(text, encoding="utf-8")
    with (project / "docs" / "index.md").open("a", encoding="utf-8") as home:
        home.write("\n[Into a notebook](notebooks/faulty.ipynb#no-such-step)\n")
    return build(project, project / "site")


def test_every_401_leads_to_the_reasons(site, pages):
    reasons = site / "reference" / "why-a-token-stops-working" / "index.html"
    shown = [path for path, page in pages.items() if re.search(r"\b401\b", str(page.find("article")))]
    assert len(shown) > 10
    for path in set(shown) - {reasons}:
        links = {(path.parent / unquote(tag["href"])).resolve() for tag in pages[path].select("article a[href]")}
        assert reasons.parent in links, f"{path} names 401: link why-a-token-stops-working there."


def test_each_fault_in_a_notebook_fails_the_build(tmp_path):
    report = build_with_faults(tmp_path)
    assert report.returncode != 0
    links = ("no-such-page.ipynb", "#no-such-anchor", "#no-such-heading", "#no-such-step")
    for fault in (*links, "unexpected error", "“One option only?” has not three or four options"):
        assert fault in report.stderr
    for name in UNFINISHED:
        [warning] = [line for line in report.stderr.splitlines() if f"'{name.removeprefix('docs/')}' lacks" in line]
        assert warning.startswith("WARNING"), name
    assert "  - workshop/bare.md" in report.stderr  # in no navigation
    # It went on to its end, and each fault has one warning.
    assert f"Aborted with {7 + len(UNFINISHED)} warnings" in report.stdout + report.stderr


def test_a_page_reads_as_the_notebook_does_in_jupyterlab(site, pages):
    """Two parsers read the same Markdown, Jupyter's and the site's: the text must be plain enough for both."""
    for path in [*NOTEBOOKS, *EXERCISES, *SOLUTIONS]:
        page = pages[site / path.relative_to(ROOT).parent / path.stem / "index.html"]
        article = BeautifulSoup(str(page.article), "html.parser")
        for tag in article.select(
            ".headerlink, .run-here, .notebook-source, .next-lesson, .proved, .cell-output, .highlight, svg"
        ):
            tag.decompose()
        cells = ["".join(cell["source"]) for cell in cells_of(path) if cell["cell_type"] == "markdown"]
        if path in SOLUTIONS:
            cells[0] = re.sub("^# [^:]+", "# Solutions", cells[0])  # Told apart on the site.
        jupyter = BeautifulSoup("\n".join(map(markdown2html_mistune, cells)), "html.parser")
        for tag in jupyter.select(".anchor-link, pre"):
            tag.decompose()
        assert words_of(article) == words_of(jupyter), path
        for tag in ("h1", "h2", "h3", "li", "td:not(:empty)", "a", "strong, .admonition-title", "em", "code", "details"):
            assert len(article.select(tag)) == len(jupyter.select(tag)), f"{path}: {tag}"


def words_of(html):
    """Return the text of HTML by words, without the colon after the first word of a callout, which is a title there."""
    return re.findall(r"[^\s:]+", html.get_text(" "))
