"""The example of an operation as a program in Python, curl and JavaScript.

A program reads base URL and token from the environment, ends with an error when the API does, and prints what the
answer is about: its ``data``, the address of a redirect, or the text of anything else. Of a secret it prints nothing.
"""

from __future__ import annotations

import json
import shlex

from publish.operations import Operation
from publish.recorded_answers import WIDTH, spelled


def python(operation: Operation) -> str:
    """Return the example with requests."""
    is_of_api = operation.path.startswith("/v1")
    base_url = '["LINKED_IS_BASE_URL"]' + ("" if is_of_api else '.removesuffix("/v1")')
    lines = ["import os", "", "import requests", "", f"base_url = os.environ{base_url}"]
    arguments = [f'f"{{base_url}}{operation.example_path.removeprefix("/v1")}"']
    if operation.takes_token:
        # strip: a line end of Windows may come along, and requests would quote the token in its complaint.
        lines.append('token = os.environ["LINKED_IS_API_TOKEN"].strip()')
        arguments.append('headers={"Authorization": f"Bearer {token}"}')
    if operation.example_query:
        arguments.append(f"params={json.dumps(operation.example_query)}")
    if operation.example_body:
        arguments.append(f"json={python_literal(operation.example_body)}")
    if operation.is_redirect:
        arguments.append("allow_redirects=False")
    arguments.append("timeout=10")
    printed = {
        "data": 'response.json()["data"]',
        "address": 'response.headers["Location"]',
        "text": "response.text",
        "status": "response.status_code",
    }
    lines += [
        f"response = requests.{operation.method.lower()}(",
        *(f"    {argument}," for argument in arguments),
        ")",
        "response.raise_for_status()",
        f"print({printed[operation.tells]})",
    ]
    return "\n".join(lines)


def curl(operation: Operation) -> str:
    """Return the example with curl. The token is not on the command line, where others see it."""
    is_of_api = operation.path.startswith("/v1")
    base_url = "$LINKED_IS_BASE_URL" if is_of_api else "${LINKED_IS_BASE_URL%/v1}"
    lines = ["curl --silent --show-error --fail-with-body --max-time 10"]
    if operation.is_redirect:
        lines.append(r"--output /dev/null --write-out '%{redirect_url}\n'")
    if operation.tells == "status":
        lines.append(r"--output /dev/null --write-out '%{http_code}\n'")
    if operation.method != ("POST" if operation.example_body else "GET"):
        lines.append(f"--request {operation.method}")
    if operation.example_query:
        lines.append("--get " + " ".join(f"--data {name}={value}" for name, value in operation.example_query.items()))
    if operation.example_body:
        lines.append(f"--json {shlex.quote(spelled(operation.example_body, '  '))}")
    address = f'"{base_url}{operation.example_path.removeprefix("/v1")}"'
    if operation.takes_token:
        lines += [f"--header @- {address}", '<<< "Authorization: Bearer $LINKED_IS_API_TOKEN"']
    else:
        lines.append(address)
    return " \\\n  ".join(lines)


def javascript(operation: Operation) -> str:
    """Return the example with Node's fetch."""
    path = operation.example_path + ("?${query}" if operation.example_query else "")
    address = f'new URL("{path}", LINKED_IS_BASE_URL)'
    if operation.path.startswith("/v1"):
        address = f"`${{LINKED_IS_BASE_URL}}{path.removeprefix('/v1')}`"
    variables = "LINKED_IS_BASE_URL, LINKED_IS_API_TOKEN" if operation.takes_token else "LINKED_IS_BASE_URL"
    headers = ["Authorization: `Bearer ${LINKED_IS_API_TOKEN}`"] if operation.takes_token else []
    options = [f'method: "{operation.method}"'] if operation.method != "GET" else []
    lines = [f"const {{ {variables} }} = process.env;"]
    if operation.example_query:
        lines.append(f"const query = new URLSearchParams({object_literal(operation.example_query)});")
    if operation.example_body:
        headers.append('"Content-Type": "application/json"')
        options.append(f"body: JSON.stringify({object_literal(operation.example_body)})")
    if operation.is_redirect:
        options.append('redirect: "manual"')
    if headers:
        inside = f" {headers[0]} " if len(headers) == 1 else "".join(f"\n    {header}," for header in headers) + "\n  "
        options.append(f"headers: {{{inside}}}")
    options.append("signal: AbortSignal.timeout(10_000)")
    lines += [f"const response = await fetch({address}, {{", *(f"  {option}," for option in options), "});"]
    if not operation.is_redirect:
        lines.append("if (!response.ok) throw new Error(await response.text());")
    printed = {
        "data": "(await response.json()).data",
        "address": 'response.headers.get("Location")',
        "text": "await response.text()",
        "status": "response.status",
    }
    lines.append(f"console.log({printed[operation.tells]});")
    return "\n".join(lines)


def python_literal(values: dict[str, str | int]) -> str:
    """Spell a dict as Python does, a long one line by line."""
    items = [f'"{name}": {spelled(value) if isinstance(value, str) else repr(value)}' for name, value in values.items()]
    line = f"{{{', '.join(items)}}}"
    return line if len(line) <= WIDTH - 4 else "".join(["{", *(f"\n        {item}," for item in items), "\n    }"])


def object_literal(values: dict[str, str | int]) -> str:
    """Spell an object as JavaScript does, a long one line by line."""
    items = [f"{name}: {json.dumps(value)}" for name, value in values.items()]
    line = f"{{ {', '.join(items)} }}"
    return line if len(line) <= WIDTH else "".join(["{", *(f"\n    {item}," for item in items), "\n  }"])
