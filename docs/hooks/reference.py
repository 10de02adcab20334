"""MkDocs hook that writes the reference pages from the code and the contract: what is typed twice disagrees one day."""

import json
import os

from mock_server.__main__ import parser
from mock_server.authentication import challenge
from mock_server.contract import openapi
from mock_server.envelope import ApiError
from mock_server.model import Origin
from mock_server.rate_limit import PLANS

ORIGINS = {"seed": Origin.AUTHENTICATION_PAGE, "public-docs": Origin.OTHER_DOCS_PAGE, "assumed": Origin.ASSUMED}


def on_page_markdown(markdown, page, config, files):
    """Put what a page asks for in the place of its marker."""
    for marker, written in MARKERS.items():
        if marker in markdown:
            markdown = markdown.replace(marker, written())
    return markdown


def errors():
    """Return the errors by status, in the order of the code."""
    return sorted(ApiError.__subclasses__(), key=lambda error: error.status)


def error_table():
    """Return one row for each error, then each 401 as it comes over the wire."""
    rows = ["| Status | Code | When | Origin |", "| --- | --- | --- | --- |"]
    rows += [f"| {error.status} | `{error.code}` | {error.when} | {error.origin} |" for error in errors()]
    parts = ["\n".join(rows)]
    for error in (error for error in errors() if error.status == 401):
        body = {"success": False, "error": {"code": error.code, "message": error.message}}
        header = challenge(None if error.code == "MISSING_TOKEN" else error.message)
        parts.append(
            f"### {error.code}\n\n{error.when}\n\n"
            f"```http\nHTTP/1.1 401 Unauthorized\nWWW-Authenticate: {header}\nContent-Type: application/json\n\n"
            f"{json.dumps(body, indent=2)}\n```"
        )
    return "\n\n".join(parts)


def operation_table():
    """Return one row for each operation of the API."""
    rows = ["| Operation | Does | Origin |", "| --- | --- | --- |"]
    for path, item in openapi()["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1") and method != "parameters":
                rows.append(f"| `{method.upper()} {path}` | {operation['summary']} | {ORIGINS[operation['x-origin']]} |")
    return "\n".join(rows)


def plan_table():
    """Return one row for each plan."""
    rows = ["| Plan | Calls a minute | Calls a day |", "| --- | --- | --- |"]
    rows += [f"| {plan.name} | {plan.per_minute:,} | {plan.per_day:,} |" for plan in PLANS.values()]
    return "\n".join(rows)


def command_line():
    """Return what ``--help`` prints."""
    os.environ["COLUMNS"] = "80"  # the width of the terminal must not change the page
    return f"```text\n{parser().format_help().strip()}\n```"


MARKERS = {
    "*The table stands here on the site: `make serve`.*": error_table,
    "*The table of operations stands here on the site: `make serve`.*": operation_table,
    "*The table of plans stands here on the site: `make serve`.*": plan_table,
    "*The command line stands here on the site: `make serve`.*": command_line,
}
