"""Ids: the n-th thing of an account has the same one in every account, so that outputs can be compared.

``clx1234567890`` and ``prof_123456``: linked.is docs, links and profiles pages. The block's id is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ids:
    """Ids of one kind: a prefix and digits that look random and never repeat.

    ``step`` shares no factor with ``10 ** digits``, so each number has an id of its own and can be read back.
    """

    prefix: str
    digits: int
    first: int
    step: int

    def spell(self, number: int) -> str:
        """Return the id of the thing with this number.

        >>> LINK.spell(0)
        'clx1234567890'
        """
        return f"{self.prefix}{(self.first + self.step * number) % 10**self.digits:0{self.digits}d}"

    def number(self, text: str) -> int | None:
        """Return the number behind an id; ``None`` if the text is not one.

        >>> LINK.number("clx1234567890")
        0
        """
        digits = text.removeprefix(self.prefix)
        if not (digits.isascii() and digits.isdigit()):
            return None
        inverse = pow(self.step, -1, 10**self.digits)
        number = (int(digits[: self.digits]) - self.first) * inverse % 10**self.digits
        return number if self.spell(number) == text else None


LINK = Ids("clx", 10, 1_234_567_890, 7_654_321_987)
PROFILE = Ids("prof_", 6, 123_456, 654_321)
BLOCK = Ids("blk_", 6, 246_813, 531_867)
