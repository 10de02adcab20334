"""Drawings that follow the colour scheme and say what the code does; screenshots that show the page as it is."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import material
import pytest

from docs.hooks.pictures import drawing
from mock_server.envelope import ApiError
from tests.running import ROOT
from tests.screenshots import FOLDER, PLACEHOLDER, PREFIX, screenshots

ASSETS = ROOT / "docs" / "assets"
DRAWINGS = sorted(ASSETS.glob("*.svg"))
TEXTS = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("notebooks/*.ipynb")]
STYLE_SHEETS = [*Path(material.__path__[0]).glob("templates/assets/stylesheets/*.css"), ASSETS / "notebook.css"]


@pytest.fixture(scope="module")
def wanted():
    return screenshots()


def words(name):
    """Return what a drawing says, piece by piece."""
    svg = ElementTree.parse(ASSETS / name)
    return [" ".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]


def test_the_screenshots_show_the_page_as_it_is(wanted):
    old = [one.path.name for one in wanted if not one.is_current()]
    assert not old, f"Settings > API has changed. Run `make screenshots`, look at {', '.join(old)}, and commit them."
    assert sorted(FOLDER.iterdir()) == sorted(one.path for one in wanted)


def test_no_token_gets_into_a_screenshot(wanted):
    assert not [one.name for one in wanted if PREFIX in str(one.page)]
    assert {one.name for one in wanted if PLACEHOLDER in one.page.html} == {"shown-once"}


def test_a_picture_is_small_and_shown_somewhere():
    shown = "".join(path.read_text(encoding="utf-8") for path in TEXTS)
    for path in [*DRAWINGS, *FOLDER.iterdir()]:
        assert path.stat().st_size < (4_096 if path.suffix == ".svg" else 60_000), path
        assert f"/{path.name.replace('-dark', '')})" in shown, path


def test_the_text_of_a_drawing_says_all_that_it_shows():
    shown = "".join(path.read_text(encoding="utf-8") for path in TEXTS)
    for path in DRAWINGS:
        for text in re.findall(rf"!\[([^]]+)\]\([^)]*/{path.name}\)", shown):
            assert set(re.findall(r"\w+", " ".join(words(path.name)).lower())) <= set(re.findall(r"\w+", text.lower()))


def test_the_drawings_share_one_style():
    styles = [re.search("<style>.*</style>", path.read_text(encoding="utf-8"), re.DOTALL)[0] for path in DRAWINGS]
    assert styles == styles[:1] * len(DRAWINGS)


def test_the_request_meets_the_errors_of_the_code_in_its_order():
    codes = [error.code for error in ApiError.__subclasses__() if error.status == 401]
    assert re.findall(r"401 (\w+)", " ".join(words("request-and-its-failures.svg"))) == codes


def test_the_rotation_is_that_of_the_notebook():
    cells = json.loads((ROOT / "notebooks" / "07-rotate-without-downtime.ipynb").read_text(encoding="utf-8"))["cells"]
    steps = re.findall(r"## Step (\d): (.+)", "\n".join("".join(cell["source"]) for cell in cells))
    printed = ["".join(output["text"]).strip() for cell in cells for output in cell.get("outputs", [])]
    said = words("rotation-on-a-time-line.svg")
    assert len(steps) == 4
    for number, step in steps:
        assert re.match(re.escape(step), said[said.index(number, said.index("Old token")) + 1], re.IGNORECASE), step
    assert said[-1] in printed


def test_the_life_of_a_token_is_that_of_the_page(wanted):
    html = next(one.page.html for one in wanted if one.name == "list")
    said = words("life-of-a-token.svg")
    for button in re.findall(r"<button class=\"primary\">(.+)</button>", html):
        assert f"Settings > API: {button}" in said
    ends = set(re.findall(r'class="state">(\w+)<', html)) - {"active"}
    assert len(ends) == 2 and all(end.rstrip("d").title() in said for end in ends)


# The scheme of the site, "" where a drawing is shown as a file, and that of the system, which must not matter on the site.
SCHEMES = [("default", "dark"), ("slate", "light"), ("", "light"), ("", "dark")]
READ = """() => {
  const shape = (tag) => ({box: tag.getBoundingClientRect().toJSON(), fill: getComputedStyle(tag).fill});
  const root = document.documentElement;
  const page = {...shape(root), fill: getComputedStyle(document.body ?? root).backgroundColor};
  const boxes = [...document.querySelectorAll("rect")].map(shape);
  return [...document.querySelectorAll("text")].map(tag => {
    const text = shape(tag), y = text.box.top + text.box.height / 2;
    const around = ({box}) => box.left < text.box.left && text.box.left < box.right && box.top < y && y < box.bottom;
    return {...text, said: tag.textContent, behind: boxes.find(around) ?? page};
  });
}"""


@pytest.mark.parametrize(("scheme", "system"), SCHEMES)
def test_the_drawings_can_be_read_in_every_scheme_and_on_a_phone(browser, scheme, system):
    tab = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=system)
    texts = []
    if scheme:
        style = "".join(sheet.read_text(encoding="utf-8") for sheet in STYLE_SHEETS)
        drawings = "".join(drawing(path.read_text(encoding="utf-8"), "A drawing") for path in DRAWINGS)
        head = f"<!doctype html><style>{style} body {{padding: 0 16px}}</style>"
        tab.set_content(f'{head}<body data-md-color-scheme="{scheme}">{drawings}')
        texts += tab.evaluate(READ)
    else:
        for path in DRAWINGS:
            tab.goto(path.as_uri())
            texts += tab.evaluate(READ)
    tab.close()
    assert len(texts) > 30
    for text in texts:
        assert text["box"]["right"] <= text["behind"]["box"]["right"], text["said"]
        assert contrast(text["fill"], text["behind"]["fill"]) >= 4.5, text["said"]
        assert text["box"]["height"] >= 11, text["said"]


def contrast(text, behind):
    """Return the contrast (WCAG 2.2) of two colours as a browser spells them; the first may be translucent."""
    *colour, alpha = [*map(float, re.findall(r"[\d.]+", text)), 1.0][:4]
    ground = [float(value) for value in re.findall(r"[\d.]+", behind)[:3]]
    seen = [alpha * above + (1 - alpha) * below for above, below in zip(colour, ground, strict=True)]
    darker, lighter = sorted(map(luminance, (seen, ground)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    """Return the relative luminance (WCAG 2.2) of red, green and blue from 0 to 255."""
    values = [value / 255 for value in colour]
    red, green, blue = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
