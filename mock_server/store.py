"""The rules, and all state in memory. Every change is written to the database before it is answered.

One event loop and no ``await`` in here: a method runs to its end before the next one starts, so there
is nothing to lock. Times are Unix seconds by the account's clock.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import count
from typing import Any

from mock_server import demo_data, tokens
from mock_server.clock import EARLIEST, LATEST, Clock
from mock_server.database import Database
from mock_server.envelope import InvalidRequest, NotFound
from mock_server.model import Account, Link, Session, Token

# A use is written at most once a minute: a read must not cost a commit each time.
LAST_USED_RESOLUTION = 60


class Store:
    """All accounts and what they own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        clock.offset = database.load_clock_offset()
        self.accounts: dict[int, Account] = {}
        self._by_email: dict[str, Account] = {}
        self._sessions: dict[str, Session] = {}
        self._tokens_by_digest: dict[str, Token] = {}
        self._tokens: dict[int, list[Token]] = {}
        self._links: dict[int, dict[str, Link]] = {}
        for account in database.load(Account):
            self._remember(account)
        for session in database.load(Session):
            self._sessions[session.digest] = session
        for token in database.load(Token):
            self._remember_token(token)
        for link in database.load(Link):
            self._links[link.account_id][link.id] = link

    def now(self, account_id: int) -> int:
        """Return the account's time."""
        return self.clock.now(self.accounts[account_id].clock_offset)

    # Accounts and sessions

    def add_account(self, email: str, password_hash: str) -> Account:
        """Open an account with the demo links. Raises InvalidRequest if the address has one."""
        if email in self._by_email:
            raise InvalidRequest("This e-mail address already has an account. Log in instead.")
        account = Account(len(self.accounts) + 1, email, password_hash, self.clock.now())
        links = demo_data.links(account.id)
        account.links_made = len(links)
        with self.database.transaction():
            self.database.save(account)
            for link in links:
                self.database.save(link)
        self._remember(account)
        self._links[account.id] = {link.id: link for link in links}
        return account

    def find_account(self, email: str) -> Account | None:
        """Return the account with this e-mail address."""
        return self._by_email.get(email)

    def add_session(self, digest: str, account: Account) -> None:
        """Remember a browser that logged in, by the SHA-256 of its cookie."""
        session = Session(digest, account.id, self.clock.now())
        self.database.save(session)
        self._sessions[digest] = session

    def find_session(self, digest: str) -> Account | None:
        """Return the account that this browser is logged in to."""
        session = self._sessions.get(digest)
        return self.accounts[session.account_id] if session else None

    def end_session(self, digest: str) -> None:
        """Forget the browser; it is no error if it is not known."""
        session = self._sessions.pop(digest, None)
        if session:
            self.database.delete(session)

    # Tokens

    def generate_token(self, account: Account, name: str, lifetime: int | None) -> str:
        """Make a token that lives for ``lifetime`` seconds (``None``: for ever) and return its text, this once."""
        text = tokens.mint()
        now = self.now(account.id)
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
        for token in self._tokens[account.id]:
            if token.id == token_id:
                return token
        raise NotFound("Your account has no such token.")

    def revoke_token(self, token: Token) -> None:
        """End the token's life. The very next request that carries it is refused."""
        if token.revoked_at is None:
            self._change(token, revoked_at=self.now(token.account_id))

    def find_token(self, digest: str) -> Token | None:
        """Return the token with this SHA-256, whatever its state."""
        return self._tokens_by_digest.get(digest)

    def note_use(self, token: Token) -> None:
        """Note that the token was used now."""
        now = self.now(token.account_id)
        if token.last_used_at is None or abs(now - token.last_used_at) >= LAST_USED_RESOLUTION:
            self._change(token, last_used_at=now)

    # Links

    def links(self, account: Account) -> list[Link]:
        """Return the account's links, newest first."""
        return list(self._links[account.id].values())[::-1]

    def link(self, account: Account, link_id: str) -> Link:
        """Return one link of the account. Raises NotFound."""
        link = self._links[account.id].get(link_id)
        if link is None:
            raise NotFound("Your account has no link with this id.")
        return link

    def add_link(self, account: Account, values: dict[str, Any]) -> Link:
        """Make a link from checked values. Raises InvalidRequest."""
        number = account.links_made
        values = {**values, "slug": values.get("slug") or self._free_slug(account)}
        link = Link(account_id=account.id, id=demo_data.link_id(number), created_at=self.now(account.id), **values)
        self._check_link(link)
        with self.database.transaction():
            self.database.save(link)
            self._change(account, links_made=number + 1)
        self._links[account.id][link.id] = link
        return link

    def change_link(self, link: Link, values: dict[str, Any]) -> None:
        """Change a link to checked values. Raises InvalidRequest, and then changes nothing."""
        self._check_link(replace(link, **values))
        self._change(link, **values)

    def delete_link(self, link: Link) -> None:
        """Remove a link for good."""
        self.database.delete(link)
        del self._links[link.account_id][link.id]

    def _check_link(self, link: Link) -> None:
        for other in self._links[link.account_id].values():
            if other.slug == link.slug and other.id != link.id:
                raise InvalidRequest("slug: one of your links already has this one. Choose another.")
        if link.starts_at is not None and link.expires_at is not None and link.expires_at <= link.starts_at:
            raise InvalidRequest("expiresAt: must be later than startsAt.")

    def _free_slug(self, account: Account) -> str:
        """Return a slug that looks random and is the same for the n-th link of every account."""
        taken = {link.slug for link in self._links[account.id].values()}
        slugs = (hashlib.sha256(f"link {number}".encode()).hexdigest()[:7] for number in count(account.links_made))
        return next(slug for slug in slugs if slug not in taken)

    # Controls for lessons: of one account, or of all of them

    def reset(self, account: Account | None) -> None:
        """Put the demo links back and the clock to real time. Tokens stay: a reset locks nobody out."""
        with self.database.transaction():
            for one in [account] if account else self.accounts.values():
                links = demo_data.links(one.id)
                for link in self._links[one.id].values():
                    self.database.delete(link)
                for link in links:
                    self.database.save(link)
                self._change(one, clock_offset=0, links_made=len(links))
                self._links[one.id] = {link.id: link for link in links}
            if account is None:
                self._move_server_clock(0)

    def advance_clock(self, account: Account | None, seconds: int) -> int:
        """Move the clock by ``seconds`` and return the new time. Raises InvalidRequest."""
        if account:
            return self.set_clock(account, self.now(account.id) + seconds)
        now = _checked_time(self.clock.now() + seconds)
        self._move_server_clock(self.clock.offset + seconds)
        return now

    def set_clock(self, account: Account | None, now: int) -> int:
        """Make it ``now`` (Unix seconds) and return it. Raises InvalidRequest."""
        _checked_time(now)
        with self.database.transaction():
            if account:
                self._change(account, clock_offset=now - self.clock.now())
            else:
                for one in self.accounts.values():
                    self._change(one, clock_offset=0)
                self._move_server_clock(self.clock.offset + now - self.clock.now())
        return now

    def _move_server_clock(self, offset: int) -> None:
        self.database.save_clock_offset(offset)
        self.clock.offset = offset

    # Memory

    def _remember(self, account: Account) -> None:
        self.accounts[account.id] = self._by_email[account.email] = account
        self._tokens[account.id] = []
        self._links[account.id] = {}

    def _remember_token(self, token: Token) -> None:
        self._tokens_by_digest[token.digest] = token
        self._tokens[token.account_id].append(token)

    def _change(self, record: Account | Token | Link, **values: Any) -> None:
        """Change a record: in the database first, so that a failed write leaves memory as it was."""
        self.database.save(replace(record, **values))
        for name, value in values.items():
            setattr(record, name, value)


def _checked_time(now: int) -> int:
    if not EARLIEST <= now < LATEST:
        raise InvalidRequest("The clock must stay within the years 2000 to 2099.")
    return now
