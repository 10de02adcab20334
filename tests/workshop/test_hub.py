"""The course on a JupyterHub: ten learners, each with a mock server and tokens of their own. And what Binder makes of it."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.repository.test_places import choose, save_env
from tests.server.test_browser import read_the_overview
from tools.judges import from_npm
from tools.running import PATIENCE, ROOT, copy_project, free_port, is_answered, wait_until

if sys.platform != "linux":
    pytest.skip("HUB SKIPPED: a hub runs on Linux", allow_module_level=True)

import websocket

PAGE = (ROOT / "docs" / "how-to" / "run-the-course-elsewhere.md").read_text(encoding="utf-8")
LEARNERS = [f"learner-{number:02}" for number in range(1, 11)]
PASSWORD = KEY = "for-this-test-only"
long = pytest.mark.long


@dataclass
class Hub:
    """A hub that runs, and what its administrator may ask it."""

    url: str
    homes: Path
    administrator: requests.Session

    def ask(self, method, path):
        return self.administrator.request(method, f"{self.url}hub/api{path}", timeout=PATIENCE)

    def start(self, name):
        """Start a learner's server, and wait for it."""
        assert self.ask("POST", f"/users/{name}/server").status_code in (201, 202)
        self.wait(name, lambda servers: servers and servers[""]["ready"])

    def stop(self, name):
        self.ask("DELETE", f"/users/{name}/server").raise_for_status()
        self.wait(name, lambda servers: not servers)

    def wait(self, name, enough):
        wait_until(lambda: enough(self.ask("GET", f"/users/{name}").json()["servers"]), self.log)

    def log(self):
        """Return the end of what the hub has printed."""
        return self.homes.with_name("hub.log").read_text(encoding="utf-8")[-3000:]

    def answers(self):
        try:
            return self.ask("GET", "/").ok
        except requests.ConnectionError:
            return False

    def settings(self, name):
        return (self.homes / name / "kit" / ".env").read_text(encoding="utf-8")

    def port(self, name):
        return int(re.search(r"^LINKED_IS_BASE_URL=http://127\.0\.0\.1:(\d+)/v1$", self.settings(name), re.MULTILINE)[1])

    def run(self, name, code):
        """Run code in a kernel of a learner, in the folder of the notebooks; return what it prints."""
        base = f"{self.url}user/{name}/"
        kernel = self.administrator.post(f"{base}api/kernels", json={"name": "python3", "path": "notebooks"}, timeout=PATIENCE)
        channel = websocket.create_connection(
            f"{base.replace('http', 'ws', 1)}api/kernels/{kernel.json()['id']}/channels",
            header=[f"Authorization: {self.administrator.headers['Authorization']}"],
            timeout=PATIENCE,
        )
        header = {"msg_id": "1", "msg_type": "execute_request", "username": "", "session": "1", "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": True}
        channel.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}))
        printed, idle = "", False
        while not idle:  # The reply comes on a channel of its own, at times before what the code has printed. "idle" comes last.
            message = json.loads(channel.recv())
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                printed += content["ename"] + ": " + content["evalue"]
            idle = kind == "status" and content["execution_state"] == "idle"
        channel.close()
        self.administrator.delete(f"{base}api/kernels/{kernel.json()['id']}", timeout=PATIENCE)
        return printed


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """The project as its administrator puts it somewhere: what git has, or will have."""
    return copy_project(tmp_path_factory.mktemp("opt") / "kit")


@pytest.fixture(scope="module")
def hub(kit, tmp_path_factory):
    """A hub with the configuration of the page. The tests' own environment stands for the course's."""
    folder = tmp_path_factory.mktemp("hub")
    homes = folder / "home"
    homes.mkdir()
    port, hub_port, proxy_port = free_port(), free_port(), free_port()
    configuration = re.search(r'^```python title="jupyterhub_config.py"\n(.*?)^```', PAGE, re.MULTILINE | re.DOTALL)[1]
    assert "/opt/kit" in configuration and "/opt/course/bin/" in configuration
    configuration = configuration.replace("/opt/kit", str(kit)).replace("/opt/course", sys.prefix)
    node, proxy = shutil.which("node"), from_npm("configurable-http-proxy/bin/configurable-http-proxy")
    (folder / "jupyterhub_config.py").write_text(
        f"""{configuration}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{homes}/{{username}}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{PASSWORD}"
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = ["{node}", "{proxy}"]
c.JupyterHub.services = [{{"name": "test", "api_token": "{KEY}"}}]
c.JupyterHub.load_roles = [{{"name": "test", "scopes": ["admin:users", "admin:servers", "access:servers"], "services": ["test"]}}]
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {PATIENCE}
""",
        encoding="utf-8",
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINKED_IS_")}
    with (folder / "hub.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", "jupyterhub_config.py"],
            cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    administrator = requests.Session()
    administrator.headers["Authorization"] = f"token {KEY}"
    hub = Hub(f"http://127.0.0.1:{port}/", homes, administrator)
    try:
        wait_until(lambda: process.poll() is not None or hub.answers(), hub.log)
        assert process.poll() is None, hub.log()
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def class_of_ten(hub):
    """Ten servers, started three at a time."""
    for name in LEARNERS:
        assert hub.ask("POST", f"/users/{name}").status_code == 201
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(hub.start, LEARNERS))
    return hub


CALL = """
import os
import requests
from dotenv import load_dotenv
load_dotenv(override=True)
def status(token):
    header = {"Authorization": f"Bearer {token}"}
    return requests.get(os.environ["LINKED_IS_BASE_URL"] + "/links", headers=header, timeout=10).status_code
"""


def generate(page, hub, name, email="me@example.com"):
    """Do what a learner does in the browser: log in to the hub, sign up at the mock server, generate a token."""
    page.goto(f"{hub.url}user/{name}/mock-server/settings/api")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Log in").wait_for()
    assert page.url == f"{hub.url}user/{name}/mock-server/login"
    page.wait_for_load_state()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") != "0px"  # the style sheet came
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Name").fill("By hand")
    page.get_by_role("button", name="Generate New Token").click()
    return page.locator("#token").inner_text()


@long
def test_ten_learners_have_ten_mock_servers_and_their_own_tokens(class_of_ten, browser):
    hub, tokens = class_of_ten, {}
    assert len({hub.port(name) for name in LEARNERS}) == len(LEARNERS)
    for name in LEARNERS:
        context = browser.new_context()
        tokens[name] = generate(context.new_page(), hub, name)
        paths = [cookie["path"] for cookie in context.cookies() if cookie["name"].startswith("mock_session")]
        assert paths == [f"/user/{name}/mock-server"]
        context.close()
    others = dict(zip(LEARNERS, [*LEARNERS[1:], LEARNERS[0]], strict=True))
    for name in LEARNERS:
        assert hub.run(name, f"{CALL}print(status({tokens[name]!r}), status({tokens[others[name]]!r}))") == "200 401\n"


@long
def test_the_page_below_the_hub_does_all_that_it_does_elsewhere(class_of_ten, browser):
    name = LEARNERS[0]
    context = browser.new_context()
    page = context.new_page()
    failed = []
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    token = generate(page, class_of_ten, name, email="again@example.com")
    address = f"{class_of_ten.url}user/{name}/mock-server/login"  # A hub has a name of its own, and the proxy keeps it.
    assert class_of_ten.administrator.get(address, headers={"Host": "hub.example.com"}, timeout=PATIENCE).status_code == 200
    page.get_by_role("link", name="Try the API").click()
    read_the_overview(page, token)
    page.locator(".live-responses-table", has_text="3022").wait_for()
    page.goto(f"{class_of_ten.url}user/{name}/mock-server/")
    page.get_by_role("link", name="Revoke By hand").click()
    page.get_by_role("button", name="Revoke").click()
    page.locator(".state", has_text="revoked").wait_for()
    assert class_of_ten.run(name, f"{CALL}print(status({token!r}))") == "401\n"
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Log in").wait_for()
    page.goto(f"{class_of_ten.url}user/{name}/mock-server/settings/no/such/page")
    page.get_by_role("link", name="Go to Settings > API").click()
    page.get_by_role("heading", name="Log in").wait_for()
    assert [url for url in failed if "no/such/page" not in url] == []
    context.close()


@long
def test_a_mock_server_ends_with_its_learner_and_keeps_what_it_knew(class_of_ten):
    hub, name = class_of_ten, LEARNERS[3]
    make = """
from mock_server.settings_page import SettingsPage
page = SettingsPage(os.environ["LINKED_IS_BASE_URL"])
page.sign_up()
print(page.generate_token())
"""
    token, port = hub.run(name, CALL + make).strip(), hub.port(name)
    hub.stop(name)
    wait_until(lambda: not is_answered(port), lambda: "the mock server goes on without its learner")
    hub.start(name)
    assert hub.port(name) == port
    assert hub.run(name, f"{CALL}print(status({token!r}))") == "200\n"


@long
def test_a_notebook_opens_where_the_page_says_and_runs(class_of_ten, browser):
    name = LEARNERS[1]
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(f"{class_of_ten.url}user/{name}/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/lab/tree/notebooks/01-start-here.ipynb**", timeout=1000 * PATIENCE)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=1000 * PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".jp-OutputArea-output", has_text="You're ready.").wait_for(timeout=1000 * PATIENCE)
    choose(page, "File > New Launcher").click()
    page.locator(".jp-LauncherCard", has_text="Settings > API").wait_for()
    save_env(page, class_of_ten.homes / name / "kit")
    context.close()


def start(folder, *command, settings=None):
    """Run binder/start in a copy of the kit, with a command that ends at once; return what was printed."""
    (folder / "binder").mkdir(parents=True)
    shutil.copy(ROOT / "binder" / "start", folder / "binder")
    shutil.copy(ROOT / ".env.example", folder)
    if settings is not None:
        (folder / ".env").write_text(settings, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(folder / "binder" / "start"), *command], cwd=folder, capture_output=True, text=True, timeout=PATIENCE
    )


SHOWN = ["JUPYTER_CONFIG_PATH", "LINKED_IS_MOCK_SERVER_PORT", "LINKED_IS_NO_ANSWER"]
SHOW = f"import os; print(*map(os.getenv, {SHOWN}), sep='\\n')"


def test_the_start_takes_another_port_where_a_neighbour_has_it_and_keeps_the_rest_of_env(tmp_path):
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", 0))
        neighbour.listen()
        taken = neighbour.getsockname()[1]
        mine = f"# mine\nLINKED_IS_API_TOKEN=\nLINKED_IS_BASE_URL=http://127.0.0.1:{taken}/v1\nOTHER='a b'\n"
        ran = start(tmp_path, sys.executable, "-c", SHOW, settings=mine)
    settings, port, *advice = ran.stdout.splitlines()
    assert settings.split(os.pathsep) == [str(tmp_path / "binder"), str(tmp_path)]
    assert any(line.startswith(f"cd {shlex.quote(str(tmp_path))} ") and f"mock_server --port {port} " in line for line in advice)
    port = int(port)
    assert port != taken and f"Port {taken} is taken" in ran.stderr and "Mock server ready" in ran.stderr
    assert (tmp_path / ".env").read_text(encoding="utf-8") == mine.replace(str(taken), str(port))


def test_the_start_leaves_linked_is_alone(tmp_path):
    mine = "LINKED_IS_BASE_URL=https://api.linked.is/v1\n"
    ran = start(tmp_path, sys.executable, "-c", SHOW, settings=mine)
    assert ran.stdout == f"{tmp_path}\nNone\nNone\n" and "no mock server is started" in ran.stderr
    assert (tmp_path / ".env").read_text(encoding="utf-8") == mine


def test_the_start_wants_a_command(tmp_path):
    ran = start(tmp_path)
    assert ran.returncode == 1 and "Name the command to run" in ran.stderr


@pytest.mark.check
def test_binder_has_the_proxy_that_the_tests_have():
    wanted = re.search(r"^jupyter-server-proxy==(\S+)", (ROOT / "binder" / "requirements.txt").read_text(), re.MULTILINE)[1]
    assert f"\njupyter-server-proxy=={wanted} " in (ROOT / "requirements" / "test.txt").read_text(encoding="utf-8")


def test_binder_would_install_the_kit_and_begin_with_its_start(kit):
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id=1000", "--user-name=jovyan", str(kit)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert made.returncode == 0, made.stderr
    recipe = made.stdout + made.stderr
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in recipe
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in recipe
    assert re.search(r"environment-2epy-2d3-2e12", recipe)  # the Python of binder/runtime.txt
    assert os.access(kit / "binder" / "start", os.X_OK)
