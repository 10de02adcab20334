"""`docker/`, without Docker: the image gets what it needs, its commands do what they say, and both files are well formed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import yaml

from tools.running import PATIENCE, ROOT, MockServer, free_port

FOLDER = ROOT / "docker"
LINES = re.findall(r"^([A-Z]+) (.+)$", (FOLDER / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
IMAGE = dict(LINES)
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]


def command_of(instruction):
    """Return the command of an instruction in its exec form, run by this Python."""
    program, *arguments = json.loads(re.search(r"\[.+\]", IMAGE[instruction])[0])
    found = sys.executable if program == "python" else shutil.which(program, path=Path(sys.executable).parent)
    assert found, f"{program} is not installed beside this Python"
    return [found, *arguments]


@pytest.fixture
def container():
    """The mock server as the Compose file starts it, on a free port."""
    _, *arguments = command_of("ENTRYPOINT")
    with MockServer(*arguments, *COMPOSE["linked-is"]["command"]) as server:
        yield server


def test_the_image_gets_what_an_installation_needs_and_no_more():
    copied = [name for instruction, rest in LINES if instruction == "COPY" for name in rest.split()[:-1]]
    assert copied == ["pyproject.toml", "LICENSE", "mock_server"] and all((ROOT / name).exists() for name in copied)
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored and sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied)


def test_nobody_is_root_when_it_starts():
    instructions = [instruction for instruction, _ in LINES]
    assert not IMAGE["USER"].startswith(("0", "root"))
    assert instructions.index("USER") > max(place for place, name in enumerate(instructions) if name == "RUN")


def test_the_program_of_the_image_starts():
    ended = subprocess.run([*command_of("ENTRYPOINT"), "--help"], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0 and "--host-name" in ended.stdout


def test_the_health_check_tells_a_server_that_answers_from_one_that_does_not(container):
    port = urlsplit(container.base_url).port
    check = [argument.replace("8787", str(port)) for argument in command_of("HEALTHCHECK")]
    assert subprocess.run(check, timeout=PATIENCE).returncode == 0
    nobody = [argument.replace("8787", str(free_port())) for argument in command_of("HEALTHCHECK")]
    assert subprocess.run(nobody, stderr=subprocess.DEVNULL, timeout=PATIENCE).returncode != 0


def test_the_other_service_reaches_it_by_the_name_of_the_service(container):
    name = urlsplit(COMPOSE["tests"]["environment"]["LINKED_IS_BASE_URL"]).hostname
    assert name in COMPOSE and COMPOSE[name]["command"][-2:] == ["--host-name", name]
    assert COMPOSE["tests"]["depends_on"] == {name: {"condition": "service_healthy"}}
    here = container.base_url.replace("0.0.0.0", "127.0.0.1")

    def health(host):
        return requests.get(f"{here.removesuffix('/v1')}/_mock/health", headers={"Host": f"{host}:8787"}, timeout=PATIENCE)

    assert health(name).status_code == 200
    refused = health("another-service")
    assert refused.status_code == 403 and "--host-name" in refused.json()["error"]["message"]
    _, *program = COMPOSE["tests"]["entrypoint"]
    environment = {"LINKED_IS_BASE_URL": here, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, *program], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert "state='active'" in ended.stdout, ended.stderr


def test_the_compose_file_has_the_form_that_compose_reads():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FOLDER / "compose.yaml"]
    assert subprocess.run(command, timeout=PATIENCE).returncode == 0
