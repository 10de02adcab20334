"""Clients that others generate from the published contract call every operation, and lose nothing of an answer."""

import inspect
import json
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pkgutil import walk_packages
from typing import get_args

import pytest

from mock_server.contract import openapi
from publish.operations import operations
from tools.debian import need
from tools.judges import from_npm
from tools.running import PATIENCE

pytestmark = pytest.mark.long


@pytest.fixture
def contract(tmp_path):
    """The file that the site publishes."""
    (tmp_path / "openapi.json").write_text(json.dumps(openapi()), encoding="utf-8")
    return tmp_path / "openapi.json"


@pytest.fixture
def token(page):
    """A token of a new account. A reset after each operation puts back what the next one needs."""
    return page.generate_token()


def run(folder, *command):
    """Run a command to its end, and return what it printed."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_client_of_openapi_python_client_calls_every_operation(contract, server, token, monkeypatch):
    folder = contract.parent
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(contract), "--meta", "none"]
    printed = run(folder, *generate, "--output-path", "generated_client")
    assert "unsupported" not in printed.lower() and "Unable" not in printed, printed
    monkeypatch.syspath_prepend(str(folder))
    client_of = import_module("generated_client").AuthenticatedClient
    packages = walk_packages(import_module("generated_client.api").__path__, "generated_client.api.")
    client = client_of(server.origin, token, timeout=PATIENCE)
    modules = {name.rpartition(".")[2]: name for _, name, _ in packages}
    for operation in operations():
        called = import_module(modules[operation.anchor.replace("-", "_")])
        types = {name: one.annotation for name, one in inspect.signature(called._get_kwargs).parameters.items()}
        sent = {
            **operation.path_values,
            **operation.example_query,
            **({"body": operation.example_body} if operation.body else {}),
        }
        values = {name: as_one_of(get_args(types[name]) or (types[name],), value) for name, value in sent.items()}
        answer = called.sync_detailed(client=client, **values)
        import_module(modules["reset"]).sync_detailed(client=client)
        assert answer.status_code == operation.success, operation.anchor
        if operation.data:
            told = json.loads(answer.content)
            assert with_zones(answer.parsed.to_dict()) == with_zones(told), operation.anchor


def as_one_of(types, value):
    """Return a value as one of the client's types: the first that takes it."""
    for one in types:
        with suppress(KeyError, ValueError, TypeError):
            return value if one is type(value) else read(one, value)
    raise AssertionError(f"no type of {types} takes {value}")


def read(kind, value):
    """Return a value as the client spells it: an object, a time, or one of an enumeration."""
    if isinstance(value, dict):
        return kind.from_dict(value)
    return kind.fromisoformat(value) if kind is datetime else kind(value)


def with_zones(told):
    """Spell each time in the way of Python."""
    return json.loads(json.dumps(told, default=str).replace('Z"', '+00:00"'))


def test_the_client_of_hey_api_calls_every_operation(contract, server, token):
    need("node")
    folder = contract.parent
    run(folder, "node", str(from_npm("@hey-api/openapi-ts/bin/run.js")), "--input", str(contract), "--output", "client")
    config = {"baseUrl": server.origin, "auth": token, "redirect": "manual"}
    calls = [f"const client = createClient({json.dumps(config)});"]
    for number, operation in enumerate(operations()):
        sent = {"path": operation.path_values, "query": operation.example_query, "body": operation.example_body}
        literal = "".join(f", {name}: {json.dumps(value)}" for name, value in sent.items() if value)
        calls += [
            f"const it{number} = await api.{operation.node['operationId']}({{ client{literal} }});",
            f"console.log(JSON.stringify(['{operation.anchor}', it{number}.response?.status, it{number}.data ?? null]));",
            "await api.reset({ client });",
        ]
        if operation.path.startswith("/v1"):  # the type of an error says what its code may be
            calls.append(f"const code{number}: api.ErrorCode | undefined = it{number}.error?.error.code;")
    imports = ["import * as api from './client';", "import { createClient } from './client/client';"]
    program = [*imports, "async function main() {", *calls, "}", "main();"]
    (folder / "calls.ts").write_text("\n".join(program), encoding="utf-8")
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs", "--outDir", "run"]
    run(folder, "node", str(from_npm("typescript/bin/tsc")), *options, "calls.ts")
    printed = run(folder, "node", "run/calls.js")
    answers = {anchor: (status, data) for anchor, status, data in map(json.loads, printed.splitlines())}
    assert {anchor: status for anchor, (status, _) in answers.items()} == {one.anchor: one.success for one in operations()}
    assert all(data["success"] is True for anchor, (_, data) in answers.items() if "links" in anchor)
