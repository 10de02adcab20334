"""The mock server for assistants: its controls and its contract as tools of the Model Context Protocol, over stdio.

``python -m mock_server.assistant`` is what an assistant starts. It needs the package ``mcp``. No tool returns a token.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import requests
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from mock_server.contract import openapi, resolved
from mock_server.tokens import redact

TIMEOUT = 60  # seconds: a fault may be slow
PATIENCE = 10  # seconds for the end of the mock server
INSTRUCTIONS = (
    "A mock of the linked.is API on this computer. Call start first: it says at which base URL the API is, and in which file a token "
    "for the program under test. Give the program the path of the file, or its content in the environment variable "
    "LINKED_IS_API_TOKEN; never print the token, and put it into no source code. Order a fault, run the program, then list the requests."
)
Fault = Literal["500", "503", "429", "slow", "timeout", "drop", "no-answer", "lost-answer", "none"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
server = MCPServer("linked.is mock server", instructions=INSTRUCTIONS)


class Mock:
    """The mock server that the tools act on: at most one, in memory, in a process of its own."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.folder = ""
        self.base_url = ""

    @property
    def token_file(self) -> Path:
        """The file with the token of an account."""
        return Path(self.folder) / "token"

    def start(self) -> None:
        """Start it, unless it runs. Raises ToolError."""
        if self.process and self.process.poll() is None:
            return
        self.stop()
        self.folder = tempfile.mkdtemp(prefix="linked-is-mock-")  # for its owner alone
        command = [sys.executable, "-m", "mock_server", "--port", "0", "--database", ":memory:", "--quiet"]
        command += ["--token-file", str(self.token_file)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline() if self.process.stdout else ""
        if "API base URL: " not in line:
            self.stop()
            raise ToolError("The mock server did not start. The log of this program says why.")
        self.base_url = line.split("API base URL: ")[1].split()[0]

    def stop(self) -> None:
        """End it, if it runs, and remove the token."""
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)
            if self.process.stdout:
                self.process.stdout.close()
            self.process = None
            shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method: str, address: str, token: str = "", **options: Any) -> dict[str, Any]:
        """Send a request; return status, headers and body of the answer, with each token in it hidden. Raises ToolError."""
        if not self.process:
            raise ToolError("The mock server isn't started. Call start first.")

        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy, and nothing from .netrc in the place of the token
                session.headers.update({"Authorization": f"Bearer {token}"} if token else {})
                answer = session.request(method, address, allow_redirects=False, timeout=TIMEOUT, **options)
        except requests.RequestException as error:
            return {"no_answer": type(error).__name__}
        shown = {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.text}
        is_json = answer.headers.get("content-type") == "application/json"
        hidden: dict[str, Any] = json.loads(redact(json.dumps(shown | ({"body": answer.json()} if is_json else {}))))
        return hidden

    def control(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Use a control for all accounts; return what it says. Raises ToolError, with the reason, if it refuses."""
        said = self.ask(method, f"{self.base_url.removesuffix('/v1')}/_mock{path}", **options)
        body = said.get("body", {})
        if not body.get("success"):
            raise ToolError(body.get("error", {}).get("message", "The mock server doesn't answer. Call start again."))
        data: dict[str, Any] = body["data"]
        return data


mock = Mock()


@server.tool()
def start() -> dict[str, str]:
    """Start the mock server, in memory, with one account. It says the base URL, the Settings page, and the file with a token."""
    mock.start()
    page = f"{mock.base_url.removesuffix('/v1')}/settings/api"
    return {"base_url": mock.base_url, "settings_page": page, "token_file": str(mock.token_file)}


@server.tool()
def stop() -> str:
    """Stop the mock server. All that it had is gone, the file with the token too."""
    mock.stop()
    return "Stopped."


@server.tool()
def contract(operation: str = "") -> list[dict[str, Any]]:
    """List the operations, or describe those with this operationId, tag or path: parameters, body, answers.

    x-origin says who states a fact: seed and public-docs are documented by linked.is, assumed holds for the mock server only.
    """
    found = []
    for path, item in openapi()["paths"].items():
        for method, node in item.items():
            if method == "parameters" or (operation and operation not in (node["operationId"], path, *node["tags"])):
                continue
            names = ("operationId", "summary", "x-origin")
            about = {"method": method.upper(), "path": path, **{name: node[name] for name in names}}
            if operation:
                about |= whole({**node, "parameters": [*item.get("parameters", []), *node.get("parameters", [])]})
            found.append(about)
    return found


def whole(node: Any) -> Any:
    """Return a part of the contract with all that it refers to."""
    if isinstance(node, dict):
        return {name: whole(inner) for name, inner in resolved(node).items()}
    return [whole(inner) for inner in node] if isinstance(node, list) else node


@server.tool()
def order_fault(
    fault: Fault,
    calls: int = 1,
    seconds: float | None = None,
    header: Literal["seconds", "date", "none"] | None = None,
    method: Method | None = None,
    path: str | None = None,
    add: bool = False,
) -> dict[str, Any]:
    """Let the next calls of the API fail. A fault takes the place of those that wait, unless it is added to them.

    no-answer: the line drops before the status. lost-answer: so too, but the call is carried out. none: takes all back.
    seconds: how long it takes, or how long a 429 or a 503 asks to wait; header: how Retry-After says it. method and path: only
    these calls fail; in the path, which begins with /v1, * stands for one part, as in /v1/links/*.
    """
    order = {"fault": fault, "calls": calls, "seconds": seconds, "header": header, "method": method, "path": path, "add": add}
    return mock.control("POST", "/faults", json={name: value for name, value in order.items() if value is not None})


@server.tool()
def list_requests(method: Method | None = None, path: str | None = None, status: int | None = None) -> dict[str, Any]:
    """List the latest calls that arrived, the last one first, with headers and bodies. No token is in them."""
    return mock.control("GET", "/requests", params={"method": method, "path": path, "status": status})


@server.tool()
def forget_requests() -> dict[str, Any]:
    """Forget the calls that arrived, so that the list begins anew."""
    return mock.control("DELETE", "/requests")


@server.tool()
def set_clock(time: str | None = None, advance: int | None = None, freeze: bool | None = None) -> dict[str, Any]:
    """Set the clock to an ISO 8601 time, advance it by seconds, or let it stand still. Choose one. Tokens expire by this clock."""
    order = {"set": time, "advance": advance, "freeze": freeze}
    return mock.control("POST", "/clock", json={name: value for name, value in order.items() if value is not None})


@server.tool()
def set_plan(plan: Literal["Free", "Pro", "Business"]) -> dict[str, Any]:
    """Switch the plan, and with it the rate limits."""
    return mock.control("POST", "/plan", json={"plan": plan})


@server.tool()
def set_limiter(enabled: bool) -> dict[str, Any]:
    """Switch the rate limits off, for a measurement, or on."""
    return mock.control("POST", "/limiter", json={"enabled": enabled})


@server.tool()
def reset() -> dict[str, Any]:
    """Put demo data, clock and plan back, and forget faults and counted calls. The token stays."""
    return mock.control("POST", "/reset")


@server.tool()
def call(method: Method, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call the API with the token of the account. The path comes after the base URL, such as /links?limit=2."""
    if not path.startswith("/"):
        raise ToolError("path: begins with a slash, such as /links.")
    token = mock.token_file.read_text(encoding="utf-8").strip() if mock.process else ""
    return mock.ask(method, mock.base_url + path, token, json=body)


def main() -> int:
    """Serve until the assistant has no more to say. Return 0."""

    def end(*_: object) -> None:
        mock.stop()
        os._exit(0)  # a thread waits for the assistant

    signal.signal(signal.SIGTERM, end)
    try:
        server.run()
    finally:
        mock.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
