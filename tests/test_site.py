"""The built site: light, whole, from one origin, and made of committed outputs."""

import json
import os
import re
import shutil
import subprocess
import sys
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from mock_server.envelope import ApiError
from tests.running import NOTEBOOKS, ROOT

NO_KERNEL = {"JUPYTER_PATH": os.devnull, "JUPYTER_DATA_DIR": os.devnull, "JUPYTER_PREFER_ENV_PATH": "0"}


def build(project, site):
    """Build the site strictly; return the finished process."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    environment = {**os.environ, **NO_KERNEL, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    result = build(ROOT, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site):
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in site.rglob("*.html")}


def notebook_pages(site):
    return [site / "notebooks" / path.stem / "index.html" for path in NOTEBOOKS]


def test_a_notebook_page_is_light(site):
    for page in notebook_pages(site):
        assert page.stat().st_size < 40_000, page


def test_no_page_asks_another_origin(site, pages):
    for path, page in pages.items():
        for tag in page.select("script[src], img[src], iframe[src], source[src], link[href]"):
            address = tag.get("src") or tag.get("href")
            assert tag.get("rel") == ["canonical"] or not urlsplit(address).netloc, f"{path}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_and_anchor_leads_somewhere(site, pages):
    ids = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    checked = 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its links are made for the root of a host
        here = path.relative_to(site).as_posix().removesuffix("index.html")
        for tag in page.select("a[href]"):
            parts = urlsplit(urljoin(f"http://site/{here}", tag["href"]))
            if parts.netloc != "site" or parts.scheme != "http":
                continue
            target = site / unquote(parts.path).lstrip("/")
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path}: {tag['href']}"
            if parts.fragment:
                assert unquote(parts.fragment) in ids[target], f"{path}: {tag['href']}"
            if target.suffix == ".ipynb":
                assert tag.has_attr("download")
            checked += 1
    assert checked > 100


def test_the_outputs_of_a_page_are_those_of_the_notebook(site, pages):
    for path, page in zip(NOTEBOOKS, notebook_pages(site), strict=True):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = ["".join(output["text"]).strip() for cell in cells for output in cell.get("outputs", [])]
        shown = [tag.get_text().strip() for tag in pages[page].select(".cell-output")]
        assert shown == outputs and outputs


def test_code_is_a_code_block_of_the_theme(site, pages):
    for path, page in zip(NOTEBOOKS, notebook_pages(site), strict=True):
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        assert len(pages[page].select("div.highlight > pre > code")) >= len(cells)
        assert not pages[page].select("[class^=jp-]")


def test_the_contents_lead_to_the_headings(site, pages):
    for page in notebook_pages(site):
        contents = {tag["href"][1:] for tag in pages[page].select(".md-nav--secondary a[href^='#']")}
        headings = {tag["id"] for tag in pages[page].select("article h2[id], article h3[id]")}
        assert contents == headings and len(headings) > 4


def test_the_errors_page_lists_what_the_code_answers(site, pages):
    text = pages[site / "errors" / "index.html"].get_text()
    for error in ApiError.__subclasses__():
        assert error.code in text and str(error.origin) in text
        if error.status == 401:
            assert error.message in text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("(02-load-it-from-dotenv.ipynb)", "(02-load-it-from-elsewhere.ipynb)", "not on the site"),
        ("(02-load-it-from-dotenv.ipynb)", "(../docs/errors.md#no-such-anchor)", "no-such-anchor"),
    ],
)
def test_a_dead_link_in_a_notebook_fails_the_build(tmp_path, old, new, words):
    for name in ("docs", "notebooks", "mock_server"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    notebook = tmp_path / "notebooks" / NOTEBOOKS[0].name
    text = notebook.read_text(encoding="utf-8")
    assert old in text
    notebook.write_text(text.replace(old, new), encoding="utf-8")
    result = build(tmp_path, tmp_path / "site")
    assert result.returncode != 0 and words in result.stdout + result.stderr
