"""A class in a room: the instructor's computer and a learner's, two networks joined by a cable, all made by this test.

Over plain HTTP, to another computer, a browser behaves unlike on its own: no test on 127.0.0.1 can replace this one.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass

import nbformat
import pytest
from bs4 import BeautifulSoup

from mock_server.classroom import course
from tools import debian
from tools.running import NOTEBOOKS, PATIENCE, ROOT, MockServer

pytestmark = pytest.mark.long

CODE = "blue-whale"
CROWD = 20
INSTRUCTOR, LEARNER = "192.0.2.1", "192.0.2.2"  # addresses for examples: they lead nowhere from any other network

# As a learner would meet the class, but CROWD of them at the same moment. Prints what each of them saw.
TOGETHER = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
import requests
from mock_server.settings_page import SettingsPage

base_url, crowd = sys.argv[1], int(sys.argv[2])
all_here = threading.Barrier(crowd)

def learn(number):
    page = SettingsPage(base_url)
    all_here.wait()
    page.sign_up()
    token = page.generate_token(name=f"Learner {number}")
    call = lambda: requests.get(f"{base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=300).status_code
    before = call()
    page.revoke(f"Learner {number}")
    return [before, call(), [(row.name, row.state) for row in page.tokens()]]

with ThreadPoolExecutor(crowd) as pool:
    print(json.dumps(list(pool.map(learn, range(crowd)))))
"""
ASK = """
import sys, requests
answer = requests.get(sys.argv[1], timeout=300)
print(answer.status_code, answer.text)
"""
RUN = """
import sys
from pathlib import Path
import nbformat
from tools.running import run_notebook
nbformat.write(run_notebook(Path(sys.argv[1]), {}), sys.argv[2])
"""


@dataclass
class Computer:
    """A computer with a network of its own. ``inside`` is the command that starts another one there."""

    name: str

    @property
    def inside(self):
        return ("ip", "netns", "exec", self.name)

    def python(self, program, *arguments, **environment):
        """Run a program there, and return what it printed."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LINKED_IS_")}
        command = [*self.inside, sys.executable, "-c", program, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout


def ip(command):
    """Run a command of iproute2. Raises CalledProcessError."""
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def room():
    """The instructor's computer and a learner's, joined by a cable. There is no way out of the room."""
    teacher, learner = (Computer(f"{name}-{os.getpid()}") for name in ("instructor", "learner"))
    try:
        join(teacher, learner)
    except (OSError, subprocess.CalledProcessError) as error:
        part(teacher, learner)
        message = "A CLASS OVER A NETWORK SKIPPED: to make two networks it needs Linux, root and iproute2. "
        debian.missing(message + (getattr(error, "stderr", "") or str(error)))
    yield teacher, learner
    part(teacher, learner)


def join(teacher, learner):
    """Make two networks and the cable between them. Raises OSError, CalledProcessError."""
    ip(f"netns add {teacher.name}")
    ip(f"netns add {learner.name}")
    ip(f"-n {teacher.name} link add cable type veth peer name cable netns {learner.name}")
    for computer, address in ((teacher, INSTRUCTOR), (learner, LEARNER)):
        ip(f"-n {computer.name} address add {address}/24 dev cable")
        ip(f"-n {computer.name} link set cable up")
        ip(f"-n {computer.name} link set lo up")


def part(*computers):
    """Take the networks away, and the cable with them."""
    for computer in computers:
        with suppress(OSError, subprocess.CalledProcessError):
            ip(f"netns delete {computer.name}")


@pytest.fixture(scope="module")
def class_server(room):
    """The mock server of the class, on the instructor's computer. ``address`` is what stands on the wall."""
    with MockServer("--host", "0.0.0.0", "--class", CODE, inside=room[0].inside) as server:
        server.address = server.origin.replace("0.0.0.0", INSTRUCTOR)
        yield server


@pytest.fixture(scope="module")
def tab(room, class_server, playwright, chromium_path, tmp_path_factory):
    """A tab of a real Chromium on the learner's computer."""
    program = tmp_path_factory.mktemp("learner") / "chromium"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([*room[1].inside, chromium_path])} "$@"\n')
    program.chmod(0o755)
    chromium = playwright.chromium.launch(executable_path=program, args=debian.CHROMIUM_OPTIONS)
    yield chromium.new_page(base_url=class_server.address)
    chromium.close()


def board(room, class_server):
    """Return the rows of the board by name, as the instructor sees it."""
    status, _, page = room[0].python(ASK, f"{class_server.origin.replace('0.0.0.0', '127.0.0.1')}/_mock/class").partition(" ")
    assert status == "200" and not re.search(r"lis_mock_\w", page)
    rows = BeautifulSoup(page, "html.parser").select("#learners tbody tr")
    cells = [{cell["data-label"]: cell.get_text(" ", strip=True) for cell in row.select("[data-label]")} for row in rows]
    return {row["Learner"]: row for row in cells}


def sign_up(tab, email, code):
    tab.goto("/signup")
    tab.get_by_label("E-mail address").fill(email)
    tab.get_by_label("Password").fill("a password for practice")
    tab.get_by_label("Class code").fill(code)
    tab.get_by_label("Your name").fill(email.partition("@")[0])
    tab.get_by_role("button", name="Sign up").click()


def status_of(room, class_server, token):
    """Call the API from the learner's computer, and return the status."""
    headers = json.dumps({"Authorization": f"Bearer {token}"})
    program = "import sys, json, requests; print(requests.get(sys.argv[1], headers=json.loads(sys.stdin.read()), timeout=300).status_code)"
    command = [*room[1].inside, sys.executable, "-c", program, f"{class_server.address}/v1/links"]
    return int(subprocess.run(command, input=headers, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout)


def test_a_learner_signs_up_generates_uses_and_revokes_in_a_browser(room, class_server, tab):
    sign_up(tab, "ada@example.com", CODE)
    tab.get_by_label("Name").fill("By hand")
    tab.get_by_role("button", name="Generate New Token").click()
    token = tab.locator("#token").inner_text()
    tab.get_by_role("button", name="Copy").click()
    tab.get_by_role("button", name="Press Ctrl+C").wait_for()  # over plain HTTP no button may copy
    assert tab.evaluate("getSelection().toString()").strip() == token
    assert status_of(room, class_server, token) == 200
    assert "ada" in board(room, class_server)
    tab.goto("/settings/api")
    tab.get_by_role("link", name="Revoke By hand").click()
    tab.get_by_role("button", name="Revoke").click()
    assert tab.get_by_role("row", name="By hand").locator(".state").inner_text() == "revoked"
    assert status_of(room, class_server, token) == 401


def test_a_wrong_class_code_is_refused_with_a_sentence(room, class_server, tab):
    tab.context.clear_cookies()
    sign_up(tab, "eve@example.com", "red-whale")
    assert tab.get_by_role("alert").inner_text() == "This is not the class code. Ask your instructor for it."
    assert "eve" not in board(room, class_server)


def test_the_board_is_out_of_a_learners_reach(room, class_server, tab):
    assert tab.goto("/_mock/class").status == 403
    assert "example.com" not in tab.content()
    assert room[1].python(ASK, f"{class_server.address}/_mock/class").startswith("403 ")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_against_the_class(room, class_server, tmp_path, notebook):
    run = tmp_path / "run.ipynb"
    settings = {"LINKED_IS_BASE_URL": f"{class_server.address}/v1", "LINKED_IS_API_TOKEN": "", "LINKED_IS_CLASS_CODE": CODE}
    settings["LINKED_IS_LEARNER"] = "ada"  # who was the first at this address: calls without a token are hers too
    room[1].python(RUN, notebook, run, **settings)
    for before, after in zip(nbformat.read(notebook, 4).cells, nbformat.read(run, 4).cells, strict=True):
        assert before.get("outputs") == after.get("outputs")
    # The board follows a learner who does what the lesson says to its last step, and sees no trouble.
    seen = board(room, class_server)["ada"]
    by_hand = nbformat.read(notebook, 4).metadata.linked_is.get("by_hand")  # nobody does that here
    is_last = by_hand or course()[notebook.stem].steps[-1].heading in seen["Lesson and step"]
    assert seen["State"].startswith("last") and is_last, seen


def test_twenty_learners_at_once(room, class_server):
    settings = {"LINKED_IS_CLASS_CODE": CODE, "LINKED_IS_LEARNER": "Crowd"}
    learners = json.loads(room[1].python(TOGETHER, f"{class_server.address}/v1", CROWD, **settings))
    assert learners == [[200, 401, [[f"Learner {number}", "revoked"]]] for number in range(CROWD)]
    assert board(room, class_server)["Crowd"]["Generated"] == str(CROWD)
