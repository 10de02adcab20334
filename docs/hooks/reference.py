"""MkDocs hook that writes the errors into the reference page, from the code that answers with them."""

import json

from mock_server.authentication import challenge
from mock_server.envelope import ApiError

MARKER = "*The table stands here on the site: `make serve`.*"


def on_page_markdown(markdown, page, config, files):
    """Put a table of all errors, and the three 401 answers in full, where the page asks for them."""
    return markdown.replace(MARKER, f"{table()}\n\n{unauthorized()}") if MARKER in markdown else markdown


def errors():
    """Return the errors by status, in the order of the code."""
    return sorted(ApiError.__subclasses__(), key=lambda error: error.status)


def table():
    """Return one row for each error."""
    rows = ["| Status | Code | When | Origin |", "| --- | --- | --- | --- |"]
    rows += [f"| {error.status} | `{error.code}` | {error.when} | {error.origin} |" for error in errors()]
    return "\n".join(rows)


def unauthorized():
    """Return each 401 as it comes over the wire."""
    parts = []
    for error in (error for error in errors() if error.status == 401):
        body = {"success": False, "error": {"code": error.code, "message": error.message}}
        header = challenge(None if error.code == "MISSING_TOKEN" else error.message)
        parts.append(
            f"### {error.code}\n\n{error.when}\n\n"
            f"```http\nHTTP/1.1 401 Unauthorized\nWWW-Authenticate: {header}\nContent-Type: application/json\n\n"
            f"{json.dumps(body, indent=2)}\n```"
        )
    return "\n\n".join(parts)
