"""Drawings that follow the colour scheme and say what the code does; screenshots that show the page as it is."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import material
import pytest
from PIL import Image, ImageStat

from mock_server.envelope import ApiError
from publish.pictures import drawing
from tools.running import ROOT
from tools.screenshots import ASSETS, FOLDER, PLACEHOLDER, pictures_of_the_kit, save, screenshots
from tools.texts import DOCUMENTS, markdown

DRAWINGS = sorted(ASSETS.glob("*.svg"))
SCREENSHOTS = sorted(FOLDER.iterdir())
STYLE_SHEETS = [
    *Path(material.__path__[0]).glob("templates/assets/stylesheets/*.css"),
    ASSETS / "identity.css",
    ASSETS / "notebook.css",
]
PICTURE = re.compile(r"""(?:!\[|<img alt=")([^]"]*)(?:\]\(|" src=")[^)"]*?([\w-]+\.\w+)[)"]""")
SHOWN = [found for path in DOCUMENTS for found in PICTURE.findall(markdown(path))]
AGAIN = "Settings > API has changed. Run `make screenshots`, look at the pictures in docs/assets/screenshots, and commit them."
# What a text calls a thing, and its role in the page.
ROLES = {"form": "heading", "field": "textbox", "choice": "combobox", "button": "(?:button|link)"}


def words(name):
    """Return what a drawing says, piece by piece."""
    svg = ElementTree.parse(ASSETS / name)
    return [" ".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]


def content(name):
    """Return what a screenshot shows: roles, names and texts."""
    with Image.open(FOLDER / name) as picture:
        return picture.info["Description"]


@pytest.mark.long
def test_the_screenshots_show_the_page_as_it_is(browser, server, tmp_path):
    for one in screenshots(browser, server.base_url):
        one.save(tmp_path)
        for folder in (FOLDER, tmp_path):  # what is committed, and what `make screenshots` makes here
            assert (folder / one.name).exists(), f"{one.name} is missing. {AGAIN}"
            with Image.open(folder / one.name) as picture:
                assert picture.info.get("Description") == one.content, f"{one.name} shows something else. {AGAIN}"
                pixels = {colour: count for count, colour in picture.convert("RGB").getcolors()}
            assert set(one.colours) <= set(pixels), f"{one.name} lacks the colours {set(one.colours) - set(pixels)}. {AGAIN}"
            assert max(pixels, key=pixels.get) == one.colours[0], f"{one.name} has another background. {AGAIN}"
        assert (PLACEHOLDER in one.content) == one.name.startswith("shown-once")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in SCREENSHOTS}, AGAIN


@pytest.mark.long
def test_the_pictures_of_the_kit_show_it_as_it_is(browser, tmp_path):
    again = "The kit looks different. Run `make screenshots`, look at the pictures in docs/assets, and commit them."
    for name, png, content in pictures_of_the_kit(browser):
        save(png, tmp_path / name, content)
        with Image.open(ASSETS / name) as committed, Image.open(tmp_path / name) as made:
            assert (committed.info["Description"], committed.size) == (made.info["Description"], made.size), again
            counts = [picture.convert("RGB").getcolors() for picture in (committed, made)]
            assert max(counts[0])[1] == max(counts[1])[1], again


def test_site_tab_and_settings_page_have_one_look():
    sheets = ("mock_server/web/static/page.css", "docs/assets/identity.css", "browser/shell/shell.css")
    page, site, tab = ((ROOT / sheet).read_text(encoding="utf-8") for sheet in sheets)
    accents = re.findall(r"--accent: (#\w+)", page)
    assert len(accents) == 2  # light and dark
    assert accents == re.findall(r"--md-typeset-a-color: (#\w+)", site) == re.findall(r"#\w+", tab.partition("--accent:")[2])[:2]


def test_the_screenshots_are_light_and_dark():
    for path in SCREENSHOTS:
        brightness = ImageStat.Stat(Image.open(path).convert("L")).mean[0]
        assert brightness < 90 if path.stem.endswith("-dark") else brightness > 180, path.name


def test_a_picture_is_small_and_shown_somewhere():
    for path in [*DRAWINGS, *SCREENSHOTS]:
        assert path.stat().st_size < (4_096 if path.suffix == ".svg" else 60_000), path
        assert path.name.replace("-dark", "") in {name for _, name in SHOWN}, path


@pytest.mark.parametrize(("text", "name"), SHOWN, ids=[name for _, name in SHOWN])
def test_the_text_of_a_picture_is_true(text, name):
    if name.endswith(".svg"):  # the text says all that it shows
        assert set(re.findall(r"\w+", " ".join(words(name)).lower())) <= set(re.findall(r"\w+", text.lower()))
    else:
        quoted = re.findall(r"(?:(\w+) )?“(.+?)”", text)  # what is in the picture word for word
        assert quoted
        for kind, said in quoted:
            named = (rf'\b{ROLES[kind]} "' if kind in ROLES else "") + re.escape(said)
            assert re.search(named, content(name)), f"{name} shows no {kind} “{said}”."


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


def test_the_life_of_a_token_is_that_of_the_page():
    said = words("life-of-a-token.svg")
    assert "Settings > API: " + re.search('button "(.+)"', content("generate.png"))[1] in said
    ends = set(re.findall(r'row "[^\d"]+ (\w+) \d', content("list.png"))) - {"active"}
    assert len(ends) == 2 and all(end.rstrip("d").title() in said for end in ends)


# The scheme of the site, "" where a drawing is shown as a file, and that of the system, which must not matter on the site.
SCHEMES = [("default", "dark"), ("slate", "light"), ("", "light"), ("", "dark")]
# Fonts differ between readers: in the widest of the usual ones a letter takes 0.55 em, on average.
READ = """() => {
  const shape = (tag) => ({box: tag.getBoundingClientRect().toJSON(), fill: getComputedStyle(tag).fill});
  const root = document.documentElement;
  const page = {...shape(root), fill: getComputedStyle(document.body ?? root).backgroundColor};
  const boxes = [...document.querySelectorAll("rect")].map(shape);
  return [...document.querySelectorAll("[x]:is(text, tspan)")].map(tag => {
    const style = getComputedStyle(tag), {a: scale, e, f} = tag.getScreenCTM(), size = parseFloat(style.fontSize) * scale;
    const x = tag.getAttribute("x") * scale + e, y = tag.closest("text").getAttribute("y") * scale + f;
    const width = tag.textContent.length * 0.55 * size, left = style.textAnchor === "middle" ? x - width / 2 : x;
    const around = ({box}) => box.left < x && x < box.right && box.top < y && y < box.bottom;
    return {said: tag.textContent, fill: style.fill, size, left, right: left + width, behind: boxes.find(around) ?? page};
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
        box = text["behind"]["box"]
        assert box["left"] <= text["left"] and text["right"] <= box["right"], text["said"]
        assert contrast(text["fill"], text["behind"]["fill"]) >= 4.5, text["said"]
        assert text["size"] >= 11, text["said"]


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
