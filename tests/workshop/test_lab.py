"""``python lab.py``: both programs start, each on the address that `.env` names, or it says why they do not."""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import requests
from dotenv import dotenv_values

import lab
from tools.running import PATIENCE, ROOT, MockServer, free_port, is_answered, wait_until

NAME = lab.BASE_URL


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A folder with what is needed to start: the settings there are the example's. No variable stands above them."""
    monkeypatch.delenv(NAME)
    for name in ("lab.py", "jupyter_server_config.py", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("mock_server", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    monkeypatch.setattr(lab, "SETTINGS", tmp_path / ".env")
    return tmp_path


def start(kit, *options):
    """Return what it says to the end, and its exit code."""
    done = subprocess.run([sys.executable, "lab.py", *options], cwd=kit, capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout + done.stderr, done.returncode


def test_a_port_is_kept_in_env_which_else_stays_as_it_is(kit):
    before = (kit / ".env").read_text(encoding="utf-8")
    assert lab.port_of_mock_server(None) == 8787
    assert (kit / ".env").read_text(encoding="utf-8") == before
    assert lab.port_of_mock_server(8788) == lab.port_of_mock_server(None) == 8788
    assert (kit / ".env").read_text(encoding="utf-8") == before.replace(":8787/v1", ":8788/v1")


@pytest.mark.parametrize("base_url", ["https://api.linked.is/v1", "http://192.0.2.7:8787/v1"])
def test_for_a_service_on_another_computer_no_mock_server_starts(kit, capsys, base_url):
    (kit / ".env").write_text(f"{NAME}={base_url}\n", encoding="utf-8")
    assert lab.port_of_mock_server(8788) is None
    assert "no mock server is started" in capsys.readouterr().err
    assert dotenv_values(kit / ".env") == {NAME: base_url}


def test_a_check_asks_the_server_of_a_class_and_says_what_to_do(kit):
    (kit / ".env").write_text(f"{NAME}=http://127.0.0.2:{free_port()}/v1\n", encoding="utf-8")
    said, code = start(kit, "--check")
    assert code == 1 and "127.0.0.2 does not answer" in said and "Ready." not in said and "Traceback" not in said


def test_a_base_url_that_is_none_is_told(kit):
    (kit / ".env").write_text(f"{NAME}=http://127.0.0.1:port/v1\n", encoding="utf-8")
    said, code = start(kit)
    assert code == 1 and f"{NAME} in .env is no address" in said and "Traceback" not in said


def test_a_new_env_is_for_its_owner_and_a_taken_port_is_told_with_what_to_type(kit):
    (kit / ".env").unlink()
    with socket.create_server(("127.0.0.1", 0)) as neighbour:
        port = neighbour.getsockname()[1]
        said, code = start(kit, "--port", str(port))
    assert code == 1 and f"Port {port} is taken" in said
    assert f"--port {port + 1}" in said and f"make lab PORT={port + 1}" in said and "--no-mock-server" in said
    assert "Mock server ready" not in said and "Traceback" not in said
    assert os.name == "nt" or (kit / ".env").stat().st_mode & 0o077 == 0


def test_without_a_mock_server_jupyterlab_does_not_start(kit):
    (kit / "mock-server.db").write_text("This is no database.", encoding="utf-8")
    said, code = start(kit, "--port", str(free_port()))
    assert code == 1 and "The mock server did not start" in said and "JupyterLab was not started" in said


def test_in_a_browser_the_site_of_a_zip_runs_without_an_installation_whatever_types_the_system_knows(kit):
    page = kit / "in-a-browser" / "notebooks" / "01-start-here"
    page.mkdir(parents=True)
    (page / "index.html").write_text("Here it runs.", encoding="utf-8")
    for name in ("run.mjs", "run.js", "python.wasm", "page.css"):
        (page / name).touch()
    port = free_port()
    # As on a Windows where another program has changed the types. With -S, no package is there.
    spoiled = "import mimetypes, runpy; [mimetypes.add_type('text/plain', end) for end in ('.js', '.mjs', '.css', '.wasm')]"
    command = [sys.executable, "-S", "-c", f"{spoiled}; runpy.run_path('lab.py', run_name='__main__')"]
    options = ["--in-a-browser", "--no-browser", "--port", str(port)]
    program = subprocess.Popen([*command, *options], cwd=kit, stderr=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{port}/notebooks/01-start-here/"
        assert address in program.stderr.readline()
        wait_until(lambda: is_answered(port))
        assert requests.get(address, timeout=PATIENCE).text == "Here it runs."
        types = [requests.get(address + name, timeout=PATIENCE).headers["Content-Type"] for name in ("run.mjs", "run.js")]
        assert types == ["text/javascript"] * 2
        assert requests.get(f"{address}python.wasm", timeout=PATIENCE).headers["Content-Type"] == "application/wasm"
        said, code = start(kit, *options)
        assert code == 1 and f"--in-a-browser --port {port + 1}" in said
    finally:
        program.terminate()
        program.communicate()


def test_an_older_python_can_read_it_and_says_what_to_do():
    ast.parse((ROOT / "lab.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_an_env_that_nobody_can_read_is_told(kit):
    (kit / ".env").write_text(f"{NAME}=", encoding="utf-16")  # as PowerShell's > writes it
    said, code = start(kit, "--check")
    assert code == 1 and ".env can't be read" in said and "Traceback" not in said and "Ready" not in said


def test_a_check_of_a_taken_port_says_what_to_do(kit, own_index):
    port = int(own_index.rpartition(":")[2])
    said, code = start(kit, "--check", "--port", str(port))
    assert code == 1 and "Not ready." in said and f"--port {port + 1}" in said


@pytest.mark.long
def test_a_check_says_ready_or_what_to_do_and_leaves_nothing_running(kit):
    port = free_port()
    said, code = start(kit, "--check", "--port", str(port))
    assert code == 0 and said.count("Ready.") == 1 and "token=" not in said, said
    assert not is_answered(port)
    with MockServer() as server:  # A learner's own: they have left the course open.
        said, code = start(kit, "--check", "--port", server.origin.rpartition(":")[2])
        assert code == 0 and "Ready." in said, said
    said, code = start(kit, "--check", "--port", str(port), "--ServerApp.port=none")
    assert code == 1 and "JupyterLab has ended" in said and "port" in said and "Ready." not in said


OWN_SETTINGS = {"PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1", "PIP_TARGET": "elsewhere", "PIP_PREFIX": "/elsewhere"}


def wheel(path, name, files):
    """Write a wheel of a package that has nothing but these files."""
    info = f"{name}-1.dist-info"
    files |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as file:
        for one, text in {**files, f"{info}/RECORD": record}.items():
            (entry := zipfile.ZipInfo(one)).external_attr = 0o100755 << 16
            file.writestr(entry, text)


BUILT_BY_ITSELF = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "itself"
version = "1"
"""
BACKEND = """\
import shutil

def build_editable(folder, *others):
    return shutil.copy("itself-1-py3-none-any.whl", folder).rpartition("/")[2]
"""


@pytest.fixture
def own_index(tmp_path):
    """The address of an index that has two packages: one for the course, and uv, by which make installs."""
    uv = str(Path(sys.executable).with_name("uv"))
    script = f"#!python\nimport os, sys\nos.execv({uv!r}, [{uv!r}, *sys.argv[1:]])\n"
    for name, files in {"tiny": {"tiny.py": ""}, "uv": {"uv-1.data/scripts/uv": script}}.items():
        (tmp_path / "index" / name).mkdir(parents=True)
        wheel(tmp_path / "index" / name / f"{name}-1-py3-none-any.whl", name, files)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path / "index")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as index:
        threading.Thread(target=index.serve_forever).start()
        yield f"http://127.0.0.1:{index.server_port}"
        index.shutdown()


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
@pytest.mark.parametrize(
    "by", [[sys.executable, "-c", "import lab; lab.install()"], ["make", ".venv/learn"]], ids=["lab.py", "make"]
)
@pytest.mark.parametrize("said_in", ["the environment", "pip.conf"])
def test_the_environment_is_made_whatever_pip_was_told_and_from_the_index_that_it_was_told(by, said_in, own_index, tmp_path):
    kit = tmp_path / "kit"
    kit.mkdir()
    for name in ("lab.py", "Makefile"):
        shutil.copy(ROOT / name, kit)
    (kit / "requirements").mkdir()
    for reader, name in {"learn": "tiny", "uv": "uv"}.items():
        file = tmp_path / "index" / name / f"{name}-1-py3-none-any.whl"
        known = f"{name}==1 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        (kit / "requirements" / f"{reader}.txt").write_text(known, encoding="utf-8")
    # The mock server's place is taken by a project that is built without another package.
    (kit / "pyproject.toml").write_text(BUILT_BY_ITSELF, encoding="utf-8")
    wheel(kit / "itself-1-py3-none-any.whl", "itself", {})
    (kit / "backend.py").write_text(BACKEND, encoding="utf-8")
    (tmp_path / "constraint.txt").write_text("tiny==2\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    environment |= {"UV_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text(
        f"[global]\nindex-url = {own_index}\nuser = yes\nrequire-virtualenv = yes\n" if said_in == "pip.conf" else "",
        encoding="utf-8",
    )
    if said_in == "the environment":
        environment |= {**OWN_SETTINGS, "PIP_INDEX_URL": own_index, "PIP_CONSTRAINT": str(tmp_path / "constraint.txt")}
    made = subprocess.run(by, cwd=kit, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert made.returncode == 0, made.stdout + made.stderr
    subprocess.run([kit / ".venv" / "bin" / "python", "-c", "import tiny"], check=True)
    assert not (kit / "elsewhere").exists()
    if (
        by[0] != "make" and said_in == "pip.conf"
    ):  # Who moves the folder, starts it again there: it installs what names the folder.
        kit = kit.rename(tmp_path / "moved")
        subprocess.run(by, cwd=kit, env=environment, check=True)
        assert str(kit) in (kit / ".venv" / "pyvenv.cfg").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="no other program sends Ctrl-C there")
def test_it_ends_with_the_addresses_says_when_the_mock_server_has_ended_and_ctrl_c_ends_the_rest(kit):
    port, jupyter = free_port(), free_port()
    command = [sys.executable, "lab.py", "--port", str(port), f"--ServerApp.port={jupyter}", "--no-browser"]
    with (kit / "log").open("w") as log:
        program = subprocess.Popen(command, cwd=kit, stdout=log, stderr=log, start_new_session=True)
    said = (kit / "log").read_text
    wait_until(lambda: "Ctrl-C stops" in said(), said)
    assert is_answered(port) and is_answered(jupyter)
    page, end = f"http://127.0.0.1:{port}/settings/api", said().rpartition("token=")[2]
    assert page in end and len(said().splitlines()) < 20
    [server] = [child for child in psutil.Process(program.pid).children() if "mock_server" in child.cmdline()]
    server.kill()
    wait_until(lambda: "THE MOCK SERVER HAS ENDED" in said(), said)
    assert requests.get(f"http://127.0.0.1:{jupyter}/api", timeout=PATIENCE).ok
    program.send_signal(signal.SIGINT)
    assert program.wait(PATIENCE) == 0, said()
    assert not is_answered(jupyter) and "Traceback" not in said()
