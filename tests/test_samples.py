"""Every sample of the site is run, and prints what the site says."""

import os
import subprocess
import sys

from tests.running import ROOT, learner_environment

SAMPLES = ROOT / "docs" / "samples"


def run(token, base_url):
    environment = {**os.environ, **learner_environment(base_url, token)}
    command = [sys.executable, str(SAMPLES / "first_call.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True).stdout


def test_the_first_call_prints_what_the_quickstart_shows(page, server):
    token = page.generate_token(name="Quickstart")
    assert run(token, server.base_url) == (SAMPLES / "first_call.txt").read_text(encoding="utf-8")
    page.revoke("Quickstart")
    assert run(token, server.base_url) == "401 Unauthorized\nINVALID_TOKEN - The provided API token is invalid\n"
