"""What a new account holds: the same for everybody, so that outputs can be compared."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import NamedTuple, TypeVar

from mock_server.clock import DAY, parse_iso
from mock_server.model import KINDS, Block, Link, Profile, kind_value

HISTORY_DAYS = 90

_LINKS = [
    # slug, url, title, created, clicks
    ("spring-menu", "https://example.com/menu/spring", "Spring menu", "2026-01-12T08:30:00Z", 1284),
    ("book-a-table", "https://example.com/reservations", "Book a table", "2026-01-19T10:05:00Z", 967),
    ("gift-cards", "https://example.com/shop/gift-cards", "Gift cards", "2026-02-02T14:20:00Z", 311),
    ("jobs", "https://example.com/about/jobs", None, "2026-02-16T09:45:00Z", 58),
    ("newsletter", "https://example.com/newsletter", "Newsletter", "2026-03-01T16:00:00Z", 402),
]
_BLOCKS = [
    # title, url
    ("Open from Tuesday to Sunday, noon to ten", None),
    ("Spring menu", "https://example.com/menu/spring"),
    ("Book a table", "https://example.com/reservations"),
]

Drawn = TypeVar("Drawn")

# What visitors have in common, each with its weight.
_CITIES = {
    ("Lisbon", "Portugal", "PT"): 34, ("Porto", "Portugal", "PT"): 16, ("Madrid", "Spain", "ES"): 14,
    ("Berlin", "Germany", "DE"): 11, ("Paris", "France", "FR"): 9, ("London", "United Kingdom", "GB"): 8,
    ("São Paulo", "Brazil", "BR"): 5, ("New York", "United States", "US"): 3,
}  # fmt: skip
_DEVICES = {  # device, browser, operating system
    ("mobile", "Safari", "iOS"): 34, ("mobile", "Chrome", "Android"): 29, ("desktop", "Chrome", "Windows"): 14,
    ("desktop", "Safari", "macOS"): 8, ("desktop", "Edge", "Windows"): 5, ("desktop", "Firefox", "Linux"): 4,
    ("tablet", "Safari", "iOS"): 6,
}  # fmt: skip
_REFERRERS = {"Direct": 41, "instagram.com": 30, "google.com": 17, "facebook.com": 8, "example.org": 4}
_HOURS = {8: 3, 9: 4, 10: 5, 11: 8, 12: 12, 13: 10, 15: 4, 17: 6, 18: 10, 19: 14, 20: 12, 21: 8, 22: 4}


def links(account_id: int) -> list[Link]:
    """Return the demo links of an account, oldest first."""
    return [
        Link(
            account_id=account_id,
            number=number,
            url=url,
            slug=slug,
            title=title,
            created_at=parse_iso(created),
            clicks=clicks,
        )
        for number, (slug, url, title, created, clicks) in enumerate(_LINKS)
    ]


def profiles(account_id: int) -> list[Profile]:
    """Return the demo profile of an account."""
    return [
        Profile(
            account_id=account_id,
            number=0,
            display_name="Café Example",
            slug="cafe-example",
            bio="Coffee, cake and a short menu that follows the seasons.",
            created_at=parse_iso("2026-01-12T08:00:00Z"),
            views=2310,
        )
    ]


def blocks(account_id: int) -> list[Block]:
    """Return the blocks of the demo profile, from top to bottom."""
    created = parse_iso("2026-01-12T08:10:00Z")
    return [Block(account_id, 0, number, title, created, url) for number, (title, url) in enumerate(_BLOCKS)]


class Click(NamedTuple):
    """A visitor who opened a demo link ``at`` so many seconds. ``values`` has what it has of each kind."""

    at: int
    values: dict[str, str]


def aged(record: Link | Profile | Block, history_ends: int) -> Link | Profile | Block:
    """Return a demo record that isn't younger than the demo clicks, which end at this moment (Unix seconds)."""
    return replace(record, created_at=min(record.created_at, history_ends - HISTORY_DAYS * DAY))


def is_demo(record: Link | Profile | Block) -> bool:
    """Tell whether a record is one that every account begins with."""
    return record.number < {Link: len(_LINKS), Profile: 1, Block: len(_BLOCKS)}[type(record)]


@cache
def history(link_number: int) -> list[Click]:
    """Return the clicks of a demo link in the 90 days before an account's history ends, oldest first.

    ``at`` is in seconds before that end: -1 is its last second. A link that is no demo link has none.
    """
    if link_number >= len(_LINKS):
        return []
    slug, *_, total = _LINKS[link_number]
    chance = random.Random(slug)  # the same sequence on every machine and at every start
    # More visitors as the weeks go by, and twice as many on two days of seven.
    days = {day: (HISTORY_DAYS + day) * (2 if day % 7 in (2, 3) else 1) for day in range(HISTORY_DAYS)}

    def draw(weights: dict[Drawn, int]) -> Drawn:
        return chance.choices(list(weights), list(weights.values()))[0]

    clicks = []
    for _ in range(total):
        at = (draw(days) - HISTORY_DAYS) * DAY + draw(_HOURS) * 3600 + chance.randrange(3600)
        # A visitor is one of so many people, each with a home and a device.
        visitor = chance.randrange(round(total * 0.8))
        person = random.Random(f"{slug} {visitor}")
        city, country, code = person.choices(list(_CITIES), list(_CITIES.values()))[0]
        device, browser, system = person.choices(list(_DEVICES), list(_DEVICES.values()))[0]
        clicks.append((at, f"demo {visitor}", country, code, city, device, browser, system, draw(_REFERRERS)))
    names = ("visitor", "country", "code", "city", "device", "browser", "os", "referrer")
    described = [(at, dict(zip(names, fields, strict=True))) for at, *fields in sorted(clicks)]
    return [Click(at, {kind: kind_value(kind, visitor) for kind in KINDS}) for at, visitor in described]
