"""Every file in docs/samples is run against the mock server, and prints what the page beside it shows.

A new file there is a new case of the first test. A page shows a request by including a sample. Before it, in the same
tab, the page may have the few lines that matter: they are run as well.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import dedent

import pytest
import requests

from tools.debian import need
from tools.leaks import assert_without
from tools.running import PATIENCE, ROOT, learner_environment

SAMPLES = ROOT / "docs" / "samples"
MISTAKE = SAMPLES / "browser_mistake.vue"
SERVER_SIDE = SAMPLES / "server_side.mjs"
TABS = {".py": "Python", ".sh": "curl", ".mjs": "JavaScript"}
RUN_BY_ITSELF = sorted(
    {path for path in SAMPLES.iterdir() if path.is_file()} - set(SAMPLES.glob("*.txt")) - {MISTAKE, SERVER_SIDE}
)
RETRY_AFTER = sorted(SAMPLES.glob("retry_after.[!t]*"))
FIRST_CALLS = [SAMPLES / f"first_call{suffix}" for suffix in TABS]
REASONS = "The reasons: docs/reference/why-a-token-stops-working.md\n"
# The cheat sheet has fragments only; test_workshop.py runs them.
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "workshop" / "cheat-sheet.md"})


# The waits of these take seconds in any language. The long suite tries all of them.
ONCE = [path for path in RUN_BY_ITSELF if path not in RETRY_AFTER or path.suffix == ".py"]


def each(paths, quick=None):
    """Make a test's cases of paths. Those that are not ``quick`` take long together."""
    marks = {path: [] if quick is None or path in quick else [pytest.mark.long] for path in paths}
    return pytest.mark.parametrize("path", [pytest.param(path, marks=marks[path], id=path.name) for path in paths])


def command(path):
    """Return what runs a sample."""
    if path.suffix == ".py":
        return [sys.executable, str(path)]
    if path.suffix == ".sh":
        if os.name == "nt":
            pytest.skip("SAMPLES SKIPPED: on Windows, bash may be that of another system")
        need("bash", "curl", "jq")
        return ["bash", str(path)]
    if path.suffix == ".mjs":
        need("node")
        return ["node", str(path)]
    pytest.fail(f"No test runs {path.name}")


def run(path, token, base_url, by=None, **variables):
    """Run a sample to its end, ``by`` another command if need be. Return its exit code, what it printed, and its complaints."""
    environment = {**os.environ, **learner_environment(base_url, token), **variables}
    ended = subprocess.run([*by, str(path)] if by else command(path), env=environment, capture_output=True, timeout=PATIENCE)
    output, complaints = decoded(ended.stdout), decoded(ended.stderr)
    assert_without(token, output + complaints)
    return ended.returncode, output, complaints


def decoded(printed):
    """Decode bytes: text mode would hide a carriage return, which is right on Windows only."""
    return printed.decode().replace("\r\n", "\n") if os.name == "nt" else printed.decode()


def expected(path):
    return path.with_suffix(".txt").read_text(encoding="utf-8")


def no_answer(base_url):
    return 1, "", f"No answer from {base_url}/links. Start the mock server, or correct .env.\n"


def set_fault(server, token, **fault):
    headers = {"Authorization": f"Bearer {token}"}
    requests.post(f"{server.origin}/_mock/faults", headers=headers, json=fault, timeout=PATIENCE).raise_for_status()


def calls_of(server, token):
    """Return the account's calls of the API as the mock server noted them, the first one first."""
    answer = requests.get(f"{server.origin}/_mock/requests", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
    return [(call["method"], call["status"]) for call in reversed(answer.json()["data"]["requests"])]


# Run


@each(RUN_BY_ITSELF, quick=ONCE)
def test_a_sample_prints_what_its_page_shows(path, page, server):
    token = page.generate_token()
    if path.stem == "retry_after":
        set_fault(server, token, fault="429", seconds=1, header="none")
    needs_none = path.stem == "read_errors"
    assert run(path, "" if needs_none else token, server.base_url) == (0, expected(path), "")


@pytest.mark.check
def test_every_sample_is_there_in_every_language():
    names = {path.stem for path in SAMPLES.glob("*.txt")}
    assert {path.name for path in RUN_BY_ITSELF} == {f"{name}{suffix}" for name in names for suffix in TABS}


@each(sorted(SAMPLES.glob("make_link.[!t]*")))
def test_make_link_makes_one_and_leaves_the_account_as_it_was(path, page, server, call):
    token = page.generate_token()
    before = call(token).json()
    run(path, token, server.base_url)
    assert calls_of(server, token)[1:] == [("POST", 201), ("DELETE", 200)]
    assert call(token).json() == before


@pytest.mark.long
@each(RETRY_AFTER)
def test_retry_after_waits_as_long_as_it_was_told(path, page, server):
    token = page.generate_token()
    set_fault(server, token, fault="429", seconds=2)
    started = time.monotonic()
    run(path, token, server.base_url)
    assert time.monotonic() - started >= 2
    assert calls_of(server, token) == [("GET", 429), ("GET", 200)]


# Run a sample that says how long it would sleep, instead of sleeping.
NOTING = {
    ".py": [sys.executable, "-c", """import runpy, sys, time
time.sleep = lambda seconds: print(seconds, file=sys.stderr)
runpy.run_path(sys.argv[1], run_name="__main__")"""],
    ".sh": ["bash", "-c", """sleep() { echo "$1" >&2; }; source "$0" """],
    ".mjs": ["node", "--import", """data:text/javascript,import timers from "node:timers/promises";
import { syncBuiltinESMExports } from "node:module";
timers.setTimeout = async (milliseconds) => console.error(milliseconds / 1000);
syncBuiltinESMExports();"""],
}  # fmt: skip


@each(RETRY_AFTER)
def test_where_nobody_says_how_long_retry_after_waits_longer_each_time_with_jitter_and_gives_up(path, page, server):
    token = page.generate_token()
    set_fault(server, token, fault="503", header="none", calls=1000)
    output = "".join(f"Status: 503\nSeconds to wait: {seconds}\n" for seconds in (1, 2, 4)) + "Status: 503\n"
    command(path)
    slept = []
    for _ in range(2):
        *ended, noted = run(path, token, server.base_url, by=NOTING[path.suffix])
        assert ended == [1, output]
        slept.append([float(line) for line in noted.splitlines()])
        assert [asked for seconds, asked in zip(slept[-1], (1, 2, 4), strict=True) if asked <= seconds <= asked + 1] == [1, 2, 4]
    assert slept[0] != slept[1]
    assert calls_of(server, token) == [("GET", 503)] * 8


class Busy(BaseHTTPRequestHandler):
    """Answers each call alike, as a service or a proxy may. Subclasses say how."""

    def do_GET(self):
        self.send_response(429)
        if self.header is not None:
            self.send_header("Retry-After", self.header)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments):
        """Print nothing."""


@each(RETRY_AFTER, quick=ONCE)
@pytest.mark.parametrize(("body", "header"), [
    (b'{"error": {"retryAfter": 300}}', None), (b'{"error": {"retryAfter": 300}}', "900"), (b'{"error": {"retryAfter": null}}', "300"),
    (b"<html>\nBusy\n</html>", "300"), (b'["busy"]', "date"), (b"", "date"),
])  # fmt: skip
def test_retry_after_tells_when_to_come_back_instead_of_a_long_wait(path, body, header):
    started = time.time()
    header = formatdate(started + 300, usegmt=True) if header == "date" else header
    handler = type("Busy", (Busy,), {"body": body, "header": header})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as busy:
        threading.Thread(target=busy.serve_forever).start()
        try:
            code, output, complaint = run(path, "a-made-up-token", f"http://127.0.0.1:{busy.server_port}/v1")
        finally:
            busy.shutdown()
    seconds = re.fullmatch(r"Come back in (\d+) seconds\.\n", complaint)
    assert seconds and (code, output) == (1, "Status: 429\n")
    assert 299 - (time.time() - started) <= int(seconds[1]) <= 300  # until a date it's less with each moment


# The first call when something is wrong


@each(FIRST_CALLS)
def test_without_a_token_the_first_call_says_what_the_api_says_and_where_the_reasons_are(path, server):
    refused = 1, "401 Unauthorized\n", f"MISSING_TOKEN - Authorization header is required\n{REASONS}"
    assert run(path, "", server.base_url) == refused


@each(FIRST_CALLS)
def test_with_a_revoked_token_the_first_call_says_what_the_api_says_and_where_the_reasons_are(path, page, server):
    token = page.generate_token(name="Quickstart")
    page.revoke("Quickstart")
    refused = 1, "401 Unauthorized\n", f"INVALID_TOKEN - The provided API token is invalid\n{REASONS}"
    assert run(path, token, server.base_url) == refused


@each(RUN_BY_ITSELF, quick=FIRST_CALLS)
def test_with_the_server_down_a_sample_names_the_next_step_in_one_line(path):
    assert run(path, "a-made-up-token", "http://127.0.0.1:9/v1") == no_answer("http://127.0.0.1:9/v1")


@each(FIRST_CALLS)
def test_where_no_api_answers_the_first_call_names_the_next_step_in_one_line(path, page, server):
    token = page.generate_token()
    assert run(path, token, server.origin) == no_answer(server.origin)  # /v1 was forgotten: a page answers
    assert run(path, token, "") == no_answer("")
    set_fault(server, token, fault="drop")
    assert run(path, token, server.base_url) == no_answer(server.base_url)


# The token stays where it is


SENDERS = [path for path in [*RUN_BY_ITSELF, SERVER_SIDE] if path.stem != "read_errors"]


@each(SENDERS, quick=FIRST_CALLS)
@pytest.mark.parametrize("base_url", ["http://api.linked.is/v1", "HTTP://API.Linked.IS/v1", "api.linked.is/v1"])
def test_no_token_goes_to_linked_is_without_https(path, base_url):
    said = "linked.is needs https: correct LINKED_IS_BASE_URL in .env.\n"
    assert run(path, "a-made-up-token", base_url) == (1, "", said)


@each(RUN_BY_ITSELF, quick=FIRST_CALLS)
@pytest.mark.parametrize("token", ["Zq7XkP2mJw\nR8vTn4LwBd", "“Zq7XkP2mJwR8vTn4LwBd”"], ids=["two lines", "curly quotes"])
def test_an_odd_token_is_not_quoted_in_a_complaint(path, token, server):
    """The errors of requests and fetch quote a header that they can't send. ``run`` looks for the token."""
    _, _, complaints = run(path, token, server.base_url)
    assert "Traceback" not in complaints and "    at " not in complaints


@each(sorted(SAMPLES.glob("*.sh")))
def test_the_token_is_on_no_command_line(path, page, server, tmp_path):
    command(path)
    for program in ("curl", "jq"):
        noting = f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{tmp_path}/arguments"\nexec {shutil.which(program)} "$@"\n'
        (tmp_path / program).write_text(noting, encoding="utf-8")
        (tmp_path / program).chmod(0o755)
    token = page.generate_token()
    code, _, _ = run(path, token, server.base_url, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8")
    assert code == 0 and f"{server.base_url}/links" in arguments
    assert_without(token, arguments)


@each([*RUN_BY_ITSELF, SERVER_SIDE, MISTAKE])
def test_each_request_has_a_timeout(path):
    call, with_timeout = {
        ".py": (r"requests\.[a-z]+\(", r"requests\.[a-z]+\(.*timeout=10\)"),
        ".sh": ("curl --", "curl --.*--max-time 10 "),
    }.get(path.suffix, (r"fetch\(", r"fetch\([^;]*?signal"))
    code = path.read_text(encoding="utf-8")
    assert len(re.findall(call, code)) == len(re.findall(with_timeout, code)) > 0


@pytest.mark.long
def test_where_nobody_ever_answers_a_sample_gives_up():
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(len(RUN_BY_ITSELF)) as pool:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        ended = list(pool.map(lambda path: run(path, "a-made-up-token", base_url), RUN_BY_ITSELF))
        assert ended == [no_answer(base_url)] * len(RUN_BY_ITSELF)


# The browser: the mistake and the way out


def built(component, **variables):
    """Return a page that runs the component's script as a build leaves it.

    Vite puts the value in the place of ``import.meta.env.NAME``. Of Vue, a ``ref`` is all that this script needs.
    """
    script = re.search("<script setup>(.*)</script>", component, re.DOTALL)[1]
    script = script.replace('import { ref } from "vue";', "const ref = (value) => ({ value });")
    for name, value in variables.items():
        script = script.replace(f"import.meta.env.{name}", json.dumps(value))
    assert "import" not in script
    script += "document.querySelector('button').onclick = loadLinks"
    return f"<title>Links</title><button>Show links</button><script type=module>{script}</script>"


@pytest.fixture
def visit(browser):
    """Open an address in a new browser, where ``html`` is served; return the tab and all that it asked and got."""
    contexts = []

    def visit(address, html):
        contexts.append(context := browser.new_context())
        context.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        tab = context.new_page()
        sent, got = [], []
        tab.on("request", lambda event: sent.append(event))
        tab.on("response", lambda event: got.append(event))
        tab.goto(address)
        return tab, sent, got

    yield visit
    for context in contexts:
        context.close()


def test_with_the_mistake_every_visitor_gets_the_token(visit, page, server):
    token = page.generate_token()
    component = MISTAKE.read_text(encoding="utf-8")
    html = built(component, VITE_LINKED_IS_BASE_URL=server.base_url, VITE_LINKED_IS_API_TOKEN=token)
    tab, _, got = visit("http://visitors.example/", html)
    assert token in got[0].text()  # View page source
    with tab.expect_request(f"{server.base_url}/links") as asked:
        tab.get_by_role("button", name="Show links").click()
    assert asked.value.headers["authorization"] == f"Bearer {token}"  # Developer tools > Network


class ServerSide:
    """The server-side sample in a process of its own, on a free port. A context manager."""

    def __init__(self, token, base_url):
        environment = {**os.environ, **learner_environment(base_url, token), "PORT": "0"}
        printed = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen(command(SERVER_SIDE), env=environment, **printed)
        self.token = token
        self.address = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        assert_without(self.token, self.process.communicate(timeout=PATIENCE)[0])

    def ask(self, method="GET", path="/links"):
        """Return status and body; the token may be in no part of an answer."""
        answer = requests.request(method, self.address.removesuffix("/links") + path, timeout=PATIENCE)
        assert_without(self.token, f"{answer.headers}{answer.text}")
        return answer.status_code, answer.json() if answer.text else None


def test_the_server_side_tells_visitors_short_links_and_clicks_and_nothing_else(page, server):
    token = page.generate_token()
    links = [line.split() for line in (SAMPLES / "first_call.txt").read_text(encoding="utf-8").splitlines()[1:]]
    with ServerSide(token, server.base_url) as server_side:
        for _ in range(5):
            assert server_side.ask() == (200, [{"shortUrl": url, "clicks": int(clicks)} for url, clicks in links])
        for path in ("/", "/links/", "/links?limit=1", "/v1/links", "/.env", "/server_side.mjs", "/../.env"):
            assert server_side.ask(path=path) == (404, {"error": "Not found"})
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            assert server_side.ask(method)[0] == 404
    assert calls_of(server, token) == [("GET", 200)]  # five visitors, one call


def test_the_server_side_keeps_to_itself_why_it_has_no_links(page, server):
    failed = 502, {"error": "No links at the moment"}
    token = page.generate_token(name="Server")
    with ServerSide(token, server.base_url) as server_side:
        set_fault(server, token, fault="500")
        assert server_side.ask() == failed
        assert server_side.ask()[0] == 200  # a failure is not kept
    page.revoke("Server")
    dead = [(token, server.base_url), (token, "http://127.0.0.1:9/v1"), ("Zq7XkP2mJw\nR8vTn4LwBd", server.base_url)]
    for sent, base_url in dead:
        with ServerSide(sent, base_url) as server_side:
            assert server_side.ask() == failed


def test_with_the_server_side_no_visitor_gets_the_token(visit, page, server):
    token = page.generate_token()
    with ServerSide(token, server.base_url) as server_side:
        tab, sent, got = visit(server_side.address.removesuffix("links"), "<title>Links</title>")
        links = tab.evaluate("fetch('/links').then((response) => response.json())")
        assert len(links) == 5 and server_side.address in [answer.url for answer in got]
        for answer in got:
            assert_without(token, f"{answer.all_headers()}{answer.text()}")
        assert not [request for request in sent if "authorization" in request.all_headers()]


# The pages

REQUEST = re.compile(
    r"\bcurl\s+[-\"'$h]|\bwget\s|\bfetch\(|\burlopen\(|Invoke-(RestMethod|WebRequest)"
    r"|\b(requests|httpx|axios|session|http|client)\.(get|post|put|patch|delete|head|request)\("
)
BLOCK = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
SNIPPET = re.compile(r'--8<-- "docs/samples/([^"]*)"')
TAB = re.compile(r'^=== "(.+)"\n((?:\n|    .*\n)+)', re.MULTILINE)
# What the lines that matter print, by the sample that they come before
MATTERS = {
    "first_call": "newsletter",
    "read_errors": "MISSING_TOKEN",
    "read_rate_limit": "(?i)5. of 60|x-ratelimit-remaining: 5.",
    "retry_after": "newsletter|Status: 200",
}


def typed_requests(text):
    """Return the blocks of a page that send a request, not included from a file."""
    return [dedent(block[3]) for block in BLOCK.finditer(text) if REQUEST.search(block[3])]


def lines_that_matter(text):
    """Return the typed requests that come before a sample in its tab, each with the sample's name."""
    tabs = [(tab, SNIPPET.search(tab)) for _, tab in TAB.findall(text)]
    return [(sample[1], code) for tab, sample in tabs if sample for code in typed_requests(tab[: sample.start()])]


def findings(text):
    """Return what is wrong with the requests on a page. test_tab.py runs the cells that have their output below them."""
    text = re.sub(r"^```python\n((?!^```).)*^```\n+(?=```output$)", "", text, flags=re.DOTALL | re.MULTILINE)
    run_below = [code for _, code in lines_that_matter(text)]
    found = [f"{code} is not included from docs/samples" for code in typed_requests(text) if code not in run_below]
    included = set(SNIPPET.findall(text))
    found += [f"{name} does not exist" for name in sorted(included) if not (SAMPLES / name).is_file()]
    in_tabs = {(label, *name.split(".")) for label, tab in TAB.findall(text) for name in SNIPPET.findall(tab)}
    for name in {path.stem for path in SAMPLES.glob("*.txt")}:
        if any(one.startswith(f"{name}.") for one in included):
            missing = [(label, suffix) for suffix, label in TABS.items() if (label, name, suffix[1:]) not in in_tabs]
            found += [f"{name}{suffix} is not in a tab {label}" for label, suffix in missing]
            found += [f"{name}.txt, the output, is not shown"] * (f"{name}.txt" not in included)
    return found


@pytest.mark.check
@each(PAGES)
def test_a_page_shows_a_request_by_including_a_sample_in_three_languages(path):
    assert findings(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("page", "finding"),
    [
        ('```python\nrequests.get("https://api.linked.is/v1/links")\n```\n', "is not included"),
        ('=== "curl"\n\n    ```bash\n    curl --silent "$LINKED_IS_BASE_URL/links"\n    ```\n', "is not included"),
        ('```js title="a.js"\nawait fetch(links)\n```\n', "is not included"),
        (
            '=== "curl"\n\n    ```bash\n    --8<-- "docs/samples/a.sh"\n    ```\n\n    ```bash\n    curl "$links"\n    ```\n',
            "is not included",
        ),
        ('```python\n--8<-- "docs/samples/no_such.py"\n```\n', "no_such.py does not exist"),
        ('```python\n--8<-- "docs/samples/first_call.py"\n```\n', "first_call.py is not in a tab Python"),
        (
            '=== "Python"\n\n    ```python\n    --8<-- "docs/samples/first_call.py"\n    ```\n',
            "first_call.sh is not in a tab curl",
        ),
        (
            '=== "Node"\n\n    ```js\n    --8<-- "docs/samples/first_call.mjs"\n    ```\n',
            "first_call.mjs is not in a tab JavaScript",
        ),
        (
            '=== "Python"\n\n    ```python\n    --8<-- "docs/samples/first_call.py"\n    ```\n',
            "first_call.txt, the output, is not shown",
        ),
    ],
)
def test_a_wrong_page_is_found(page, finding):
    assert any(finding in found for found in findings(page))


LINES = [
    pytest.param(sample, code, id=f"{path.stem}-{sample}")
    for path in PAGES
    for sample, code in lines_that_matter(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("sample", "code"), LINES)
def test_the_lines_that_matter_run(sample, code, page, server, tmp_path):
    name, suffix = sample.split(".")
    command(SAMPLES / sample)
    need("zsh")
    token = page.generate_token()
    settings = learner_environment(server.base_url, token)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    python, node = [sys.executable, "-c"], ["node", "--input-type=module", "-e"]
    for program in {"py": [python], "mjs": [node], "sh": [["bash", "-c"], ["zsh", "-c"]]}[suffix]:
        options = {"cwd": tmp_path, "env": {**os.environ, **settings}, "capture_output": True, "timeout": PATIENCE}
        ended = subprocess.run([*program, code], **options)
        output, complaints = decoded(ended.stdout), decoded(ended.stderr)
        assert_without(token, output + complaints)
        assert ended.returncode == 0 and re.search(MATTERS[name], output), output + complaints
    assert "TOKEN" not in code.partition("<<<")[0] if suffix == "sh" else "timeout" in code


@pytest.mark.check
def test_every_sample_is_on_a_page():
    shown = {name for path in PAGES for name in SNIPPET.findall(path.read_text(encoding="utf-8"))}
    there = {path for path in SAMPLES.rglob("*") if path.is_file() and path.parent.name != "__pycache__"}
    assert shown == {path.relative_to(SAMPLES).as_posix() for path in there}


@pytest.mark.parametrize("typed", ["", " "], ids=["right", "a space"])
def test_the_commands_of_the_quickstart_run_the_samples(typed, page, server, tmp_path):
    """A shell that runs `.env` takes what stands after a space for a command, and its error prints it."""
    for path in FIRST_CALLS:
        command(path)
    token = page.generate_token()
    shutil.copytree(SAMPLES, tmp_path / "docs" / "samples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    settings = (ROOT / ".env.example").read_text(encoding="utf-8")
    settings = settings.replace("API_TOKEN=", f"API_TOKEN={typed}{token}").replace("http://127.0.0.1:8787/v1", server.base_url)
    (tmp_path / ".env").write_text(settings, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINKED_IS_")}
    text = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    commands = [block[3] for block in BLOCK.finditer(text) if re.search(r"docs/samples/first_call\.\w+\n", block[3])]
    assert len(commands) == len(TABS)
    for one in commands:
        ended = subprocess.run(["bash", "-c", one], cwd=tmp_path, env=environment, capture_output=True, timeout=PATIENCE)
        assert (ended.stdout.decode(), ended.stderr) == (expected(FIRST_CALLS[0]), b""), one
