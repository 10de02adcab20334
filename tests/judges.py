"""Programs from npm that judge a page in a browser: axe its accessibility, Lighthouse also its speed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
RULES = {"target-size": {"enabled": True}}  # what WCAG 2.2 adds, and axe leaves off
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"


def from_npm(path: str, *options: str) -> Path:
    """Return a file of an npm package, installed at the version of the lock file if need be."""
    file = TESTS / "node_modules" / path
    if not file.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("axe and Lighthouse come from npm, and npm is not installed. Install Node.js.")
        command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", *options]
        subprocess.run(command, cwd=TESTS, check=True, stdout=subprocess.DEVNULL)
    return file


@cache
def axe_source() -> str:
    """Return axe, to be run in a page."""
    return from_npm("axe-core/axe.min.js", "--omit=optional").read_text(encoding="utf-8")


def axe(tab) -> list[str]:
    """Return what axe finds wrong on the page as it stands: the rule, where, and why."""
    tab.evaluate(axe_source())
    found = tab.evaluate("rules => axe.run(document, {rules, resultTypes: ['violations']})", RULES)
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def lighthouse(url: str, device: str, chromium: str) -> dict:
    """Return Lighthouse's report on a page, on a ``desktop`` or a slower ``mobile``."""
    command = ["node", str(from_npm("lighthouse/cli/index.js")), url, "--quiet", "--output=json"]
    command += [f"--chrome-flags={FLAGS}", *(["--preset=desktop"] if device == "desktop" else [])]
    done = subprocess.run(command, env={**os.environ, "CHROME_PATH": chromium}, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
