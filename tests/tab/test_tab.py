"""The course in a browser tab: every notebook in two browsers, Settings > API beside it, and what it says when it fails."""

import asyncio
import gzip
import http.client
import io
import json
import re
import subprocess
import urllib.request
from urllib.parse import urlsplit
from zipfile import ZipFile

import nbformat
import pytest
import requests
import urllib3
from PIL import Image, ImageStat
from playwright.sync_api import expect

from browser.build import BUILD, FROM_SOURCE, HERE, build
from mock_server.settings_page import SettingsPage
from tests.repository.test_places import IN_A_TAB, choose
from tools import debian, static_site
from tools.debian import need
from tools.in_process import without_sockets
from tools.judges import axe, judged
from tools.running import NOTEBOOKS, PATIENCE, ROOT, run_async, wait_until
from tools.write_exercises import EXERCISES, SOLUTIONS

BASE_URL = "http://127.0.0.1:8787/v1"
# Playwright's own scheme would stand above that of the page around a frame: "null" is none.
WIDE = {"viewport": {"width": 1400, "height": 900}, "color_scheme": "null"}
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "null", "is_mobile": True, "has_touch": True}
long = pytest.mark.long


@pytest.fixture
def in_process(monkeypatch):
    """A mock server that `requests` reaches without a socket, as in a tab."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with without_sockets(BASE_URL):
        yield SettingsPage(BASE_URL)


@pytest.fixture
def headers(in_process):
    in_process.sign_up()
    return {"Authorization": f"Bearer {in_process.generate_token()}"}


def test_an_answer_that_comes_at_once_is_not_waited_for(headers, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    assert requests.get(f"{BASE_URL}/links", headers=headers, timeout=PATIENCE).ok
    assert not any(waits)


# In a tab it is still HTTP: each exchange goes over a socket too.


class Caller:
    """Calls one mock server, with a new account. ``requests`` has its token; a path is one below the server's origin."""

    def __init__(self, base_url):
        self.page = SettingsPage(base_url)
        self.page.sign_up()
        self.origin, self.host = self.page.origin, urlsplit(base_url).netloc
        self.headers = {"Authorization": f"Bearer {self.page.generate_token()}"}

    def __call__(self, method, path="/v1/links", session=requests, timeout=PATIENCE, headers=None, **options):
        headers = {**self.headers, **(headers or {})}
        return session.request(method, self.origin + path, headers=headers, timeout=timeout, **options)

    def fault(self, kind, **options):
        assert self("POST", "/_mock/faults", json={"fault": kind, **options}).ok

    def urllib(self, path="/v1/links", data=None, method=None, **headers):
        asked = urllib.request.Request(self.origin + path, data, {**self.headers, **headers}, method=method)
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.status, answer.reason, fields(answer.headers.items()), answer.read()

    def raw(self, *exchanges):
        """Send requests by http.client, one after the other on one connection: method, path, fields and body of each."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        answers = []
        for method, path, sent, body in exchanges:
            connection.putrequest(method, path)
            for name, value in sent:
                connection.putheader(name, value)
            connection.endheaders(body)
            with connection.getresponse() as answer:
                answers.append((answer.status, answer.reason, fields(answer.headers.items()), answer.read()))
        connection.close()
        return answers


def fields(items):
    """Return the fields of a header in a comparable order. Two times of day are left out, and so is the order in Allow."""
    fields = {name.lower(): value for name, value in items}
    assert fields.pop("date", "GMT").endswith("GMT") and fields.pop("x-ratelimit-reset", "0").isdecimal()
    allowed = sorted(fields.pop("allow", "").split(", "))
    return sorted(fields.items()), allowed


def seen(answer):
    """Return what a program can see of an answer of requests."""
    went = [(one.status_code, one.headers.get("Location")) for one in answer.history]
    cookies = sorted((cookie.name, cookie.path, cookie.secure, cookie._rest) for cookie in answer.cookies)
    encoding = answer.raw.version, answer.encoding
    return answer.status_code, answer.reason, fields(answer.headers.items()), answer.content, went, cookies, encoding, answer.url


def two_on_one_connection(call):
    with requests.Session() as session:
        return [seen(call("GET", session=session)), seen(call("HEAD", session=session)), seen(call("GET", session=session))]


def left_in_the_middle(call):
    with requests.Session() as session:
        with call("GET", session=session, stream=True) as answer:
            begun = next(answer.iter_content(10))
        return begun, seen(call("GET", session=session))


def faulty(method, kind, *, timeout=PATIENCE, stream=False, **options):
    def exchange(call):
        call.fault(kind, calls=1, **options)
        answer = call(method, timeout=timeout, stream=stream)
        return seen(answer) if not stream else [*answer.iter_content(1)]

    return exchange


def asked(method, path="/v1/links", **options):
    return lambda call: seen(call(method, path, **options))


JSON = {"Content-Type": "application/json"}
LINK = json.dumps({"url": "https://example.com/", "title": "é"}, ensure_ascii=False)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
EXCHANGES = {
    **{f"{method} {path}": asked(method, path, allow_redirects=False)
       for method in METHODS for path in ("/v1/links", "/v1/none", "/_mock/health", "/settings/api", "/docs")},
    "a method that nobody knows": asked("BREW"),
    "a method in small letters": lambda call: call.raw(("get", "/v1/links", call.headers.items(), None)),
    # bodies
    "JSON": asked("POST", json={"url": "https://example.com/"}),
    "text": asked("POST", data=LINK.encode(), headers=JSON),
    "no JSON": asked("POST", data="{", headers=JSON),
    "a form": asked("POST", data={"url": "https://example.com/"}),
    "a form of a page": asked("POST", "/login", data={"email": "a@example.com", "password": "é" * 10}),
    "a file in a form": asked("POST", files={"file": ("a.txt", b"a")}),
    "a file": lambda call: seen(call("POST", data=io.BytesIO(LINK.encode()), headers=JSON)),
    "in pieces": lambda call: seen(call("POST", data=iter([LINK.encode()[:9], b"", LINK.encode()[9:]]), headers=JSON)),
    "nothing in pieces": lambda call: seen(call("POST", data=iter([]), headers=JSON)),
    "one MiB": asked("POST", data=b" " * 1024 * 1024, headers=JSON),
    "more than one MiB": asked("POST", data=b" " * (1024 * 1024 + 1), headers=JSON),
    "a body where none is wanted": asked("GET", data=b"body"),
    "a body shorter than its length": lambda call: seen(call("POST", data=b"{}", headers={"Content-Length": "9"}, timeout=0.2)),
    # addresses and headers
    "a query": asked("GET", "/v1/links?limit=2&é=%C3%A9&limit=1&&=#part"),
    "a path with escapes": asked("GET", "/v1/links/%2e%2E%2Fé%00%25"),
    "a path with more slashes": asked("GET", "//v1//links"),
    "an empty field": asked("GET", headers={"X-Empty": ""}),
    "a field beyond ASCII": lambda call: seen(call("GET", headers={"X-Name": "Zoé".encode("latin-1")})),
    "the same field twice": lambda call: call.raw(("GET", "/v1/links", [*call.headers.items()] * 2, None)),
    "no token": asked("GET", headers={"Authorization": None}),
    "a line break": asked("GET", headers={"Authorization": "Bearer made\nup"}),
    "the name of another host": asked("GET", headers={"Host": "example.com"}),
    "a connection to be closed": asked("GET", headers={"Connection": "close"}),
    "another encoding": asked("GET", headers={"Accept-Encoding": "gzip, br"}),
    "many fields": asked("GET", headers={f"X-{number}": "made up" for number in range(90)}),
    # redirects, cookies, sessions
    "a redirect": asked("GET", "/settings/api"),
    "a redirect of a form": asked("POST", "/settings/api"),
    "a visitor's cookie": asked("GET", "/login"),
    "a cookie that comes back": lambda call: seen(call.page.session.get(f"{call.origin}/signup", timeout=PATIENCE)),
    "the end of a session": lambda call: seen(call.page.session.get(f"{call.origin}/logout", timeout=PATIENCE)),
    "many on one connection": two_on_one_connection,
    # faults and streams
    **{f"{method} meets {kind}": faulty(method, kind, seconds=0)
       for method in ("GET", "HEAD", "POST") for kind in ("500", "503", "429", "slow", "drop", "timeout", "no-answer", "lost-answer")},
    "too late": faulty("GET", "timeout", seconds=2, timeout=0.2),
    "in time": faulty("GET", "slow", seconds=0.1),
    "a stream that breaks off": faulty("GET", "drop", stream=True),
    "a stream": lambda call: [*call("GET", stream=True).iter_lines()],
    "a stream, left in the middle": left_in_the_middle,
    "a stream, raw": lambda call: call("GET", stream=True).raw.read(),
    # other addresses, other clients
    "localhost": lambda call: seen(requests.get(f"{call.origin}/v1/links".replace("127.0.0.1", "localhost"), timeout=PATIENCE)),
    "a port where nobody listens": lambda call: requests.get("http://127.0.0.1:9/v1/links", timeout=PATIENCE),
    "a name that is none": lambda call: requests.get("http://no-such-name.invalid/v1/links", timeout=PATIENCE),
    "urllib": lambda call: call.urllib(),
    "urllib, HEAD": lambda call: call.urllib(method="HEAD"),
    "urllib, POST": lambda call: call.urllib(data=LINK.encode(), **JSON),
    "urllib, refused": lambda call: call.urllib(Authorization="Bearer made-up"),
    "urllib, a redirect": lambda call: call.urllib("/settings/api"),
    "urllib, dropped": lambda call: (call.fault("drop"), call.urllib()),
    "urllib, no answer": lambda call: urllib.request.urlopen("http://127.0.0.1:9/", timeout=PATIENCE),
    "http.client": lambda call: call.raw(*[(method, "/v1/links", call.headers.items(), None) for method in ("HEAD", "GET")]),
    "urllib3": lambda call: urllib3.request("GET", f"{call.origin}/v1/links", headers=call.headers).json(),
}  # fmt: skip
# What differs, and why.
BY_ITS_LIST = "the parser of uvicorn has a list of methods, and refuses each other one before the application sees it"
DIFFERENT = {"a method that nobody knows": BY_ITS_LIST, "a method in small letters": BY_ITS_LIST}


def outcome(exchange, base_url):
    """Return what came of an exchange: the answer or the error, without what is another one each time."""
    try:
        came = exchange(Caller(base_url))
    except Exception as error:
        came = type(error), getattr(error, "code", None)
    changing = rf"\b{urlsplit(base_url).port}\b|(?<=_){urlsplit(base_url).port}(=[\w-]{{43}})?|[0-9a-f]{{64}}|clx\w+"
    return re.sub(rf"{changing}|\d{{4}}-\d\d-\d\dT[\d:.]+Z|learner-\w+@example.com", "…", repr(came))


@long
@pytest.mark.parametrize("name", EXCHANGES)
def test_in_a_tab_it_is_still_http(name, server, request):
    over_a_socket = outcome(EXCHANGES[name], server.base_url)
    request.getfixturevalue("in_process")
    in_a_tab = outcome(EXCHANGES[name], BASE_URL)
    assert (in_a_tab == over_a_socket) == (name not in DIFFERENT), f"{in_a_tab}\n{over_a_socket}"


@pytest.mark.parametrize("address", ["https://api.linked.is/v1/links", "http://127.0.0.1:8788/v1/links"])
def test_no_other_address_is_reached(in_process, address):
    with pytest.raises(requests.ConnectionError, match="only the mock server at 127.0.0.1:8787 answers here"):
        requests.get(address, timeout=PATIENCE)


def test_it_answers_inside_a_loop_that_runs(in_process, headers):
    async def cell():  # a notebook does this: its cells run in a loop
        first = requests.get(f"{BASE_URL}/links", headers=headers, timeout=PATIENCE)  # noqa: ASYNC210
        await asyncio.sleep(0)
        return first.status_code, requests.get(f"{BASE_URL}/links", headers=headers, timeout=PATIENCE).status_code  # noqa: ASYNC210

    assert run_async(cell()) == (200, 200)


def test_settings_api_comes_in_one_piece(in_process):
    from linked_is_tab.settings_window import Window

    html = Window("http://127.0.0.1:8787").open("/settings/api")
    assert "<h1>Log in</h1>" in html and "<style>" in html and 'src="/' not in html
    assert 'getElementById("token")' in html  # not escaped


PATHS = [path.relative_to(ROOT).as_posix() for path in [*NOTEBOOKS, *SOLUTIONS, *EXERCISES]]
LIVE = {"quickstart/": ("first_call.py", "200 OK"), "reference/errors/": ("refused_call.py", "401 {'code': 'INVALID_TOKEN'")}


@pytest.mark.parametrize(("file", "printed"), LIVE.values())
def test_a_live_cell_does_what_its_page_says(in_process, capsys, file, printed):
    exec((ROOT / "docs" / "live" / file).read_text(encoding="utf-8"), {})
    assert printed in capsys.readouterr().out


def test_every_live_cell_is_on_a_page():
    assert {path.name for path in (ROOT / "docs" / "live").iterdir()} == {file for file, _ in LIVE.values()}


def test_the_home_page_shows_what_its_cells_print(in_process, capsys):
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    cells, outputs = (re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) for kind in ("python", "output"))
    names, printed = {}, []
    for cell in cells:
        exec(cell, names)
        printed.append(capsys.readouterr().out)
    assert printed == outputs and len(outputs) > 1


# From here on in real browsers.


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    """The built site with the tab in it, as a static host serves it below a path."""
    need("npm")
    with static_site.TAB:
        build()
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("tab") / "site"
    result = static_site.build(ROOT, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    with static_site.StaticHost(folder) as host:
        yield host


@pytest.fixture(scope="session")
def firefox():
    """A Firefox: Debian's, which `make test-all` installs, or another one."""
    program = debian.find("firefox-esr", "firefox")
    if not program:
        debian.missing("THE TAB IN FIREFOX SKIPPED: no Firefox found. Install it")
    return program


# Which pages each browser shows: lessons both. A solution has nothing for the browser that its exercise has not, and a page of
# the reference nothing that another one has not.
SHOWN = {
    "chrome": lambda path: "exercises/" not in path or ".solution" in path,
    "firefox": lambda path: ".solution" not in path and ("reference/" not in path or "api-links" in path),
}
IN_LAB = {f"lab/notebooks/index.html?path={path}": path for path in PATHS if path.startswith(("notebooks/02", "notebooks/07"))}


def outputs_of(notebook):
    """Return what each code cell shows, as a reader sees it."""
    cells = [cell for cell in nbformat.from_dict(notebook).cells if cell.cell_type == "code"]
    return [[one_output(output) for output in cell.outputs] for cell in cells]


def one_output(output):
    kind = output.output_type
    text = {"stream": "text", "error": "evalue"}.get(kind)
    shown = output[text] if text else output.data["text/plain"]
    return kind, "".join(shown)


@pytest.fixture(scope="session")
def runs(host, browser, firefox):
    """Both browsers at once, one process each, with the pages that each one shows."""
    programs = {"chrome": debian.find(*debian.CHROMIUMS), "firefox": firefox}
    command = ["node", str(HERE / "run_in_tab.mjs"), str(PATIENCE)]
    pages = [page.parent for page in sorted(host.folder.rglob("index.html")) if 'class="run-bar"' in page.read_text("utf-8")]
    paths = [*(f"{page.relative_to(host.folder).as_posix()}/" for page in pages), *IN_LAB]
    return {
        name: subprocess.Popen(
            [*command, name, program, host.url, *filter(SHOWN[name], paths)], stdout=subprocess.PIPE, text=True
        )
        for name, program in programs.items()
    }


@long
@pytest.mark.parametrize("name", ["chrome", "firefox"])
def test_every_cell_shows_on_its_page_and_in_the_lab_what_is_committed(runs, name):
    printed, _ = runs[name].communicate()  # it has a limit for each step
    assert runs[name].returncode == 0, printed[-1000:]
    *ran, last = map(json.loads, printed.splitlines())
    assert last == {"foreign": []}
    shown = {one["path"]: one["shown"] for one in ran}
    for path in filter(SHOWN[name], (*PATHS, ".")):
        cells = shown.pop(path.removesuffix(".ipynb") + "/")
        assert len(cells) > 1 and [cell["mine"] for cell in cells] == [cell["recorded"] for cell in cells], path
    for address, path in IN_LAB.items():
        assert outputs_of(shown.pop(address)) == outputs_of(json.loads((ROOT / path).read_text(encoding="utf-8"))), path
    said = {path: {cell["said"] for cell in cells} for path, cells in shown.items()}  # the quickstart and the reference
    assert {"quickstart/", "reference/api-links/"} <= said.keys()
    assert {path: texts for path, texts in said.items() if texts != {"Your output, just now."}} == {}


@pytest.fixture
def open_tab(browser):
    """Open a new tab of Chromium, as of a new reader."""
    contexts = []

    def open_tab(**options):
        contexts.append(browser.new_context(**{**WIDE, **options}))
        return contexts[-1].new_page()

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab):
    return open_tab()


@pytest.fixture(scope="module")
def opened(browser, host):
    """A tab in which a notebook is open, of a reader who switched the site to dark: the tests share it, for it takes its
    time. It tells as ``loaded`` which requests it took."""
    context = browser.new_context(**WIDE, permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.loaded = []
    context.on("requestfinished", lambda request: tab.loaded.append(request))
    tab.goto(host.url)
    switch_to(tab, "dark")
    open_notebook(tab, host)
    yield tab
    context.close()


def switch_to(tab, scheme):
    """Press the site's switch, which has three places, until a page has the scheme."""
    body, wanted = tab.locator("body"), f"(prefers-color-scheme: {scheme})"
    for _ in range(2):
        if body.get_attribute("data-md-color-media") != wanted:
            tab.locator("label[for^=__palette]:visible").click()
    expect(body).to_have_attribute("data-md-color-media", wanted)


def open_notebook(tab, host, name="notebooks/02-generate-a-token"):
    tab.goto(f"{host.url}{name}/")
    tab.get_by_role("link", name="open it in JupyterLab").click()
    wait_for_status(tab, "Ready")


def wait_for_status(tab, words):
    expect(tab.locator("#status")).to_contain_text(words)


APP = "document.getElementById('notebook').contentWindow.jupyterapp"
LAST_CELL = f"{APP}.shell.currentWidget.content.model.sharedModel.cells.at(-1).source"


def run_cell(tab, code):
    """Put code into a new last cell of the notebook, run it, and return what it shows."""
    return tab.evaluate(
        """async (code) => {
            const { commands, shell } = document.getElementById("notebook").contentWindow.jupyterapp;
            const { content } = shell.currentWidget;
            content.activeCellIndex = content.widgets.length - 1;
            await commands.execute("notebook:insert-cell-below");
            content.activeCell.model.sharedModel.setSource(code);
            await commands.execute("notebook:run-cell");
            return content.activeCell.model.outputs.toJSON().map(one => one.text ?? one.evalue ?? "").join("");
        }""",
        code,
    )


START = """
import os, requests
from mock_server.settings_page import SettingsPage
page = SettingsPage("http://127.0.0.1:8787/v1")
"""


@long
def test_a_first_visit_of_the_lab_loads_what_it_says(opened):
    megabytes = sum(request.sizes()["responseBodySize"] for request in opened.loaded) / 1e6
    [said] = re.findall(r"once about (\d+) MB", (HERE / "shell" / "shell.js").read_text(encoding="utf-8"))
    assert int(said) - 1 < megabytes <= int(said) <= 21, megabytes


@long
def test_the_sites_switch_for_light_and_dark_is_that_of_the_tab(opened, host):
    assert_scheme(opened, "dark", "header", "#notebook", "#window")
    page = opened.context.new_page()
    page.goto(host.url)
    switch_to(page, "light")
    assert_scheme(opened, "light", "header", "#notebook", "#window")
    page.close()


@long
def test_the_notebooks_link_to_the_mock_servers_page_shows_it_beside(opened):
    opened.get_by_role("button", name="Settings > API").click()
    expect(opened.locator("#window")).to_be_hidden()
    opened.frame_locator("#notebook").get_by_role("link", name="Settings > API of the mock server").click()
    opened.frame_locator("#window").get_by_label("E-mail").click()
    assert "/tab/?notebook=" in opened.url and len(opened.context.pages) == 1


@long
def test_settings_api_beside_the_notebook_is_the_mock_server_of_its_kernel(opened):
    window = opened.frame_locator("#window")
    window.get_by_role("link", name="Sign up").click()
    window.get_by_role("heading", name="Sign up").wait_for()  # the page before has the same fields
    window.get_by_label("E-mail").fill("me@example.com")
    window.get_by_label("Password").fill("correct horse battery")
    window.get_by_role("button", name="Sign up").click()
    window.get_by_label("Name").fill("By hand")
    window.get_by_role("button", name="Generate New Token").click()
    window.get_by_role("button", name="Copy").click()
    window.get_by_role("button", name="Copied").wait_for()
    token = opened.evaluate("navigator.clipboard.readText()")
    code = (
        f"{START}print(requests.get('http://127.0.0.1:8787/v1/links', headers={{'Authorization': 'Bearer {token}'}}).status_code)"
    )
    assert run_cell(opened, code) == "200\n"
    window.get_by_role("link", name="Revoke By hand").click()
    window.get_by_role("button", name="Revoke").click()
    window.locator(".state", has_text="revoked").wait_for()
    assert run_cell(opened, code) == "401\n"
    assert token not in window.locator("body").inner_text()


@long
def test_a_token_in_env_is_found_by_load_dotenv(opened):
    code = f"""{START}page.sign_up()
open("../.env", "a").write("LINKED_IS_API_TOKEN=" + page.generate_token() + chr(10))
from dotenv import load_dotenv
load_dotenv(override=True)
header = {{"Authorization": "Bearer " + os.environ["LINKED_IS_API_TOKEN"]}}
print(requests.get(os.environ["LINKED_IS_BASE_URL"] + "/links", headers=header).status_code)"""
    assert run_cell(opened, code) == "200\n"


@long
def test_a_restart_says_that_the_tokens_are_gone(opened):
    assert run_cell(opened, f"{START}page.sign_up()\npage.generate_token()\nprint(len(page.tokens()))") == "1\n"
    opened.evaluate(f"{APP}.shell.currentWidget.sessionContext.restartKernel()")
    wait_for_status(opened, "earlier tokens and links are gone")
    opened.frame_locator("#window").get_by_role("button", name="Log in").wait_for()
    assert run_cell(opened, f"{START}page.sign_up()\nprint(len(page.tokens()))") == "0\n"


@long
def test_changes_are_kept_until_the_learner_starts_over(tab, host):
    open_notebook(tab, host)
    assert run_cell(tab, "print('mine')") == "mine\n"
    tab.evaluate(f"{APP}.commands.execute('docmanager:save')")
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.reload()
    wait_for_status(tab, "Ready")
    assert tab.evaluate(LAST_CELL) == "print('mine')"
    tab.get_by_role("button", name="Start over").click()
    wait_for_status(tab, "1 of 3")
    wait_for_status(tab, "Ready")
    assert tab.evaluate(LAST_CELL) != "print('mine')"


@long
def test_changes_of_an_earlier_release_are_kept_beside_the_new_notebook(tab, host):
    def named_otherwise(route):
        if route.request.method == "HEAD":
            return route.continue_()
        settings = route.fetch().json()
        settings["jupyter-config-data"]["contentsStorageName"] = "linked.is 0123456789"
        return route.fulfill(json=settings)

    tab.context.route("**/lab/jupyter-lite.json", named_otherwise)
    open_notebook(tab, host)
    assert run_cell(tab, "open('list.txt', 'w').write('my list')\nprint('mine')") == "mine\n"
    tab.evaluate(f"{APP}.commands.execute('docmanager:save')")
    tab.context.unroute_all(behavior="ignoreErrors")
    tab.close()

    tab = tab.context.new_page()
    open_notebook(tab, host)
    assert "mine" not in tab.evaluate(LAST_CELL)
    tab.get_by_role("link", name="Your notebook from an earlier release").click()
    wait_for_status(tab, "Ready")
    assert tab.evaluate(LAST_CELL).endswith("print('mine')")
    assert run_cell(tab, "print(open('list.earlier.txt').read())") == "my list\n"
    tab.get_by_role("link", name="Back to the course").click()
    tab.wait_for_url(f"{host.url}notebooks/02-generate-a-token/")


def assert_scheme(tab, scheme, *parts):
    """Take pictures of these parts of a page until all of them are light, or dark."""

    def seen():
        pictures = [Image.open(io.BytesIO(tab.locator(part).screenshot())).convert("L") for part in parts]
        return [ImageStat.Stat(picture).mean[0] / 255 for picture in pictures]  # from black to white

    wait_until(lambda: all(light > 0.7 if scheme == "light" else light < 0.3 for light in seen()), seen)


# Text that sticks out of the window, or of what cuts it off and can't be scrolled.
CUT_OFF = """() => {
    const found = [], text = new Range(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        let box = texts.currentNode.parentElement, cut = false;
        if (!texts.currentNode.data.trim() || !box.checkVisibility({ visibilityProperty: true })) continue;
        text.selectNode(texts.currentNode);
        const { left, right, top, bottom } = text.getBoundingClientRect();
        if (right <= 0 || bottom <= 0) continue; // such as the link that skips the menus: it shows when it has the focus
        for (; box !== document.body && !/auto|scroll/.test(getComputedStyle(box).overflow); box = box.parentElement) {
            const edge = box.getBoundingClientRect(), hides = getComputedStyle(box).overflow !== "visible";
            cut ||= hides && !(left > edge.left - 1 && right < edge.right + 1 && top > edge.top - 1 && bottom < edge.bottom + 1);
        }
        if (cut || box === document.body && (left < -1 || right > innerWidth + 1)) found.push(texts.currentNode.data);
    }
    return document.documentElement.scrollWidth > innerWidth ? [...found, "it can be scrolled sideways"] : found;
}"""


def cut_off(tab):
    """Return the text that a person does not see whole, in all frames that are shown."""
    shown = [frame for frame in tab.frames if frame == tab.main_frame or frame.frame_element().is_visible()]
    return [text for frame in shown for text in frame.evaluate(CUT_OFF)]


def screens(tab):
    """Turn a tab to three widths in both schemes of the system. Yield each width and scheme."""
    for width in (390, 768, 1280):
        tab.set_viewport_size({"width": width, "height": 844})
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            yield width, scheme


def assert_usable(tab, scheme, part, field):
    """Assert that a part of the tab shows all its text in these colours, and that a tap into its field gives it the focus.

    JupyterLab takes the focus once when it has put its windows in order. On a busy computer, a tap may come before that.
    """

    def has_focus():
        field.tap()
        return field.evaluate("field => field === document.activeElement")

    wait_until(has_focus)
    assert_scheme(tab, scheme, "header", part)
    assert (cut_off(tab), axe(tab)) == ([], [])


@long
def test_a_telephone_shows_the_notebook_while_python_loads_and_when_it_is_there(open_tab, host):
    tab = open_tab(**TELEPHONE)
    tab.clock.install()
    # What is not continued is held until there is no more route.
    tab.context.route("**/pyodide.asm.wasm", lambda route: route.request.method == "GET" or route.continue_())
    held, frame = [], "**/lab/notebooks/index.html*"
    tab.context.route(frame, lambda route: held.append(route))
    # Its first code cell is on the first screen: JupyterLab draws the others when it finds the time, or when one scrolls.
    tab.goto(f"{host.url}notebooks/exercises/01-start-here/")
    title = tab.get_by_role("heading", level=1).evaluate("heading => heading.firstChild.data")
    tab.get_by_role("link", name="open it in JupyterLab").tap()
    expect(tab.frame_locator("#lesson").get_by_role("heading", level=1)).to_contain_text(title)
    tab.context.unroute(frame)
    for route in held:
        route.continue_()
    notebook, settings = tab.frame_locator("#notebook"), tab.frame_locator("#window")
    switch, cell = tab.get_by_role("button", name="Settings > API"), notebook.locator(".jp-CodeCell .cm-content").first
    wait_for_status(tab, "loading Python")
    for _, scheme in screens(tab):
        assert_usable(tab, scheme, "#notebook", cell)
        expect(switch).to_be_disabled()
    tab.clock.fast_forward("30:00")
    wait_for_status(tab, "still goes on")
    tab.context.unroute_all()

    wait_for_status(tab, "Ready. Run a cell with the arrow ▶")
    for width, scheme in screens(tab):
        assert_usable(tab, scheme, "#notebook", cell)
        if narrow := width < 960:
            expect(tab.locator("#window")).to_be_hidden()
            switch.tap()
            expect(tab.locator("#notebook")).to_be_hidden()
        assert_usable(tab, scheme, "#window", settings.get_by_label("E-mail"))
        if narrow:
            switch.tap()
    tab.set_viewport_size(TELEPHONE["viewport"])
    cell.tap()
    tab.keyboard.press("ControlOrMeta+A")
    tab.keyboard.type("print(6 * 7)")
    notebook.get_by_role("button", name="Run this cell").tap()
    expect(notebook.locator(".jp-OutputArea-output").first).to_have_text("42")


@long
@pytest.mark.parametrize(
    ("script", "blocked", "says"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", None, "only over https, or from localhost"),
        ("delete window.WebAssembly", None, "Python needs WebAssembly"),
        ("delete Navigator.prototype.serviceWorker", None, "needs a service worker"),
        ("delete Array.prototype.findLast", None, "too old"),
        ("", "**/pyodide.asm.wasm", "pyodide.asm.wasm could not be loaded"),
        ("", "**/pyodide-lock.json*", "pyodide-lock.json could not be loaded"),
        ("", "**/python_stdlib.zip", "It did not start"),
        ("", "**/{jinja2-*.whl,start.json}", "no mock server"),
    ],
)
def test_what_keeps_it_from_starting_is_told_with_a_way_out(tab, host, script, blocked, says):
    tab.add_init_script(script)
    if blocked:
        tab.context.route(blocked, lambda route: route.abort())
    tab.goto(f"{host.url}tab/?notebook=notebooks/02-generate-a-token.ipynb")
    problem = tab.get_by_role("main")
    problem.get_by_text(says).wait_for()
    problem.get_by_role("link", name="run the course on your computer").click()
    assert tab.url == f"{host.url}quickstart/"


@long
def test_a_wheel_of_the_same_files_is_the_same_wheel(host):
    """What is built here has no date of the build in it, or each release of the site would be loaded anew."""
    from_source = [wheel for name in FROM_SOURCE for wheel in (BUILD / "wheels").glob(f"{name}-*.whl")]
    assert len(from_source) == len(FROM_SOURCE)
    for wheel in [*from_source, *(BUILD / "own").glob("*.whl")]:
        assert max(member.date_time for member in ZipFile(wheel).infolist()) <= (2020, 1, 1, 0, 0, 0), wheel


def bar(tab, number):
    """Return Run, Edit and what is said below a block of Python of a page, and the output that is shown for it."""
    bar = tab.locator(".run-bar").nth(number)
    output = bar.locator("xpath=following-sibling::*[1]/self::*[contains(@class, 'cell-output') and not(@hidden)]")
    return *bar.get_by_role("button").all()[:2], bar.get_by_role("status"), output


@long
@pytest.mark.parametrize("reader", [WIDE, TELEPHONE], ids=["wide", "telephone"])
def test_a_page_runs_its_cells(open_tab, host, reader):
    tab = open_tab(**reader)
    tab.goto(f"{host.url}notebooks/02-generate-a-token/")
    [said] = re.findall(r"about (\d+) MB", tab.locator(".run-here").inner_text())
    before = sum(host.sent.values())
    run, edit, status, output = bar(tab, 1)
    recorded = output.inner_text()
    run.press("Enter")
    expect(status).to_contain_text("Your output, just now.")
    megabytes = (sum(host.sent.values()) - before) / 1e6
    assert int(said) - 1 < megabytes <= int(said) <= 19, megabytes
    expect(run).to_be_focused()
    expect(output).to_have_accessible_name("Your output")
    expect(output).to_have_text(recorded)
    assert "Your output" in bar(tab, 0)[2].inner_text()  # what it needs ran before it
    run.dblclick()
    expect(status).to_contain_text("Your output, just now.")
    back = tab.locator(".run-bar").nth(1).get_by_role("button", name="Show")
    back.press("Enter")
    expect(output).to_have_count(0)
    back.press("Enter")
    expect(output).to_have_text(recorded)

    edit.press("Enter")
    editor = tab.get_by_label("The code of this cell")
    expect(editor).to_be_focused()
    tab.keyboard.press("ControlOrMeta+A")
    tab.keyboard.insert_text("import sys\nprint('six', 6 * 7)\nprint('loud', file=sys.stderr)\n1 / 0")
    tab.keyboard.press("Shift+Enter")
    expect(status).to_contain_text("an error")
    expect(output).to_contain_text("six 42")
    expect(output).to_contain_text("ZeroDivisionError: division by zero")
    assert judged(tab, run, ours=reader is WIDE) == []  # for a finger, the theme lets no key scroll the code
    editor.press("Escape")
    expect(run).to_be_focused()
    edit.press("Enter")
    expect(editor).to_have_count(0)
    run.press("Enter")
    expect(output).to_have_text(recorded)


@long
def test_what_stands_below_a_changed_cell_runs_anew_with_it(open_tab, host):
    tab = open_tab()
    tab.goto(f"{host.url}notebooks/02-generate-a-token/")
    _, edit, _, _ = bar(tab, 2)
    run, _, status, output = bar(tab, 3)
    recorded = output.inner_text()
    run.click()
    expect(status).to_contain_text("Your output, just now.")
    edit.click()
    expect(tab.get_by_label("The code of this cell")).to_be_focused()
    tab.keyboard.press("ControlOrMeta+End")
    tab.keyboard.insert_text("\ntoken = 'short'")
    tab.keyboard.press("Escape")
    run.click()
    expect(output).to_contain_text("Length: 5")
    expect(status).to_contain_text("Your output, just now")
    edit.click()  # takes the change back
    run.press("Enter")
    expect(output).to_have_text(recorded)


@long
@pytest.mark.parametrize("reader", [WIDE, TELEPHONE], ids=["wide", "telephone"])
def test_a_reader_comes_from_home_and_generates_uses_and_revokes_a_token_on_one_page(open_tab, host, reader):
    tab = open_tab(**reader, permissions=["clipboard-read", "clipboard-write"])
    tab.goto(host.url)
    tab.get_by_role("link", name="Read it").press("Enter")
    for heading in ("Exercises: start here", "Generate a token"):
        tab.get_by_role("link", name=re.compile("^Next")).press("Enter")
        tab.get_by_role("heading", name=heading, level=1).wait_for()
    tab.get_by_role("link", name="Settings > API of the mock server").press("Enter")
    panel = tab.locator(".run-panel")
    settings = panel.frame_locator("iframe")
    page, file = (panel.get_by_role("button", name=name, exact=True) for name in ("Settings > API", ".env"))
    settings.get_by_role("link", name="Sign up").press("Enter")
    settings.get_by_role("heading", name="Sign up").wait_for()
    settings.get_by_label("E-mail").fill("me@example.com")
    settings.get_by_label("Password").fill("a long password")
    settings.get_by_role("button", name="Sign up").press("Enter")
    settings.get_by_label("Name").fill("By hand")
    settings.get_by_role("button", name="Generate New Token").press("Enter")
    settings.get_by_role("button", name="Copy").press("Enter")
    settings.get_by_role("button", name="Copied").wait_for()
    ours = reader is WIDE
    assert not ours or axe(tab) == []
    file.press("Enter")
    text = panel.get_by_label(".env")
    expect(text).to_have_value(re.compile("^LINKED_IS_API_TOKEN=$", re.MULTILINE))
    text.evaluate("text => text.setSelectionRange(...Array(2).fill(text.value.indexOf('API_TOKEN=') + 10))")
    tab.keyboard.press("ControlOrMeta+v")
    panel.get_by_role("button", name="Save").press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("Saved")
    assert not ours or axe(tab) == []
    run, _, _, output = bar(tab, 1)
    run.press("Enter")
    expect(output).to_contain_text("200")
    page.press("Enter")
    settings.get_by_role("link", name="Revoke").press("Enter")
    settings.get_by_role("button", name="Revoke").press("Enter")
    settings.get_by_text("revoked").first.wait_for()
    panel.get_by_role("button", name="Close").press("Enter")
    expect(panel).to_be_hidden()
    run.press("Enter")
    expect(output).to_contain_text("401")

    tab.goto(f"{host.url}notebooks/03-load-it-from-dotenv/")  # the account and .env go along
    tab.get_by_role("button", name="Settings > API and .env").click()
    settings.get_by_text("me@example.com").first.wait_for()
    settings.get_by_text("By hand").first.wait_for()
    settings.get_by_role("button", name="Log out").click()
    settings.get_by_label("E-mail").fill("me@example.com")
    settings.get_by_label("Password").fill("a long password")
    settings.get_by_role("button", name="Log in").click()
    settings.get_by_text("By hand").first.wait_for()
    file.click()
    expect(text).to_have_value(re.compile("^LINKED_IS_API_TOKEN=lis_mock_", re.MULTILINE))
    tab.once("dialog", lambda question: question.accept())
    panel.get_by_role("button", name="Start over").click()
    settings.get_by_role("heading", name="Log in").wait_for()
    file.click()
    expect(text).to_have_value(re.compile("^LINKED_IS_API_TOKEN=$", re.MULTILINE))


@long
def test_what_a_reader_has_done_on_pages_is_ticked(open_tab, host):
    tab = open_tab()
    exercise = "notebooks/exercises/01-start-here"
    solved = [cell.source for cell in nbformat.read(ROOT / f"{exercise}.solution.ipynb", 4).cells if cell.cell_type == "code"]
    check = next(place for place, source in enumerate(solved) if source.startswith("checks."))
    tab.goto(f"{host.url}{exercise}/")
    _, edit, _, _ = bar(tab, check - 1)
    run, _, status, output = bar(tab, check)
    entry = tab.get_by_role("navigation", name="Table of contents").get_by_role("link").first
    run.press("Enter")
    expect(status).to_contain_text("an error")
    expect(output).to_contain_text("Not yet")
    expect(entry).not_to_have_accessible_name(re.compile("done"))
    edit.press("Enter")
    expect(tab.get_by_label("The code of this cell")).to_be_focused()
    tab.keyboard.press("ControlOrMeta+A")
    tab.keyboard.insert_text(solved[check - 1])
    run.press("Enter")
    expect(output).to_contain_text("Right")
    expect(entry).to_have_accessible_name(re.compile("done"))
    tab.goto(f"{host.url}notebooks/01-start-here/")
    lesson = tab.get_by_role("navigation", name="Navigation").get_by_role("link", name="1. Start here")
    expect(lesson).not_to_have_accessible_name(re.compile("done"))
    tab.locator(".run-bar").last.get_by_role("button").first.press("Enter")
    expect(lesson).to_have_accessible_name(re.compile("done"))


@long
def test_a_cell_without_an_end_is_stopped_and_a_new_python_goes_on(open_tab, host):
    tab = open_tab()
    tab.goto(f"{host.url}quickstart/")
    run, edit, status, output = bar(tab, 0)
    edit.click()
    expect(tab.get_by_label("The code of this cell")).to_be_focused()
    tab.keyboard.press("ControlOrMeta+A")
    tab.keyboard.insert_text("while True:\n    print('on and on')")
    run.click()
    expect(output).to_contain_text("on and on")
    other, _, waiting, _ = bar(tab, 1)
    other.click()
    expect(waiting).to_contain_text("Waiting")
    run.click()
    expect(status).to_contain_text("new Python")
    expect(waiting).to_have_text("Stopped.")
    other.click()
    expect(waiting).to_contain_text("Your output, just now.")


STARTS_PLAINLY = {
    "the snapshot is missing": ("**/snapshot-*.gz", lambda route: route.abort()),
    "the list is missing": ("**/start.json", lambda route: route.fulfill(status=404)),
    "the snapshot is another one": ("**/snapshot-*.gz", lambda route: route.fulfill(body=gzip.compress(bytes(1000)))),
    "nothing can unpack it": ("**/start.mjs", lambda route: first(route, "delete self.DecompressionStream;")),
    "memory is short": ("**/start.mjs", lambda route: first(route, REFUSED)),
}
REFUSED = """{
    const grow = WebAssembly.Memory.prototype.grow;
    let left = 8; // as often as Pyodide asks for less and less
    WebAssembly.Memory.prototype.grow = function (pages) { if (left-- > 0) throw new RangeError(); return grow.call(this, pages); };
}"""


def first(route, script):
    """Answer with a script before the file that was asked for."""
    answer = route.fetch()
    route.fulfill(response=answer, body=f"{script}\n{answer.text()}")


@long
@pytest.mark.parametrize("what", STARTS_PLAINLY)
def test_python_starts_without_its_snapshot(open_tab, host, what):
    tab = open_tab()
    tab.context.route(*STARTS_PLAINLY[what])
    warned = []
    tab.on("console", lambda message: warned.append(message.text))
    tab.goto(f"{host.url}quickstart/")
    run, _, status, output = bar(tab, 0)
    run.click()
    expect(status).to_contain_text("Your output, just now.")
    expect(output).to_contain_text("200 OK")
    assert any("without its snapshot" in text for text in warned)


@long
def test_python_needs_as_much_memory_as_the_docs_say_and_says_if_there_is_less(playwright, chromium_path, host):
    docs = (ROOT / "docs" / "reference" / "browsers.md").read_text(encoding="utf-8")
    [enough] = re.findall(r"(\d+) MB of memory", docs)
    for megabytes, says in ((int(enough), "Your output, just now."), (20, "did not start")):
        limit = f"--js-flags=--wasm-max-mem-pages={megabytes * 1_000_000 // 65_536}"
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=[*debian.CHROMIUM_OPTIONS, limit])
        tab = chromium.new_page()
        warned = []
        tab.on("console", lambda message, warned=warned: warned.append(message.text))
        tab.goto(f"{host.url}notebooks/04-call-the-api/")
        *_, last = tab.locator(".run-bar").all()
        last.get_by_role("button").first.click()
        expect(last.get_by_role("status")).to_contain_text(says)
        assert not any("without its snapshot" in text for text in warned)
        chromium.close()


@long
def test_python_that_cannot_start_says_why_and_run_tries_again(open_tab, host):
    tab = open_tab()
    tab.context.route("**/pyodide.asm.wasm", lambda route: route.abort())
    tab.goto(f"{host.url}quickstart/")
    run, _, status, output = bar(tab, 0)
    run.click()
    expect(status).to_contain_text("did not start")
    tab.context.unroute_all()
    run.click()
    expect(output).to_contain_text("200 OK")


@long
def test_a_panel_that_gets_no_answer_says_so_and_asks_again_when_told(open_tab, host):
    tab = open_tab()
    tab.context.route("**/pyodide.asm.wasm", lambda route: route.abort())
    asked = []
    tab.context.on("request", lambda request: "start.json" in request.url and asked.append(request))
    tab.goto(f"{host.url}notebooks/02-generate-a-token/")
    tab.get_by_role("button", name="Settings > API and .env").click()
    panel = tab.locator(".run-panel")
    expect(panel.get_by_role("status")).to_contain_text("could not be loaded")
    run, _, status, _ = bar(tab, 0)
    run.press("Enter")
    expect(status).to_contain_text("did not start")  # what waits for Python waits in a row
    assert len(asked) == 2
    tab.context.unroute_all()
    panel.get_by_role("button", name="Settings > API").click()
    expect(panel.frame_locator("iframe").get_by_role("heading", name="Log in")).to_be_visible()


@long
def test_a_link_of_a_notebook_leads_to_where_its_page_is(tab, host):
    open_notebook(tab, host, "notebooks/03-load-it-from-dotenv")
    for link, address in {
        "Call the API with your token": "tab/?notebook=notebooks/04-call-the-api.ipynb",
        "Exercises": "tab/?notebook=notebooks/exercises/03-load-it-from-dotenv.ipynb",
        "Why a token stops working": "reference/why-a-token-stops-working/",
        "environment variable": "reference/glossary/#environment-variable",
    }.items():
        with tab.context.expect_page() as page:
            tab.frame_locator("#notebook").get_by_role("link", name=link).last.click()
        page.value.wait_for_url(host.url + address)
        assert requests.get(page.value.url, timeout=PATIENCE).ok
        page.value.close()


@long
def test_the_menus_of_a_tab_have_what_texts_name(opened):
    for entry in IN_A_TAB:
        choose(opened.frame_locator("#notebook"), entry)
    assert "choose Run > Run All Above Selected Cell" in run_cell(opened, "a_name_of_a_cell_that_was_not_run")


@long
def test_nothing_in_a_tab_sends_the_learner_to_a_terminal(opened):
    said = run_cell(opened, f"{START.replace('8787', '8788')}")
    assert (
        said.startswith("No answer from http://127.0.0.1:8788")
        and f"{BASE_URL} answers: put that into .env as LINKED_IS_BASE_URL," in said
    )
    assert "terminal" not in said
