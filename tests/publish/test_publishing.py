"""The site as it is published: at an address, for search engines, for programs, and what else could build it."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote, unquote, urljoin
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from PIL import Image

from mock_server.contract import openapi
from tools.running import NOTEBOOKS, ROOT
from tools.static_site import StaticHost, build, parsed, without_tab

SITE_URL, REPO_URL = "https://docs.example.com/kit/", "https://github.com/you/kit"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

pytestmark = pytest.mark.long  # a site with an address of its own is one more to build


@pytest.fixture(scope="module")
def published(build_site):
    """The site at a known address."""
    return build_site("published", SITE_URL=SITE_URL, REPO_URL=REPO_URL)


@pytest.fixture(scope="module")
def pages(published):
    """Address → parsed page, without the 404 page."""
    paths = [path for path in published.rglob("*.html") if path.name != "404.html"]
    return {address_of(path, published): parsed(path) for path in paths}


def address_of(path, site):
    return SITE_URL + path.relative_to(site).as_posix().removesuffix("index.html")


@pytest.fixture(scope="module")
def markdown(pages):
    """Address of a page → address of its Markdown."""
    return {address: urljoin(address, page.select_one("link[type='text/markdown']")["href"]) for address, page in pages.items()}


def content(page, name):
    return page.select_one(f"meta[name='{name}'], meta[property='{name}']")["content"]


def test_every_page_tells_search_engines_and_chats_what_it_is(published, pages):
    described = {}
    for address, page in pages.items():
        assert page.select_one("link[rel=canonical]")["href"] == content(page, "og:url") == address
        assert page.title.get_text().startswith(content(page, "og:title")) or address == SITE_URL
        assert content(page, "og:type") == ("website" if address == SITE_URL else "article")
        assert content(page, "twitter:card") == "summary_large_image"
        with Image.open(published / content(page, "og:image").removeprefix(SITE_URL)) as picture:
            assert picture.size == (1200, 630)
        assert content(page, "description") == content(page, "og:description")
        description = content(page, "description")
        assert 20 <= len(description) <= 300 and description[-1] in ".?!" and "`" not in description, (address, description)
        described.setdefault(description, []).append(address)
    assert [addresses for addresses in described.values() if len(addresses) > 1] == []
    quickstart = content(pages[SITE_URL + "notebooks/04-call-the-api/"], "description")
    assert quickstart == "You'll send your token with a request, then let requests send it with every request."


def test_the_sitemap_lists_every_page_that_the_search_finds(published, pages):
    tree = ElementTree.parse(published / "sitemap.xml")
    index = json.loads((published / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    found = {urljoin(SITE_URL, document["location"].partition("#")[0]) for document in index}
    assert {tag.text for tag in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")} == found <= set(pages)
    assert f"Sitemap: {SITE_URL}sitemap.xml" in (published / "robots.txt").read_text(encoding="utf-8")


KINDS = {
    "": "Course",
    "notebooks/": "LearningResource",
    "how-to/": "TechArticle",
    "reference/": "TechArticle",
    "auth/": "TechArticle",
    "workshop/": "WebPage",
}


def test_a_page_says_in_the_words_of_schema_org_what_it_is(site, pages):
    for address, page in pages.items():
        [script] = page.select("script[type='application/ld+json']")
        told = json.loads(script.string)
        assert (told["@context"], told["inLanguage"], told["version"]) == ("https://schema.org", page.html["lang"], VERSION)
        assert told["url"] == address and told["description"] == content(page, "description")
        assert told.get("headline", told.get("name")) in (content(page, "og:title"), "linked.is authentication kit")
        top = re.match(r"[^/]*/?", address.removeprefix(SITE_URL))[0]
        assert told["@type"] == KINDS.get(top, told["@type"]), address
        if told["@type"] == "LearningResource":
            assert f"Time: {told['timeRequired'][2:-1]} minutes" in " ".join(page.article.get_text().split()), address
            assert told["isPartOf"]["url"] == SITE_URL
    lessons = json.loads(pages[SITE_URL].select_one("script[type='application/ld+json']").string)["hasPart"]
    for lesson in lessons:
        told = json.loads(pages[lesson["url"]].select_one("script[type='application/ld+json']").string)
        assert lesson == {name: told.get(name, lesson["position"]) for name in lesson}
    assert len(lessons) == len(NOTEBOOKS)
    for path in site.rglob("*.html"):  # without SITE_URL, no page has an address
        assert '"url"' not in path.read_text(encoding="utf-8").partition("application/ld+json")[2].partition("</script>")[0]


def test_the_contract_is_published_so_that_every_program_can_read_it(site, pages):
    """One document in two forms, without what generators of clients stumble over: YAML's anchors, and what only they need."""
    as_yaml = (site / "openapi.yaml").read_text(encoding="utf-8")
    tokens = {type(token) for token in yaml.scan(as_yaml, Loader=yaml.CSafeLoader)}
    assert not tokens & {yaml.AnchorToken, yaml.AliasToken} and "<<:" not in as_yaml and "x-shared" not in as_yaml
    assert json.loads((site / "openapi.json").read_text(encoding="utf-8")) == openapi() == yaml.load(as_yaml, yaml.CSafeLoader)
    for address in ("auth/", "reference/api/"):
        links = {urljoin(SITE_URL + address, link["href"]) for link in pages[SITE_URL + address].select("article a[href]")}
        assert links >= {SITE_URL + "openapi.json", SITE_URL + "openapi.yaml"}


def test_a_notebook_page_leads_to_the_places_where_it_runs(pages):
    notebooks = {address: page for address, page in pages.items() if "/notebooks/" in address}
    assert len(notebooks) > 20
    for address, page in notebooks.items():
        links = {link.get_text(): urljoin(address, link["href"]) for link in page.select(".notebook-source a")}
        path = page.select_one("a[rel=edit]")["href"].removeprefix(f"{REPO_URL}/edit/main/")
        owner = REPO_URL.removeprefix("https://github.com/")
        assert links["Binder"] == f"https://mybinder.org/v2/gh/{owner}/HEAD?urlpath={quote(f'lab/tree/{path}', '')}"
        assert links["Codespaces"] == f"https://codespaces.new/{owner}"
        assert links["VS Code"] == f"vscode://vscode.git/clone?url={quote(REPO_URL, '')}"
        assert links["elsewhere"] in pages


def test_an_edit_link_leads_to_the_source(pages):
    for address, page in pages.items():
        link = page.select_one("a[rel=edit]")["href"]
        assert (ROOT / link.removeprefix(f"{REPO_URL}/edit/main/")).is_file(), link
        assert (".ipynb" in link) == ("/notebooks/" in address)
        assert page.select_one(".md-header a.md-source")["href"] == REPO_URL
        assert not page.select("[data-md-component=source]")  # which asks the host of the repository for its stars


def test_a_site_without_an_address_claims_none(site):
    for path in site.rglob("*.html"):
        assert not parsed(path).select("link[rel=canonical], meta[property='og:url'], [rel=edit], .md-source"), path
    assert not [name for name in ("robots.txt", "sitemap.xml", "sitemap.xml.gz") if (site / name).exists()]


def test_llms_txt_lists_the_markdown_of_every_page_once(published, site, pages, markdown):
    for folder, top in ((published, SITE_URL), (site, "")):
        title, summary, *rest = (folder / "llms.txt").read_text(encoding="utf-8").split("\n\n")
        assert title == "# linked.is authentication kit" and re.fullmatch("> .+[.]", summary)
        rules = "\n".join(rest).partition("\n## ")[0]
        assert all(word in rules for word in ("timeout", "`.env`", "Never print the token", "revoke it"))
        for link in re.findall(r"\]\((.+?)\)", rules):
            assert link.startswith(top) and (folder / link.removeprefix(top)).is_file(), link
        text = "\n".join(rest)
        nav = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=Lenient)["nav"]
        assert re.findall("^## (.+)", text, re.MULTILINE) == [*(name for item in nav for name in item), "Optional"]
        entries = re.findall(r"^- \[(.+)\]\((.+)\): (.+)$", text, re.MULTILINE)
        assert len(entries) == text.count("\n- ")
        described = {urljoin(SITE_URL, link): description for _, link, description in entries}
        assert len(described) == len(entries) and all(link.startswith(top) for _, link, _ in entries)
        assert described == {markdown[address]: content(page, "description") for address, page in pages.items()}


class Lenient(yaml.SafeLoader):
    """Reads mkdocs.yml without its `!ENV`."""


Lenient.add_multi_constructor("!", lambda loader, suffix, node: None)


def test_the_markdown_of_a_page_says_what_the_page_says(published, pages, markdown):
    """Read by a parser of CommonMark with tables, which any site generator has: the way out of this one."""
    parser = MarkdownIt("commonmark").enable("table")
    for address, page in pages.items():
        text = (published / markdown[address].removeprefix(SITE_URL)).read_text(encoding="utf-8")
        assert not re.search(r"^ *(===|!!!|\?\?\?|--8<--) |(is|are) on the site\. In a clone", text, re.MULTILINE), address
        plain = BeautifulSoup(parser.render(text), "html.parser")
        article = BeautifulSoup(str(page.article), "html.parser")
        for tag in article.select(".headerlink, .notebook-source, .proved, .md-content__button, .filename"):
            tag.decompose()
        for tag in ("h1", "h2", "h3", "h4"):
            assert headings(plain, tag) == headings(article, tag), address
        assert code(plain) == code(article), address
        moved = {target.replace(here, there) for target in targets(article, address) for here, there in [moves(target, markdown)]}
        assert targets(plain, markdown[address]) == moved, address


def moves(target, markdown):
    """Return the page that a link leads to, and its Markdown. A file that is no page stays where it is."""
    page = target.partition("#")[0]
    return page, markdown.get(page, page)


def code(html):
    return [tag.get_text().strip("\n") for tag in html.select("pre")]


def headings(html, tag):
    return [re.sub(r" *\{ ?#.*", "", " ".join(heading.get_text().split())) for heading in html(tag)]


def targets(html, address):
    """Return where the links of a page lead, on the site only."""
    links = {urljoin(address, link["href"]) for link in html.select("a[href]")}
    return {unquote(link) for link in links if link.startswith(SITE_URL)}


@pytest.mark.parametrize(
    ("name", "below", "missing"),
    [
        ("published", "/kit", "notebooks/x/y/rate-limits.html"),
        ("site", "/a/b", "reference/error-list/"),
        pytest.param("site", "", "notebooks/x/y/rate-limits.html", marks=pytest.mark.long),
    ],
)
def test_the_404_page_works_at_any_depth(request, browser, name, below, missing):
    with StaticHost(request.getfixturevalue(name), below) as host:
        home, page = host.url, browser.new_page()
        failed = []
        page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(home + missing)
        assert page.get_by_role("heading", name="This page isn't here").is_visible()
        looked_for = missing.strip("/").split("/")[-1].removesuffix(".html").replace("-", " ")
        assert page.get_by_label("Look for").input_value() == looked_for
        # It is itself a 404, and without SITE_URL it looks for the top folder while Chromium tries its style sheets.
        assert failed[0] == home + missing and (name == "site" or len(failed) == 1), failed
        assert not [url for url in failed if not url.startswith(home) or url.startswith((f"{home}assets", f"{home}search"))]
        assert page.evaluate("getComputedStyle(document.querySelector('.md-header')).position") == "sticky"
        links = page.locator("article a, header a.md-logo, nav.md-tabs a").evaluate_all("all => all.map(link => link.href)")
        assert len(links) > 8 and all(page.request.get(link).ok for link in links), links
        page.get_by_label("Look for").fill("revoke")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url(f"{home}?q=revoke")
        page.locator(".md-search-result__link").first.wait_for()
        page.close()


def test_the_search_in_the_header_of_the_404_page_works(site, browser):
    with StaticHost(site) as host:
        home, page = host.url, browser.new_page()
        page.goto(home + "notebooks/no-such-page/", wait_until="networkidle")
        page.locator(".md-search__input").press_sequentially("revoke")  # The theme listens to keys.
        page.locator(".md-search-result__link").first.click()
        page.wait_for_url(lambda url: url.startswith(home) and "no-such-page" not in url)
        page.close()


def test_the_version_is_the_same_everywhere(site):
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+), (not yet released|\d{4}-\d\d-\d\d)$", changes, re.MULTILINE)[1] == VERSION
    assert f"Version {VERSION}." in (site / "llms.txt").read_text(encoding="utf-8")
    for path in site.rglob("*.html"):
        link = parsed(path).select_one("footer .md-copyright a")
        assert link.get_text() == VERSION and link.parent.get_text().startswith(f"Version {VERSION} · ")
    assert (site / "changelog" / "index.html").is_file()


def test_properdocs_builds_the_same_site(site, tmp_path):
    """ProperDocs goes on with MkDocs 1: it takes the same mkdocs.yml, theme and hooks."""
    assert_same_site(tmp_path, site, program="properdocs")


def test_the_other_mkdocs_jupyter_builds_the_same_site(site, tmp_path):
    """Python 3.11 has another release than newer ones: here it takes theirs, and they take its."""
    locked = re.findall(r"^mkdocs-jupyter==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    [other] = {*locked} - {version("mkdocs-jupyter")}
    packages = tmp_path / "packages"
    install = ["install", "--quiet", "--no-deps", "--ignore-requires-python", "--target", str(packages)]
    subprocess.run([sys.executable, "-m", "pip", *install, f"mkdocs-jupyter=={other}"], check=True)
    assert_same_site(tmp_path, site, PACKAGES=str(packages))


def assert_same_site(folder, expected, **other):
    """Build the site once more in another way, and compare it byte by byte."""
    (folder / "source").mkdir()
    site = folder / "site"
    built = build(without_tab(folder / "source"), site, **other)
    assert built.returncode == 0, built.stdout + built.stderr
    files = {path.relative_to(expected) for path in expected.rglob("*") if path.is_file()}
    assert files == {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    stamped = {Path("sitemap.xml.gz")}  # with the time of the build
    assert [name for name in files - stamped if (expected / name).read_bytes() != (site / name).read_bytes()] == []
