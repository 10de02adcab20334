"""The screenshots of Settings > API, taken from the page of a running mock server, and the pictures of the kit itself.

``python -m tools.screenshots`` takes all of them. Each PNG holds as its description what it shows: roles, names and
texts. The tests open the page again and compare that, and look for the page's colours among the pixels. They don't
compare all pixels: fonts differ between computers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Locator, sync_playwright

from mock_server.settings_page import SettingsPage
from mock_server.tokens import PREFIX
from tools import debian
from tools.running import PATIENCE, ROOT, MockServer

ASSETS = ROOT / "docs" / "assets"
FOLDER = ASSETS / "screenshots"
PLACEHOLDER = "(your token: hidden in this picture)"
ICON = ROOT / "mock_server" / "web" / "static" / "icon.svg"
NARROW, WIDE = 520, 760  # pixels: readable on a phone; enough for a table
SCALE = 2  # sharp on a phone, and when enlarged
PALETTE = 128  # colours: a page of text and boxes needs no more, and takes a third of the bytes
HIDE_TOKEN = "(code, placeholder) => { const token = code.textContent; code.textContent = placeholder; return token; }"
TRANSPARENT = "rgba(0, 0, 0, 0)"
# Of text there may be no pixel in its full colour: that is up to the font.
COLOURS = """piece => [piece, ...piece.querySelectorAll("*")].filter(tag => tag.getClientRects().length).flatMap(tag => {
  const style = getComputedStyle(tag);
  return [style.backgroundColor, ...(style.borderBottomWidth === "0px" ? [] : [style.borderBottomColor])];
})"""


@dataclass(frozen=True)
class Screenshot:
    """A piece of the page, as it stands in the browser at this moment.

    ``content`` says its roles, names and texts. ``colours`` are those of its background, which comes first, of its boxes and
    of its borders: red, green and blue, from 0 to 255.
    """

    name: str
    piece: Locator
    content: str
    colours: list[tuple[int, ...]]

    def save(self, folder: Path) -> None:
        """Take the picture and write the file ``name`` into the folder."""
        save(self.piece.screenshot(), folder / self.name, self.content)


def screenshots(browser: Browser, base_url: str) -> Iterator[Screenshot]:
    """Use Settings > API of a mock server as a learner does, and yield all that is worth a picture, light and dark.

    In a picture, PLACEHOLDER takes the place of the new token. Raises RuntimeError for a page that shows a token, or that came
    without its style sheet.
    """
    learner = SettingsPage(base_url)
    with browser.new_context(base_url=learner.origin, device_scale_factor=SCALE) as context:
        tab = context.new_page()

        def both(name: str, selector: str, width: int = NARROW) -> Iterator[Screenshot]:
            tab.set_viewport_size({"width": width, "height": 1200})
            piece = tab.locator(selector)
            piece.wait_for()
            tab.wait_for_load_state()  # of the page that has it: style sheet and script, which shows the Copy button
            content = re.sub(r"\n *- /url:.*", "", piece.aria_snapshot())  # nobody sees the addresses
            if PREFIX in content:
                raise RuntimeError(f"A token would get into the picture “{name}”.")
            for scheme, ending in (("light", ".png"), ("dark", "-dark.png")):
                tab.emulate_media(color_scheme=scheme)
                painted = piece.evaluate(COLOURS)
                if painted[0] == TRANSPARENT:
                    raise RuntimeError(f"Settings > API came without its style sheet to “{name}”. Look at the link in base.html.")
                colours = [tuple(map(int, re.findall(r"\d+", colour))) for colour in painted if colour != TRANSPARENT]
                yield Screenshot(name + ending, piece, content, colours)

        def set_clock(**change: object) -> None:
            learner.session.post(f"{learner.origin}/_mock/clock", json=change, timeout=PATIENCE).raise_for_status()

        tab.goto("/signup")
        yield from both("sign-up", ".card:has(#sign-up)")
        learner.sign_up()
        cookies = learner.session.cookies.items()
        context.add_cookies([{"name": name, "value": value, "url": learner.origin} for name, value in cookies])
        set_clock(freeze=True)
        set_clock(set="2026-03-02T09:00")
        tab.goto("/settings/api")
        yield from both("generate", ".card:has(#generate-token)")
        learner.generate_token("First try", "1 hour")
        learner.generate_token("Old laptop")
        learner.revoke("Old laptop")
        set_clock(set="2026-03-09T16:20")
        tab.get_by_label("Name").fill("My notebook")
        tab.get_by_label("Expires after").select_option("30 days")
        tab.get_by_role("button", name="Generate New Token").click()
        token = tab.locator("#token").evaluate(HIDE_TOKEN, PLACEHOLDER)
        yield from both("shown-once", "#new-token")
        set_clock(set="2026-03-09T16:25")
        requests.get(f"{base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE).raise_for_status()
        tab.goto("/settings/api")
        yield from both("list", ".card:has(#tokens)", WIDE)
        tab.get_by_role("link", name="Revoke My notebook").click()
        yield from both("revoke", ".card:has(#revoke)")


def save(png: bytes, path: Path, content: str) -> None:
    """Write a picture, with what it shows as its description."""
    note = PngInfo()
    note.add_itxt("Description", content)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(PALETTE, dither=Image.Dither.NONE).save(path, optimize=True, pnginfo=note)


def pictures_of_the_kit(browser: Browser) -> Iterator[tuple[str, bytes, str]]:
    """Yield name, PNG and text of the picture that chats show beside a link, and of the icon for the screen of a telephone."""
    with browser.new_context(viewport={"width": 1200, "height": 630}, color_scheme="light") as context:
        tab = context.new_page()
        tab.goto((ROOT / "tools" / "social_picture.html").as_uri())
        yield "social.png", tab.screenshot(), tab.locator("body").inner_text()
        tab.set_viewport_size({"width": 180, "height": 180})
        tab.goto(ICON.as_uri())
        tab.evaluate("document.documentElement.style.background = document.querySelector('rect').getAttribute('fill')")
        yield "touch-icon.png", tab.screenshot(), ICON.read_text(encoding="utf-8")


def main() -> None:
    """Take all pictures, and take away what is none of the screenshots."""
    FOLDER.mkdir(exist_ok=True)
    old = {path.name for path in FOLDER.iterdir()}
    with sync_playwright() as playwright, MockServer() as server:
        browser = playwright.chromium.launch(executable_path=debian.find(*debian.CHROMIUMS), args=debian.CHROMIUM_OPTIONS)
        for one in screenshots(browser, server.base_url):
            print(f"Taking {one.name}")
            one.save(FOLDER)
            old.discard(one.name)
        for name, png, content in pictures_of_the_kit(browser):
            save(png, ASSETS / name, content)
        browser.close()
    for name in old:
        (FOLDER / name).unlink()


if __name__ == "__main__":
    main()
