"""SQLite, the durable truth: written inside the request, read once at the start.

A table for each kind of record and one for the clock, a column for each field; nothing else knows SQL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from mock_server.model import Account, Block, ClickCount, Link, Profile, Session, Token

AnyRecord = Account | Session | Token | Link | Profile | Block | ClickCount
Record = TypeVar("Record", bound=AnyRecord)

TABLES: dict[type, tuple[str, str]] = {  # table, primary key
    Account: ("accounts", "id"),
    Session: ("sessions", "digest"),
    Token: ("tokens", "digest"),
    Link: ("links", "account_id, number"),
    Profile: ("profiles", "account_id, number"),
    Block: ("blocks", "account_id, number"),
    ClickCount: ("clicks", "account_id, link_number, hour, kind, value"),
}
VERSION = 3
APPLICATION = int.from_bytes(b"LISm")  # what SQLite writes into the head of a file, to tell whose it is
_HEAD = 100  # bytes; https://www.sqlite.org/fileformat.html#the_database_header
_MAGIC = b"SQLite format 3\0"
CHOOSE = "Choose another file with --database"
GIVE_UP = f"{CHOOSE}, or delete this one: its accounts and tokens go with it"
DAMAGED = f"The database is damaged, and was left as it is. {GIVE_UP}"
_SQL_TYPES = {"int": "integer", "str": "text", "bool": "integer", "None": "null"}


class DatabaseError(Exception):
    """The file cannot be used. The message says why and what to do."""


class Database:
    """The file at ``path``, or memory for ``":memory:"``.

    One server owns the file: it holds the lock until it ends, because a second server would not see
    what the first one keeps in memory. A database in memory can begin with the ``content`` of another one, as SQLite's
    ``serialize`` gives it. Raises DatabaseError.
    """

    def __init__(self, path: str, content: bytes | None = None) -> None:
        self._memory_changes: list[Callable[[], object]] = []
        self._path = None if path == ":memory:" else path
        self._file: tuple[int, int] | None = None
        try:
            is_new = self._is_new(content)
            # One event loop uses the connection, in whatever thread that loop runs.
            self.connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            with ExitStack() as opened:
                opened.callback(self.connection.close)
                self._prepare(is_new, content)
                opened.pop_all()
            self._file = self._file_now()
        except sqlite3.Error as error:
            raise DatabaseError(f"{_reason(error)} (--database {path})") from error

    def _prepare(self, is_new: bool, content: bytes | None) -> None:
        """Lock the file, and make its tables or check them. Raises DatabaseError, sqlite3.Error."""
        if content is not None:
            self.connection.deserialize(content)
        self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if is_new:
            self._create_tables()
        else:
            self._check()
        self.connection.execute("PRAGMA journal_mode = WAL")
        # A committed write survives a killed process; only a power cut may lose the last ones.
        self.connection.execute("PRAGMA synchronous = NORMAL")

    def _is_new(self, content: bytes | None) -> bool:
        """Tell whether there is nothing yet, and then make a file that only its owner may read. Raises DatabaseError.

        The file is only read. SQLite would write to one that another program has left half-written.
        """
        if self._path is not None:
            with suppress(OSError):  # SQLite has the same trouble, and says why
                with open(self._path, "ab", opener=partial(os.open, mode=0o600)):
                    pass
                with open(self._path, "rb") as file:
                    content = file.read(_HEAD)
        if not content:
            return True
        if not content.startswith(_MAGIC):
            raise DatabaseError(f"This file is not a database of the mock server. {CHOOSE}")
        version, application = int.from_bytes(content[60:64]), int.from_bytes(content[68:72])
        if (application, version) != (APPLICATION, VERSION):
            whose = (
                "another version of the mock server"
                if application == APPLICATION
                else "another program, or of an older mock server"
            )
            raise DatabaseError(f"This is the database of {whose}. {GIVE_UP if application == APPLICATION else CHOOSE}")
        return False

    def _check(self) -> None:
        """Look for damage: in the pages of the file, and in the values. Raises DatabaseError."""
        found = self.connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != ("ok",):
            raise DatabaseError(DAMAGED)
        columns = [(table, field.name, str(field.type)) for kind, (table, _) in TABLES.items() for field in fields(kind)]
        for table, column, kind in [*columns, ("server_clock", "offset", "int"), ("server_clock", "frozen_at", "int | None")]:
            allowed = ", ".join(f"'{_SQL_TYPES[name]}'" for name in kind.split(" | "))
            if self.connection.execute(f"SELECT 1 FROM {table} WHERE typeof({column}) NOT IN ({allowed}) LIMIT 1").fetchone():
                raise DatabaseError(DAMAGED)

    def _create_tables(self) -> None:
        self.connection.execute("PRAGMA synchronous = OFF")  # an empty database is soon made again
        with self.transaction():
            for record_type, (table, key) in TABLES.items():
                columns = ", ".join(field.name for field in fields(record_type))
                self.connection.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}))")
            self.connection.execute("CREATE TABLE server_clock (offset, frozen_at)")
            self.connection.execute(f"PRAGMA application_id = {APPLICATION}")
            self.connection.execute(f"PRAGMA user_version = {VERSION}")

    def check_file(self) -> None:
        """Notice when the file was deleted or replaced: what is written goes nowhere then. Raises DatabaseError."""
        if self._file is not None and self._file_now() != self._file:
            raise DatabaseError(
                "The database file was deleted or replaced while the mock server ran. Start the mock server again"
            )

    def _file_now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path) if self._path is not None else None
        except OSError:
            return None
        return found and (found.st_dev, found.st_ino)

    def load(self, record_type: type[Record]) -> Iterator[Record]:
        """Yield every record of the type, in the order in which they were first written. Raises DatabaseError."""
        table, _ = TABLES[record_type]
        columns = [field.name for field in fields(record_type)]
        flags = {field.name for field in fields(record_type) if field.type == "bool"}
        try:
            for row in self.connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"):
                # SQLite knows no booleans: it gives 0 and 1 back.
                values: Iterator[Any] = (
                    bool(value) if name in flags else value for name, value in zip(columns, row, strict=True)
                )
                yield record_type(*values)
        except sqlite3.Error as error:
            raise DatabaseError(_reason(error)) from error

    def save(self, record: AnyRecord) -> None:
        """Write the record, over the one with the same key if there is one. Raises DatabaseError."""
        statement, values = _SAVING[type(record)]
        self._execute(statement, values(record))

    def delete(self, record: AnyRecord) -> None:
        """Remove the record; it is no error if it is not there. Raises DatabaseError."""
        statement, key = _DELETING[type(record)]
        self._execute(statement, key(record))

    def load_clock(self) -> tuple[int, int | None]:
        """Return by how many seconds the server's clock was moved, and the moment at which it stands still. Raises DatabaseError."""
        return self._execute("SELECT offset, frozen_at FROM server_clock").fetchone() or (0, None)

    def save_clock(self, offset: int, frozen_at: int | None) -> None:
        """Keep the state of the server's clock. Raises DatabaseError."""
        with self.transaction():
            self._execute("DELETE FROM server_clock")
            self._execute("INSERT INTO server_clock VALUES (?, ?)", (offset, frozen_at))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that happens inside, or nothing of it. May be nested. Raises DatabaseError."""
        if self.connection.in_transaction:
            yield
            return
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            self._memory_changes.clear()
            if self.connection.in_transaction:  # a full disk ends it by itself
                self._execute("ROLLBACK")
            raise
        changes, self._memory_changes = self._memory_changes, []
        for change in changes:
            change()

    def then(self, change: Callable[[], object]) -> None:
        """Change memory: now, or, in a transaction, when that is written; never if it is not."""
        if self.connection.in_transaction:
            self._memory_changes.append(change)
        else:
            change()

    def _execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        self.check_file()
        try:
            return self.connection.execute(statement, values)
        except sqlite3.Error as error:
            raise DatabaseError(f"{_reason(error)}.") from error

    def close(self) -> None:
        """Close the file; the lock ends."""
        self.connection.close()


def _saving(record_type: type[AnyRecord]) -> tuple[str, Callable[[AnyRecord], tuple[Any, ...]]]:
    """Return the statement that saves a record of the type, and what takes the values out of one."""
    table, key = TABLES[record_type]
    columns = [field.name for field in fields(record_type)]
    marks = ", ".join("?" * len(columns))
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {updates}"
    return statement, attrgetter(*columns)


def _deleting(record_type: type[AnyRecord]) -> tuple[str, Callable[[AnyRecord], tuple[Any, ...]]]:
    """Return the statement that deletes a record of the type, and what takes the key out of one."""
    table, key = TABLES[record_type]
    names = key.split(", ")
    statement = f"DELETE FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in names)}"
    return statement, lambda record: tuple(getattr(record, name) for name in names)


_SAVING = {record_type: _saving(record_type) for record_type in TABLES}
_DELETING = {record_type: _deleting(record_type) for record_type in TABLES}


def _reason(error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return "Another mock server is using the database. Stop it, or choose another file with --database"
    if "unable to open" in str(error):
        return "The database cannot be opened. Does its folder exist, and may you write there?"
    # SQLite can't lock a file that it may not write, and calls that an error of the disk.
    if "readonly" in str(error) or getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_LOCK":
        return "The database is read-only. Make the file writable, or choose another one with --database"
    if "not a database" in str(error):
        return f"This file is not a database of the mock server. {CHOOSE}"
    if "full" in str(error) or "disk I/O" in str(error):
        return "The disk is full, or the database cannot be written. Free some space, then try again"
    if any(words in str(error) for words in ("malformed", "UTF-8", "no such")):
        return DAMAGED
    return f"The database cannot be used: {error}"
