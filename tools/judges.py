"""What judges a page in a browser: axe its accessibility, faults.js what a person would stumble over, Lighthouse its speed.

``python -m tools.judges [PAGE…]`` prints what Lighthouse gives three pages of the site, or those that are named, on a
desktop and on a telephone. All must get 100, but for performance: it depends on how busy this computer is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mock_server.tokens import redact
from tools.debian import CHROMIUMS, find, missing
from tools.running import PATIENCE, ROOT, project_lock
from tools.static_site import StaticHost, build

TESTS = Path(__file__).parent
RULES = {"target-size": {"enabled": True}}  # what WCAG 2.2 adds, and axe leaves off
JUDGED = ("", "notebooks/04-call-the-api/", "reference/errors/")  # home, a notebook, a page of the reference
WIDTHS = (390, 768, 1280)  # pixels: a telephone, a tablet, a laptop
COLOURS = ("color-contrast", "link-in-text-block", "target-size")  # the rules of axe that look at colours and sizes
EACH_IN_BOTH = (("light", WIDTHS, ()), ("dark", WIDTHS[::-1], ()))
EACH_ONCE = (("light", (390, 1280), ()), ("dark", (768,), COLOURS))  # for many pages of one kind
FAULTS = (TESTS / "faults.js").read_text(encoding="utf-8")
FOLLOWS = """async scheme => {
  for (let frames = 0; frames < 600; frames++) {
    const colours = [document.body, document.documentElement].map(element => getComputedStyle(element).backgroundColor)
    var ground = colours.find(colour => !colour.endsWith(", 0)")) ?? "rgb(255, 255, 255)"
    const [red, green, blue] = ground.match(/[0-9]+/g).map(Number)
    if ((red + green + blue < 384) === (scheme === "dark")) return []
    await new Promise(requestAnimationFrame)
  }
  return [`${scheme}: the ground of the page is ${ground}`]
}"""
# The contents follow the reader: a look at the whole page has moved them, and an entry half below their title is small.
TO_THE_TOP = """async () => {
  for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame)
  for (const box of document.querySelectorAll(".md-sidebar__scrollwrap")) box.scrollTop = 0
}"""
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"


def from_npm(path: str, folder: Path = TESTS) -> Path:
    """Return a file of an npm package, installed at the version of the folder's lock file if need be."""
    file = folder / "node_modules" / path
    with project_lock("npm"):  # two processes may want it
        if not file.exists():
            npm = shutil.which("npm")
            if npm is None:
                missing("SKIPPED: axe, Lighthouse and the hub's proxy come from npm, and npm is not installed. Install Node.js")
            command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return file


@cache
def axe_source() -> str:
    """Return axe, to be run in a page."""
    return from_npm("axe-core/axe.min.js").read_text(encoding="utf-8")


def axe(tab, only: Sequence[str] = ()) -> list[str]:
    """Return what axe finds wrong on the page as it stands: the rule, where, and why. By each rule, or ``only`` by these."""
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(axe_source())
    options = {"rules": RULES, "resultTypes": ["violations"], **({"runOnly": only} if only else {})}
    found = tab.evaluate("options => axe.run(document, options)", options)
    return [
        redact(f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}")
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def faults(tab) -> list[str]:
    """Return what a person would stumble over on the page as it stands, in a window or on paper.

    That is what is cut off, covered, broken, disabled or too wide.
    """
    tab.wait_for_load_state()
    return [redact(fault) for fault in tab.evaluate(FAULTS)]


def judged(tab, main, ours: bool = True, looks=EACH_IN_BOTH) -> list[str]:
    """Return what is wrong with a page in each scheme, at its widths: its faults and, if it is ours, what axe finds.

    ``main`` is what a person opens the page for. Raises Playwright's TimeoutError if it can't be clicked.
    """
    tab.wait_for_load_state()
    found = []
    for scheme, widths, rules in looks:
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += tab.evaluate(FOLLOWS, scheme)
        for width in widths:
            tab.set_viewport_size({"width": width, "height": 844})
            main.click(trial=True)
            found += [f"{scheme}, {width} pixels: {fault}" for fault in faults(tab)]
        tab.evaluate(TO_THE_TOP)
        found += axe(tab, rules) if ours else []
    return found


def lighthouse(url: str, device: str, chromium: str) -> dict[str, int]:
    """Return what Lighthouse gives a page of 100 for each category, on a ``desktop`` or a slower ``mobile``."""
    command = ["node", str(from_npm("lighthouse/cli/index.js", TESTS / "lighthouse")), url, "--quiet", "--output=json"]
    command += [f"--chrome-flags={FLAGS}", *(["--preset=desktop"] if device == "desktop" else [])]
    done = subprocess.run(command, env={**os.environ, "CHROME_PATH": chromium}, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return {name: round(100 * found["score"]) for name, found in json.loads(done.stdout)["categories"].items()}


def main(*pages: str) -> int:
    """Judge pages of a site that knows its address, and print a row for each. Return 1 if one must be fixed."""
    pages = pages or JUDGED
    chromium, below = find(*CHROMIUMS), 0
    if not chromium or not shutil.which("npm"):
        print("Not judged. It needs npm and Chromium. Install them.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, StaticHost(Path(folder)) as host:
        built = build(ROOT, Path(folder), SITE_URL=host.url)
        if built.returncode:
            print(built.stderr, file=sys.stderr)
            return 1
        for page in pages:
            for device in ("desktop", "mobile"):
                given = lighthouse(host.url + page, device, chromium)
                print(f"{page or 'home':28}{device:10}{given}", flush=True)
                below += any(score < 100 for category, score in given.items() if category != "performance")
    print(f"To be fixed: {below} of {2 * len(pages)}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
