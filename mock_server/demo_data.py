"""What a new account holds: the same links for everybody, so that outputs can be compared."""

from __future__ import annotations

from mock_server.clock import parse_iso
from mock_server.model import Link

_LINKS = [
    # slug, url, title, created, clicks
    ("spring-menu", "https://example.com/menu/spring", "Spring menu", "2026-01-12T08:30:00Z", 1284),
    ("book-a-table", "https://example.com/reservations", "Book a table", "2026-01-19T10:05:00Z", 967),
    ("gift-cards", "https://example.com/shop/gift-cards", "Gift cards", "2026-02-02T14:20:00Z", 311),
    ("jobs", "https://example.com/about/jobs", None, "2026-02-16T09:45:00Z", 58),
    ("newsletter", "https://example.com/newsletter", "Newsletter", "2026-03-01T16:00:00Z", 402),
]


def links(account_id: int) -> list[Link]:
    """Return the demo links of an account, oldest first."""
    return [
        Link(
            account_id=account_id,
            id=link_id(number),
            url=url,
            slug=slug,
            title=title,
            created_at=parse_iso(created),
            clicks=clicks,
        )
        for number, (slug, url, title, created, clicks) in enumerate(_LINKS)
    ]


def link_id(number: int) -> str:
    """Return the id of an account's link by its number: the same in every account.

    The ten digits look random and never repeat: the step shares no factor with 10 ** 10.
    """
    return f"clx{(1_234_567_890 + 7_654_321_987 * number) % 10**10:010d}"
