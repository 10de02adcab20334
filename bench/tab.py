"""Measure what the course in a browser weighs and how long it takes, beside a bare JupyterLite: ``python -m bench.tab``."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Request, TimeoutError, sync_playwright

from bench.process import CannotMeasure
from bench.report import Figure, Target, circumstances, divide, spread, table, verdicts
from bench.rounds import show
from browser.build import BUILD, KERNEL_EXTENSION, LAB, LEFT_OUT, PYODIDE, PYTHON, BuildError, build, run
from tools import debian, static_site
from tools.running import PATIENCE, ROOT
from tools.static_site import TAB, StaticHost

FIRST = "notebooks/01-start-here.ipynb"
KERNEL_STATUS = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
PAGE, OURS, BARE = "the course, on a page", "the course, in JupyterLite", "bare JupyterLite"
NOTES = """\
Median (lowest..highest). A cold visit is the first one of a browser, a warm one the next of the same browser.
Seconds run from the address to what the first code cell shows, on a page from the press of Run. Megabytes are what came
over the wire in that time, compressed. The course opens its first notebook, with the mock server started and `requests`
imported. The bare JupyterLite has the same Pyodide and the same app, its own settings, and the completion of names that the
course leaves out; its notebook has one cell that prints a word. All come from the same host, below a path, on this computer."""


def main() -> int:
    """Measure and print. Return 0, or 1 if something could not be measured."""
    options = parse()
    busy = os.getloadavg()[0]
    chromium = debian.find(*debian.CHROMIUMS)
    try:
        if not chromium or not shutil.which("npm"):
            raise CannotMeasure("It needs npm and Chromium. Install them.")
        show("building both")
        with tempfile.TemporaryDirectory(prefix="bench-tab-") as folder:
            site = Path(folder, "site")
            with TAB:
                build()
                make_bare(site / "bare")
            if (made := static_site.build(ROOT, site / "course")).returncode:
                raise CannotMeasure(f"The site could not be built. {made.stderr}")
            seconds, megabytes = measure(site, chromium, options.rounds)
    except (CannotMeasure, BuildError) as error:
        show("")
        print(f"Not measured. {error}", file=sys.stderr)
        return 1
    rows = [["", "cold, s", "warm, s", "cold, MB", "warm, MB"]]
    for name in (PAGE, OURS, BARE):
        rows.append([name, *(spread(found[visit, name]) for found in (seconds, megabytes) for visit in ("cold", "warm"))])
    print(table(rows))
    print("\n" + verdicts(figures(seconds, megabytes)))
    print(f"\n{NOTES}\n{circumstances(options.rounds, busy, [])}")
    return 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.tab",
        description="Measure the course in a browser tab beside a bare JupyterLite.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is visited, cold and warm")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


def make_bare(lab: Path) -> None:
    """Write a JupyterLite with nothing of ours: its own settings, and the package that the course leaves out."""
    shutil.copytree(LAB, lab, ignore=shutil.ignore_patterns("files"))
    pyodide = lab / "static" / "pyodide"
    name, version = LEFT_OUT
    downloaded = lab / "downloaded"
    run(PYTHON, "-m", "pip", "download", "-d", downloaded, "--only-binary", ":all:", f"{name}=={version}")
    wheels = []
    for folder in [path for path in pyodide.iterdir() if path.is_dir()]:
        for wheel in folder.glob("*.whl"):
            if wheel.name.startswith((f"{name}-", "linked_is")):
                shutil.rmtree(folder)
            else:
                wheels.append(wheel)
    for wheel in downloaded.glob("*.whl"):
        (pyodide / "added").mkdir(exist_ok=True)
        wheels.append(Path(shutil.move(wheel, pyodide / "added")))
    run(PYTHON, BUILD.parent / "lock.py", PYODIDE / "pyodide-lock.json", pyodide, *wheels)
    settings = json.loads((lab / "jupyter-lite.json").read_text(encoding="utf-8"))
    kernel = settings["jupyter-config-data"]["litePluginSettings"][f"{KERNEL_EXTENSION}:kernel"]
    kernel["pyodideUrl"] = "./static/pyodide/pyodide.mjs"
    kernel["loadPyodideOptions"] = {"lockFileURL": "./static/pyodide/pyodide-lock.json?v=bare"}
    settings["jupyter-config-data"]["contentsStorageName"] = "bare"
    (lab / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    cell: dict[str, Any] = {"cell_type": "code", "id": "hello", "metadata": {}, "source": "print('hello')", "outputs": []}
    kernel_of_it = {"kernelspec": {"name": "python", "display_name": "Python (Pyodide)"}}
    notebook = {"cells": [{**cell, "execution_count": None}], "metadata": kernel_of_it, "nbformat": 4, "nbformat_minor": 5}
    first = lab / "files" / FIRST
    first.parent.mkdir(parents=True)
    first.write_text(json.dumps(notebook), encoding="utf-8")


Measured = dict[tuple[str, str], list[float]]  # cold or warm, which → each round


def measure(site: Path, chromium: str, rounds: int) -> tuple[Measured, Measured]:
    """Visit both, cold and warm, round after round; return seconds and megabytes. Raises CannotMeasure."""
    seconds: Measured = {}
    megabytes: Measured = {}
    with StaticHost(site) as host, sync_playwright() as playwright:
        for number in range(rounds):
            for name, where in {PAGE: "course/notebooks/01-start-here/", OURS: "course/lab/", BARE: "bare/"}.items():
                with tempfile.TemporaryDirectory(prefix="bench-tab-", ignore_cleanup_errors=True) as profile:
                    show(f"round {number + 1} of {rounds}: {name}")
                    browser = playwright.chromium.launch_persistent_context(
                        profile, executable_path=chromium, args=debian.CHROMIUM_OPTIONS
                    )
                    for state in ("cold", "warm"):
                        took, weighed = visit(browser, name, host.url + where)
                        seconds.setdefault((state, name), []).append(took)
                        megabytes.setdefault((state, name), []).append(weighed)
                    browser.close()
    show("")
    return seconds, megabytes


def visit(browser: BrowserContext, name: str, address: str) -> tuple[float, float]:
    """Run the first code cell at an address; return seconds and megabytes until it has shown something. Raises CannotMeasure."""
    finished: list[Request] = []

    def note(request: Request) -> None:
        finished.append(request)

    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    if name == PAGE:  # A reader reads it first.
        page.goto(address, wait_until="networkidle")
    browser.on("requestfinished", note)
    begun = time.perf_counter()
    if name == PAGE:
        run_on_page(page)
    else:
        run_in_lab(page, address)
    took = time.perf_counter() - begun
    browser.remove_listener("requestfinished", note)
    weighed = sum(max(0, request.sizes()["responseBodySize"]) for request in finished) / 1e6
    page.close()
    return took, weighed


def run_on_page(page: Page) -> None:
    """Press Run below the first cell of a page and wait until it has run. Raises CannotMeasure."""
    page.get_by_role("button", name="Run cell 1", exact=True).click()
    try:
        page.wait_for_function("document.querySelector('.run-bar').textContent.includes('Your output, just now.')")
    except TimeoutError:
        said = page.locator(".run-bar").first.inner_text()
        raise CannotMeasure(f"After {PATIENCE} s the page at {page.url} said {said}.") from None


def run_in_lab(page: Page, lab: str) -> None:
    """Open the first notebook in JupyterLite and run its first code cell. Raises CannotMeasure."""
    page.goto(f"{lab}notebooks/index.html?path={FIRST}")
    try:
        page.wait_for_function(f"{KERNEL_STATUS} === 'idle'")
    except TimeoutError:
        raise CannotMeasure(f"After {PATIENCE} s the kernel at {lab} was {page.evaluate(KERNEL_STATUS)}, not idle.") from None
    shown = page.evaluate(
        """async () => {
            const { commands, shell } = window.jupyterapp;
            const { content } = shell.currentWidget;
            content.activeCellIndex = content.widgets.findIndex(one => one.model.type === "code");
            await commands.execute("notebook:run-cell");
            return JSON.stringify(content.activeCell.model.outputs.toJSON());
        }"""
    )
    if not re.search(r'"stream"|"text/plain"', shown) or '"error"' in shown:
        raise CannotMeasure(f"The first cell at {lab} showed {shown[:500]}.")


def figures(seconds: Measured, megabytes: Measured) -> list[Figure]:
    """Return what must hold."""
    return [
        Figure(f"{PAGE} / {BARE}, cold", divide(seconds["cold", PAGE], seconds["cold", BARE]), Target("<=", 0.5)),
        Figure(f"{PAGE} / {BARE}, warm", divide(seconds["warm", PAGE], seconds["warm", BARE]), Target("<=", 0.25)),
        Figure(f"{PAGE}, warm", seconds["warm", PAGE], Target("<=", 3), " s"),
        Figure(f"{OURS} / {BARE}, cold", divide(seconds["cold", OURS], seconds["cold", BARE]), Target("<=", 1)),
        Figure(f"{OURS} / {BARE}, warm", divide(seconds["warm", OURS], seconds["warm", BARE]), Target("<=", 0.5)),
        Figure(f"{PAGE}, cold", megabytes["cold", PAGE], Target("<=", 19), " MB"),
        Figure(f"{OURS}, cold", megabytes["cold", OURS], Target("<=", 21), " MB"),
        Figure(f"{OURS}, warm", megabytes["warm", OURS], Target("<=", 0.01), " MB"),
    ]


if __name__ == "__main__":
    sys.exit(main())
