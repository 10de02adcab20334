"""All state in memory: accounts, sessions and tokens, and the content of each account.

One event loop and no ``await`` in here: a method runs to its end before the next one starts, so there
is nothing to lock. A change is in the database before it is in memory, so that a failed write leaves both as
they were. Times are Unix seconds by the account's clock.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from mock_server import tokens
from mock_server.clock import DAY, EARLIEST, LATEST, Clock
from mock_server.content import Content, Owned, set_fields
from mock_server.database import DAMAGED, Database, DatabaseError
from mock_server.envelope import InvalidRequest, NotFound
from mock_server.model import Account, Block, ClickCount, Limits, Link, Profile, Session, Token

# A use is written at most once a minute: a read must not cost a commit each time.
LAST_USED_RESOLUTION = 60
LONGEST_SESSION = 30 * DAY


class Store:
    """All accounts and what they own, up to the limits. Raises DatabaseError."""

    def __init__(self, database: Database, clock: Clock, limits: Limits | None = None) -> None:
        self.database = database
        self.clock = clock
        self.limits = limits or Limits()
        clock.set(*database.load_clock())
        self.accounts: dict[int, Account] = {}
        self._by_email: dict[str, Account] = {}
        self._sessions: dict[str, Session] = {}
        self._sessions_of: defaultdict[int, dict[str, Session]] = defaultdict(dict)  # by account, oldest first
        self._tokens_by_digest: dict[str, Token] = {}
        self._tokens: dict[int, list[Token]] = {}
        self._content: dict[int, Content] = {}
        try:
            for number, account in enumerate(database.load(Account), 1):
                _in_order(account.id, number)
                self._remember(account)
            for session in database.load(Session):
                self._remember_session(session)
            for token in database.load(Token):
                _in_order(token.id, len(self._tokens[token.account_id]) + 1)
                self._remember_token(token)
            owned: tuple[type[Owned], ...] = (Link, Profile, Block, ClickCount)
            for record_type in owned:
                for record in database.load(record_type):
                    self._content[record.account_id].remember(record)
        except LookupError as error:  # a record without the one that it belongs to
            raise DatabaseError(DAMAGED) from error

    def now(self, account: Account) -> int:
        """Return the account's time."""
        return self.clock.now() + account.clock_offset if account.frozen_at is None else account.frozen_at

    def content(self, account: Account) -> Content:
        """Return what the account owns."""
        return self._content[account.id]

    # Accounts and sessions

    def add_account(self, email: str, password_hash: str) -> Account:
        """Open an account with the demo data. Raises InvalidRequest if the address has one."""
        if email in self._by_email:
            raise InvalidRequest("This e-mail address already has an account. Log in instead.")
        if len(self.accounts) >= self.limits.accounts:
            raise InvalidRequest(f"This mock server has {len(self.accounts)} accounts, and takes no more.")
        now = self.clock.now()
        account = Account(len(self.accounts) + 1, email, password_hash, now)
        content = Content(self.database, account, partial(self.now, account), self.limits)
        with self.database.transaction():
            content.lay_demo_data(history_ends=_midnight(now))
            self.database.then(partial(self._remember, account, content))
        return account

    def find_account(self, email: str) -> Account | None:
        """Return the account with this e-mail address."""
        return self._by_email.get(email)

    def add_session(self, digest: str, account: Account) -> None:
        """Remember a browser that logged in, by the SHA-256 of its cookie. If it is one too many, forget the oldest one."""
        session = Session(digest, account.id, int(self.clock.real_time()))
        with self.database.transaction():
            mine = list(self._sessions_of[account.id].values())
            for old in mine[: len(mine) + 1 - self.limits.sessions]:
                self._end_session(old)
            self.database.save(session)
            self.database.then(partial(self._remember_session, session))

    def find_session(self, digest: str) -> Account | None:
        """Return the account that this browser is logged in to. The real time counts: a lesson's clock logs nobody out."""
        session = self._sessions.get(digest)
        if session is None or self.clock.real_time() >= session.created_at + LONGEST_SESSION:
            return None
        return self.accounts[session.account_id]

    def end_session(self, digest: str) -> None:
        """Forget the browser; it is no error if it is not known."""
        session = self._sessions.get(digest)
        if session:
            self._end_session(session)

    def _end_session(self, session: Session) -> None:
        self.database.delete(session)
        self.database.then(partial(self._sessions.pop, session.digest))
        self.database.then(partial(self._sessions_of[session.account_id].pop, session.digest))

    # Tokens

    def generate_token(self, account: Account, name: str, lifetime: int | None) -> str:
        """Make a token that lives for ``lifetime`` seconds (``None``: for ever) and return its text, this once.

        Raises InvalidRequest if there are too many.
        """
        if len(self._tokens[account.id]) >= self.limits.tokens:
            raise InvalidRequest(f"You have made {self.limits.tokens} tokens: this mock server takes no more.")
        text = tokens.mint()
        now = self.now(account)
        token = Token(
            digest=tokens.digest(text),
            id=len(self._tokens[account.id]) + 1,
            account_id=account.id,
            name=name,
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
        self.database.save(token)
        self._remember_token(token)
        return text

    def tokens(self, account: Account) -> list[Token]:
        """Return the account's tokens, newest first; those that no longer work too."""
        return self._tokens[account.id][::-1]

    def token(self, account: Account, token_id: int) -> Token:
        """Return one token of the account. Raises NotFound."""
        mine = self._tokens[account.id]
        if not 1 <= token_id <= len(mine):
            raise NotFound("Your account has no such token.")
        return mine[token_id - 1]

    def revoke_token(self, token: Token) -> None:
        """End the token's life. The very next request that carries it is refused."""
        if token.revoked_at is None:
            self._change(token, revoked_at=self.now(self.accounts[token.account_id]))

    def expire_tokens(self, account: Account, seconds: int) -> None:
        """Let the account's tokens expire ``seconds`` from now, but for those that end sooner."""
        now = self.now(account)
        for token in self._tokens[account.id]:
            if token.state(now) == "active" and (token.expires_at is None or token.expires_at > now + seconds):
                self._change(token, expires_at=now + seconds)

    def find_token(self, digest: str) -> Token | None:
        """Return the token with this SHA-256, whatever its state."""
        return self._tokens_by_digest.get(digest)

    def note_use(self, token: Token, now: int) -> None:
        """Note that the token was used at ``now``, the account's time."""
        if token.last_used_at is None or abs(now - token.last_used_at) >= LAST_USED_RESOLUTION:
            with suppress(DatabaseError):  # reading goes on when the disk is full
                self._change(token, last_used_at=now)

    # Controls for lessons: of one account, or of all of them at once

    def change_plan(self, account: Account | None, plan: str) -> None:
        """Give the account another plan, by its name."""
        with self.database.transaction():
            self._change_accounts(account, plan=plan)

    def reset(self, account: Account | None) -> None:
        """Put demo data, clock and plan back. Tokens stay: a reset locks nobody out."""
        now = self.clock.now() if account else int(self.clock.real_time())
        with self.database.transaction():
            if account is None:
                self._set_server_clock(0, None)
            for one in self._chosen(account):
                content = self.content(one)
                content.lay_demo_data(clock_offset=0, frozen_at=None, plan="Free", history_ends=_midnight(now))

    def advance_clock(self, account: Account | None, seconds: int) -> int:
        """Move the clock by ``seconds`` and return the new time. Raises InvalidRequest."""
        now = _checked_time((self.now(account) if account else self.clock.now()) + seconds)
        if account is None:
            self._set_server_clock(self.clock.offset + seconds, None if self.clock.frozen_at is None else now)
        elif account.frozen_at is None:
            self._change(account, clock_offset=account.clock_offset + seconds)
        else:
            self._change(account, frozen_at=now)
        return now

    def set_clock(self, account: Account | None, now: int) -> int:
        """Make it ``now`` (Unix seconds), move the demo clicks along and return it. Raises InvalidRequest."""
        _checked_time(now)
        with self.database.transaction():
            if account is None:
                offset = self.clock.offset + now - self.clock.now()
                self._set_server_clock(offset, None if self.clock.frozen_at is None else now)
                values = {"clock_offset": 0, "frozen_at": None}
            elif account.frozen_at is None:
                values = {"clock_offset": now - self.clock.now()}
            else:
                values = {"frozen_at": now}
            self._change_accounts(account, **values, history_ends=_midnight(now))
            for one in self._chosen(account):
                self.content(one).age_demo_data(_midnight(now))
        return now

    def freeze_clock(self, account: Account | None, frozen: bool) -> int:
        """Let the clock stand still, or run again from where it stood, and return its time."""
        if account is None:
            now = self.clock.now()
            self._set_server_clock(now - int(self.clock.real_time()), now if frozen else None)
        else:
            now = self.now(account)
            self._change(account, clock_offset=now - self.clock.now(), frozen_at=now if frozen else None)
        return now

    def _chosen(self, account: Account | None) -> list[Account]:
        return [account] if account else list(self.accounts.values())

    def _change_accounts(self, account: Account | None, **values: Any) -> None:
        for one in self._chosen(account):
            self._change(one, **values)

    def _set_server_clock(self, offset: int, frozen_at: int | None) -> None:
        self.database.save_clock(offset, frozen_at)
        self.database.then(partial(self.clock.set, offset, frozen_at))

    # Memory

    def _remember(self, account: Account, content: Content | None = None) -> None:
        self.accounts[account.id] = self._by_email[account.email] = account
        self._tokens[account.id] = []
        self._content[account.id] = content or Content(self.database, account, partial(self.now, account), self.limits)

    def _remember_session(self, session: Session) -> None:
        account = self.accounts[session.account_id]
        self._sessions[session.digest] = self._sessions_of[account.id][session.digest] = session

    def _remember_token(self, token: Token) -> None:
        self._tokens_by_digest[token.digest] = token
        self._tokens[token.account_id].append(token)

    def _change(self, record: Account | Token, **values: Any) -> None:
        self.database.save(replace(record, **values))
        self.database.then(partial(set_fields, record, values))


def _in_order(number: int, expected: int) -> None:
    """Raise LookupError if a record before this one is missing: the next one would take its number."""
    if number != expected:
        raise LookupError


def _midnight(now: int) -> int:
    return now - now % DAY


def _checked_time(now: int) -> int:
    if not EARLIEST <= now < LATEST:
        raise InvalidRequest("The clock must stay within the years 2000 to 2099.")
    return now
