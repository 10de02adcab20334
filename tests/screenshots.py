"""The screenshots of Settings > API, made from the page as it is now.

``python -m tests.screenshots`` makes those that are missing or old, and takes away what is none of them. Each keeps
inside of its PNG the fingerprint of what it shows, so that the tests tell an old one without a browser. They don't
compare pixels: fonts differ between computers.

No token gets into a browser here: PLACEHOLDER takes its place in the HTML before.
"""

from __future__ import annotations

import hashlib
import io
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Route, sync_playwright
from starlette.testclient import TestClient

from conftest import CHROMIUM_OPTIONS
from mock_server.app import create_app
from mock_server.clock import Clock, parse_iso
from mock_server.database import Database
from mock_server.store import Store
from mock_server.tokens import PREFIX
from tests import debian
from tests.running import ROOT

FOLDER = ROOT / "docs" / "assets" / "screenshots"
ORIGIN = "http://127.0.0.1:8787"
PLACEHOLDER = "(your token: hidden in this picture)"
NARROW, WIDE = 520, 760  # pixels: readable on a phone; enough for a table
SCALE = 2  # sharp on a phone, and when enlarged
COLOURS = 128  # a page of text and boxes needs no more, and takes a third of the bytes


@dataclass(frozen=True)
class Page:
    """The page at one moment: its HTML, and by path the files that it loads."""

    html: str
    files: dict[str, str]


@dataclass(frozen=True)
class Screenshot:
    """A piece of a page, ``selector`` (CSS), in a window ``width`` pixels wide, and ``light`` or ``dark``."""

    name: str
    page: Page
    selector: str
    width: int
    scheme: str

    @property
    def path(self) -> Path:
        """Return where it is kept."""
        return FOLDER / (f"{self.name}.png" if self.scheme == "light" else f"{self.name}-dark.png")

    @property
    def fingerprint(self) -> str:
        """Say in 64 hex digits what it shows, and how it is made."""
        shown = repr((self.page, self.selector, self.width, self.scheme, SCALE, COLOURS))
        return hashlib.sha256(shown.encode()).hexdigest()

    def is_current(self) -> bool:
        """Tell whether the file shows the page as it is now."""
        if not self.path.exists():
            return False
        with Image.open(self.path) as picture:
            return picture.info.get("fingerprint") == self.fingerprint

    def make(self, browser: Browser) -> None:
        """Open the page, take the picture and write the file."""

        def answer(route: Route) -> None:
            path = urlsplit(route.request.url).path
            media_type = mimetypes.guess_type(path)[0] or "text/html"
            route.fulfill(body=self.page.files.get(path, self.page.html), content_type=f"{media_type}; charset=utf-8")

        window = {"width": self.width, "height": 600}
        context = browser.new_context(viewport=window, device_scale_factor=SCALE, color_scheme=self.scheme)
        context.route("**/*", answer)
        tab = context.new_page()
        tab.goto(ORIGIN)
        png = tab.locator(self.selector).screenshot()
        context.close()
        note = PngInfo()
        note.add_text("fingerprint", self.fingerprint)
        picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        picture.save(self.path, optimize=True, pnginfo=note)


def screenshots() -> list[Screenshot]:
    """Return all that there should be, of the page as it is now."""
    return [Screenshot(*piece, scheme) for piece in pieces() for scheme in ("light", "dark")]


def pieces() -> Iterator[tuple[str, Page, str, int]]:
    """Use Settings > API as a learner does. Yield what is worth a picture: name, page, selector and width."""
    clock = Clock()
    client = TestClient(create_app(Store(Database(":memory:"), clock)), base_url=ORIGIN, client=("127.0.0.1", 50000))

    def get(path: str) -> str:
        return client.get(path).raise_for_status().text

    def submit(path: str, form_on: str, **fields: str) -> str:
        form_token = re.search('name="form_token" value="(.+?)"', get(form_on))[1]
        return client.post(path, data={"form_token": form_token, **fields}).raise_for_status().text

    def generate(name: str, lifetime: str) -> str:
        return submit("/settings/api/tokens", "/settings/api", name=name, lifetime=lifetime)

    def page(html: str) -> Page:
        html = re.sub('(?<=name="form_token" value=")[^"]+', "", html)  # new each time
        html = re.sub(rf"{PREFIX}\w+", PLACEHOLDER, html)
        return Page(html, {path: get(path) for path in re.findall(r'"(/static/[^"]+)"', html)})

    clock.set(0, parse_iso("2026-03-02T09:00"))
    yield "sign-up", page(get("/signup")), ".card", NARROW
    submit("/signup", "/signup", email="you@example.com", password="a password for practice")
    yield "generate", page(get("/settings/api")), ".card:has(#generate-token)", NARROW
    generate("First try", "1 hour")
    generate("Old laptop", "never")
    submit("/settings/api/tokens/2/revoke", "/settings/api/tokens/2/revoke")
    clock.set(0, parse_iso("2026-03-09T16:20"))
    shown = generate("My notebook", "30 days")
    yield "shown-once", page(shown), "#new-token", NARROW
    token = re.search(rf"{PREFIX}\w+", shown)[0]
    clock.set(0, parse_iso("2026-03-09T16:25"))
    client.get("/v1/links", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    yield "list", page(get("/settings/api")), ".card:has(#tokens)", WIDE
    yield "revoke", page(get("/settings/api/tokens/3/revoke")), ".card", NARROW


def main() -> None:
    """Make the screenshots that are missing or old."""
    wanted = screenshots()
    FOLDER.mkdir(exist_ok=True)
    for path in {*FOLDER.iterdir()} - {one.path for one in wanted}:
        path.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=debian.first(*debian.CHROMIUMS), args=CHROMIUM_OPTIONS)
        for one in wanted:
            if not one.is_current():
                print(f"Making {one.path.relative_to(ROOT)}")
                one.make(browser)
        browser.close()


if __name__ == "__main__":
    main()
