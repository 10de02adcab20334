"""Passwords: hashed one at a time, the clients in turn, and hard to guess."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mock_server.envelope import ServiceUnavailable

# One hash takes some 50 ms of processor time. One thread of its own keeps a rush of logins from
# slowing down the API. It starts with the first password, not at import.
_hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scrypt")
# scrypt with 16 MiB a hash: these are throwaway accounts, and thirty people sign up at once.
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
MOST_WAITING = 250  # passwords: the last one is hashed after some 12 seconds
TOO_MANY = "Too many people are logging in at once. Wait a few seconds, then try again."

HashPassword = Callable[[str, bytes], bytes]  # of password and salt

FREE_TRIES = 5
LONGEST_WAIT = 60
MOST_GUESSERS = 10_000  # whose tries are remembered


def scrypt(password: str, salt: bytes) -> bytes:
    """Return the hash of a password. Raises AttributeError where Python has no OpenSSL."""
    return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)


class Passwords:
    """What hashes and checks. Each ``client``, by its network address, waits for one hash of each other client at most.

    If too many wait, the one who came last of the client with the most is sent away: ServiceUnavailable is raised.
    """

    def __init__(self, hash_password: HashPassword) -> None:
        self._hash_password = hash_password
        self._busy = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._nobodys = ""

    async def hashed(self, password: str, client: str, salt: bytes | None = None) -> str:
        """Return salt and hash of the password as hex, made off the event loop. Raises ServiceUnavailable."""
        salt = salt or secrets.token_bytes(16)
        await self._turn(client)
        try:
            made = await asyncio.get_running_loop().run_in_executor(_hashing, self._hash_password, password, salt)
        finally:
            self._end_turn()
        return f"{salt.hex()}${made.hex()}"

    async def is_right(self, password: str, password_hash: str | None, client: str) -> bool:
        """Tell whether the password is the one that was hashed. Raises ServiceUnavailable.

        Without a hash it takes the same time, so that the answer does not tell that there is none.
        """
        self._nobodys = self._nobodys or await self.hashed(secrets.token_hex(), client)
        expected = password_hash or self._nobodys
        salt, _, _ = expected.partition("$")
        return hmac.compare_digest(await self.hashed(password, client, bytes.fromhex(salt)), expected)

    async def _turn(self, client: str) -> None:
        if not self._busy:
            self._busy = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        if sum(map(len, self._waiting.values())) > MOST_WAITING:
            longest = max(reversed(self._waiting.values()), key=len)
            longest.pop().set_exception(ServiceUnavailable(TOO_MANY, {"Retry-After": "10"}))
        await turn

    def _end_turn(self) -> None:
        while self._waiting:
            client = next(iter(self._waiting))
            turns = self._waiting.pop(client)
            turn = turns.popleft() if turns else None
            if turns:
                self._waiting[client] = turns  # at the end of the row
            if turn and not turn.done():
                turn.set_result(None)
                return
        self._busy = False


class Brake:
    """Slow guessing down: after five wrong tries, a guesser must wait, twice as long each time.

    A guesser is a network address and what it guesses at: nobody can lock out somebody who sits elsewhere.
    """

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], tuple[int, float]] = {}

    def seconds_to_wait(self, client: str, target: str) -> int:
        """Return how many seconds this guesser must wait, or 0 and count a try. It counts as wrong until ``release``."""
        tries, since = self._tries.pop((client, target), (0, 0.0))
        wait = min(2 ** (tries - FREE_TRIES), LONGEST_WAIT) if tries >= FREE_TRIES else 0
        left = max(0, round(since + wait - time.monotonic()))
        self._tries[client, target] = (tries, since) if left else (tries + 1, time.monotonic())
        if len(self._tries) > MOST_GUESSERS:  # forget the one that has been quiet for longest
            del self._tries[next(iter(self._tries))]
        return left

    def release(self, client: str, target: str) -> None:
        """Forget the tries: this one was right."""
        self._tries.pop((client, target), None)
