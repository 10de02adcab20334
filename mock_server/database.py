"""SQLite, the durable truth: written inside the request, read once at the start.

A table for each dataclass of the model, a column for each field; nothing else knows SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from typing import TypeVar

from mock_server.model import Account, Link, Session, Token

Record = TypeVar("Record", Account, Session, Token, Link)

TABLES: dict[type, tuple[str, str]] = {  # table, primary key
    Account: ("accounts", "id"),
    Session: ("sessions", "digest"),
    Token: ("tokens", "digest"),
    Link: ("links", "account_id, id"),
}
VERSION = 1


class DatabaseError(Exception):
    """The file cannot be used. The message says why and what to do."""


class Database:
    """The file at ``path``, or memory for ``":memory:"``.

    One server owns the file: it holds the lock until it ends, for a second one would not see
    what the first one keeps in memory. Raises DatabaseError.
    """

    def __init__(self, path: str) -> None:
        try:
            # One event loop uses the connection, in whatever thread that loop runs.
            self.connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.connection.execute("PRAGMA journal_mode = WAL")
            # A committed write survives a killed process; only a power cut may lose the last ones.
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self._create_tables()
        except sqlite3.Error as error:
            raise DatabaseError(f"{_reason(error)} (--database {path})") from error

    def _create_tables(self) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise DatabaseError("The database was made by another version of the mock server. Choose another file with --database.")
        with self.transaction():
            for record_type, (table, key) in TABLES.items():
                columns = ", ".join(field.name for field in fields(record_type))
                self.connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))")
            self.connection.execute("CREATE TABLE IF NOT EXISTS server_clock (seconds)")
            self.connection.execute(f"PRAGMA user_version = {VERSION}")

    def load(self, record_type: type[Record]) -> Iterator[Record]:
        """Yield every record of the type, in the order in which they were first written."""
        table, _ = TABLES[record_type]
        columns = ", ".join(field.name for field in fields(record_type))
        for row in self.connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid"):
            yield record_type(*row)

    def save(self, record: Record) -> None:
        """Write the record, over the one with the same key if there is one."""
        table, key = TABLES[type(record)]
        columns = [field.name for field in fields(record)]
        marks = ", ".join("?" * len(columns))
        updates = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self.connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {updates}",
            astuple(record),
        )

    def delete(self, record: Record) -> None:
        """Remove the record; it is no error if it is not there."""
        table, key = TABLES[type(record)]
        names = key.split(", ")
        condition = " AND ".join(f"{name} = ?" for name in names)
        self.connection.execute(f"DELETE FROM {table} WHERE {condition}", [getattr(record, name) for name in names])

    def load_clock_offset(self) -> int:
        """Return by how many seconds the server's clock was moved."""
        row = self.connection.execute("SELECT seconds FROM server_clock").fetchone()
        return row[0] if row else 0

    def save_clock_offset(self, seconds: int) -> None:
        """Keep by how many seconds the server's clock was moved."""
        with self.transaction():
            self.connection.execute("DELETE FROM server_clock")
            self.connection.execute("INSERT INTO server_clock VALUES (?)", [seconds])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that happens inside, or nothing of it. May be nested."""
        if self.connection.in_transaction:
            yield
            return
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            yield

    def close(self) -> None:
        """Close the file; the lock ends."""
        self.connection.close()


def _reason(error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return "Another mock server is using the database. Stop it, or choose another file with --database"
    if "unable to open" in str(error):
        return "The database cannot be opened. Does its folder exist, and may you write there?"
    if "readonly" in str(error):
        return "The database is read-only. Make the file writable, or choose another one with --database"
    if "not a database" in str(error):
        return "This file is not a database of the mock server. Choose another one with --database"
    return f"The database cannot be used: {error}"
