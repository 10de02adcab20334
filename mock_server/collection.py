"""Records in the order in which they were made, read page by page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """What has a number that grows with each one made."""

    @property
    def number(self) -> int:
        """The number."""


Record = TypeVar("Record", bound=Numbered)


class Collection(Generic[Record]):
    """Records by number. A page costs the same however many there are, wherever it begins."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._numbers: list[int] = []  # sorted, for the place where a page begins

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records, oldest first."""
        return (self._records[number] for number in self._numbers)

    def get(self, number: int | None) -> Record | None:
        """Return the record with this number."""
        return self._records.get(number) if number is not None else None

    def keep(self, record: Record) -> None:
        """Add a new record, which has the highest number yet, or take the place of the one with its number."""
        if record.number not in self._records:
            self._numbers.append(record.number)
        self._records[record.number] = record

    def forget(self, record: Record) -> None:
        """Take the record out."""
        del self._records[record.number]
        del self._numbers[bisect_left(self._numbers, record.number)]

    def newest(self, limit: int, before: int | None = None) -> list[Record]:
        """Return up to ``limit`` records, newest first; with ``before``, only those with a lower number."""
        end = len(self._numbers) if before is None else bisect_left(self._numbers, before)
        return [self._records[number] for number in reversed(self._numbers[max(0, end - limit) : end])]

    def oldest(self, limit: int, after: int | None = None) -> list[Record]:
        """Return up to ``limit`` records, oldest first; with ``after``, only those with a higher number."""
        begin = 0 if after is None else bisect_right(self._numbers, after)
        return [self._records[number] for number in self._numbers[begin : begin + limit]]
