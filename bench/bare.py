"""The limit: uvicorn alone, answering the same bytes. Nothing in Python can do less for a request."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import uvicorn


def application(listed: bytes, made: bytes) -> Any:
    """Return an ASGI application that answers GET with ``listed`` and POST with ``made``, whatever the path."""

    def start(status: int, body: bytes) -> dict[str, Any]:
        fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        return {"type": "http.response.start", "status": status, "headers": fields}

    answers = {
        "GET": (start(200, listed), {"type": "http.response.body", "body": listed}),
        "POST": (start(201, made), {"type": "http.response.body", "body": made}),
    }

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        head, body = answers[scope["method"]]
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        await send(head)
        await send(body)

    return answer


if __name__ == "__main__":
    port, listed, made = sys.argv[1:]
    uvicorn.run(
        application(Path(listed).read_bytes(), Path(made).read_bytes()),
        port=int(port),
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        backlog=2048,
    )
