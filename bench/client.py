"""Requests by hand: one, or many new connections at once. All go to the loopback."""

from __future__ import annotations

import http.client
import selectors
import socket
import time
from dataclasses import dataclass

from tools.running import PATIENCE


@dataclass(frozen=True)
class Answer:
    """What came back: ``seconds`` from the start of the burst to the end of the answer. Status 0: nothing did."""

    status: int
    seconds: float


def ask(port: int, method: str, path: str, token: str, body: str | None = None) -> tuple[int, bytes]:
    """Send one request and return status and body. Raises OSError or HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers(token, body))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def headers(token: str, body: str | None) -> dict[str, str]:
    """Return the headers of an API request."""
    return {"Authorization": f"Bearer {token}", **({"Content-Type": "application/json"} if body else {})}


def message(method: str, path: str, fields: dict[str, str], body: str = "") -> bytes:
    """Spell a request that ends its connection."""
    fields = {"Host": "127.0.0.1", "Connection": "close", **fields}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", body]
    return "\r\n".join(lines).encode()


def burst(port: int, messages: list[bytes]) -> list[Answer]:
    """Send each message over a new connection, all at once, and wait for all answers.

    Sockets without a library: the client must cost less than the server that it measures.
    """
    selector = selectors.DefaultSelector()
    received: dict[socket.socket, bytes] = {}
    answers: list[Answer] = []
    started = time.perf_counter()

    def ended(one: socket.socket) -> None:
        start_line = received[one].partition(b"\r\n")[0].split()
        status = int(start_line[1]) if len(start_line) > 1 and start_line[1].isdigit() else 0
        answers.append(Answer(status, time.perf_counter() - started))
        selector.unregister(one)
        one.close()

    for text in messages:
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        received[one] = b""
        selector.register(one, selectors.EVENT_WRITE, text)
    while len(answers) < len(messages) and time.perf_counter() < started + PATIENCE:
        for key, _ in selector.select(1):
            one: socket.socket = key.fileobj  # type: ignore[assignment]
            try:
                if key.data:
                    one.sendall(key.data)  # a request fits into an empty buffer
                    selector.modify(one, selectors.EVENT_READ, b"")
                    continue
                piece = one.recv(65536)
            except OSError:
                piece = received[one] = b""
            received[one] += piece
            if not piece:
                ended(one)
    for key in list(selector.get_map().values()):
        received[key.fileobj] = b""  # too late: nothing came
        ended(key.fileobj)
    selector.close()
    return answers
