"""The servers to compare: ours, bare uvicorn, and the peers from npm that read the same document."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path
from typing import Any

from bench.client import ask
from bench.document import LINKS, derive
from bench.process import PORT, SERVER_CORES, CannotMeasure, Server
from tools.running import ROOT

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
NODE = MODULES / "node" / "bin" / "node"
PRISM = MODULES / "@stoplight" / "prism-cli" / "dist" / "index.js"
MOCKOON = MODULES / "@mockoon" / "cli" / "bin" / "run.js"
DOCUMENT = ROOT / "mock_server" / "openapi.yaml"

# A package of Prism's would report its installation.
SILENT = {"SCARF_ANALYTICS": "false", "DO_NOT_TRACK": "1"}


def ours(name: str, database: Path | str, token: str = "", cores: list[int] = SERVER_CORES) -> Server:
    """Return the mock server. It is up when it lets the token in, or, without one, when it refuses."""
    command = [sys.executable, "-m", "bench.server", "--quiet", "--port", PORT, "--database", str(database)]
    return Server(name, command, lambda port: status(port, token), 200 if token else 401, cores=cores)


def bare(folder: Path) -> Server:
    """Return bare uvicorn."""
    command = [sys.executable, "-m", "bench.bare", PORT, str(folder / "listed.json"), str(folder / "made.json")]
    return Server("bare uvicorn", command, status)


def prism(folder: Path) -> Server:
    """Return Prism with its log off, reading the contract in the folder."""
    command = [str(NODE), str(PRISM), "mock", str(folder / "contract.json"), "--port", PORT, "--verboseLevel", "silent"]
    return Server("Prism", command, status, environment=SILENT)


def mockoon(folder: Path) -> Server:
    """Return Mockoon with what can be turned off turned off, reading what it imported from the contract."""
    command = [str(NODE), str(MOCKOON), "start", "--data", str(folder / "mockoon.json"), "--port", PORT]
    options = ["--hostname", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api"]
    return Server("Mockoon", [*command, *options], status, environment=SILENT)


def status(port: int, token: str = "any") -> int | str:
    """Return the status with which the server answers, or the error in its place."""
    try:
        return ask(port, "GET", LINKS, token)[0]
    except (OSError, HTTPException) as error:
        return type(error).__name__


def install() -> None:
    """Install the peers from npm, at the versions of the lock file. Raises CannotMeasure."""
    if NODE.exists() and PRISM.exists() and MOCKOON.exists():
        return
    if not shutil.which("npm"):
        raise CannotMeasure("Prism and Mockoon: they come from npm, and npm is not installed.")
    print("Installing the peers from npm, some 400 MB …", flush=True)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=FOLDER, env={**os.environ, **SILENT}, check=False).returncode:
        raise CannotMeasure(f"Prism and Mockoon: npm could not install them. Try it by hand: cd {FOLDER.name}; npm ci")


def write_contract(folder: Path, listed: bytes, made: bytes) -> None:
    """Write what the peers read into the folder. Raises CannotMeasure."""
    (folder / "contract.json").write_text(json.dumps(derive(DOCUMENT, listed, made)), encoding="utf-8")
    data = folder / "mockoon.json"
    command = [str(NODE), str(MOCKOON), "import", "--input", str(folder / "contract.json"), "--output", str(data)]
    done = subprocess.run(command, env={**os.environ, **SILENT}, capture_output=True, text=True, check=False)
    if done.returncode or not data.exists():
        raise CannotMeasure(f"Mockoon could not import the document. {done.stderr.strip()[-500:]}")
    environment = json.loads(data.read_text(encoding="utf-8"))
    # Its import makes a body up from the schema. A fixed body needs no template, which is faster.
    set_body(environment, "get", 200, listed)
    set_body(environment, "post", 201, made)
    data.write_text(json.dumps(environment), encoding="utf-8")


def set_body(environment: dict[str, Any], method: str, status: int, body: bytes) -> None:
    """Make Mockoon answer with this status and body."""
    for route in environment["routes"]:
        if (route["method"], "/" + route["endpoint"]) == (method, LINKS):
            for response in route["responses"]:
                response["default"] = response["statusCode"] == status
                if response["default"]:
                    response.update(body=body.decode(), disableTemplating=True)
