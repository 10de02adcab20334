"""The data: what the store holds, the database keeps and the API shows.

Times are Unix seconds by the account's clock; ``None`` means never. What the API shows is frozen: a change
makes a new record, so that its JSON can be kept for as long as the record lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mock_server import ids


class Origin(StrEnum):
    """Where a fact of the API comes from. Readers see it beside the fact."""

    AUTHENTICATION_PAGE = "linked.is docs, authentication page"
    OTHER_DOCS_PAGE = "linked.is docs, another page"
    ASSUMED = "assumed, mock server only"


@dataclass(slots=True)
class Account:
    """A person's account.

    ``clock_offset`` is in seconds, added to the server's clock; ``frozen_at`` stops it there. The demo clicks
    end at ``history_ends``. The three last fields count what was ever made, so that no id comes back.
    """

    id: int
    email: str
    password_hash: str
    created_at: int
    plan: str = "Free"
    clock_offset: int = 0
    frozen_at: int | None = None
    history_ends: int = 0
    links_made: int = 0
    profiles_made: int = 0
    blocks_made: int = 0


@dataclass(slots=True)
class Session:
    """A browser that logged in. Only the SHA-256 of its cookie is kept."""

    digest: str
    account_id: int
    created_at: int


@dataclass(slots=True)
class Token:
    """An API token without its text: only the SHA-256 of that is kept."""

    digest: str
    id: int
    account_id: int
    name: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None

    def state(self, now: int) -> str:
        """Return ``"revoked"``, ``"expired"`` or ``"active"`` at ``now`` (Unix seconds)."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and now >= self.expires_at:
            return "expired"
        return "active"


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A short link. The API spells the same names in camelCase.

    Fields and their defaults: linked.is docs, links page.
    """

    account_id: int
    number: int
    url: str
    slug: str
    created_at: int
    title: str | None = None
    starts_at: int | None = None
    expires_at: int | None = None
    click_limit: int | None = None
    expiration_url: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    app_linking_enabled: bool = False
    ios_enabled: bool = False
    android_enabled: bool = False
    redirect_delay_enabled: bool = False
    clicks: int = 0

    @property
    def id(self) -> str:
        """The id in the API."""
        return ids.LINK.spell(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A bio profile. Fields: linked.is docs, profiles page."""

    account_id: int
    number: int
    display_name: str
    slug: str
    created_at: int
    bio: str | None = None
    avatar: str | None = None
    views: int = 0

    @property
    def id(self) -> str:
        """The id in the API."""
        return ids.PROFILE.spell(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block of a bio profile: a text, or a link when it has a ``url``. All of it is assumed."""

    account_id: int
    profile_number: int
    number: int
    title: str
    created_at: int
    url: str | None = None

    @property
    def id(self) -> str:
        """The id in the API."""
        return ids.BLOCK.spell(self.number)


# What clicks can have in common, each with the fields of a visitor that tell it: linked.is docs, analytics page.
KINDS = {
    "visitor": ("visitor",),
    "country": ("country", "code"),
    "city": ("city", "country"),
    "device": ("device",),
    "browser": ("browser",),
    "os": ("os",),
    "referrer": ("referrer",),
}


def kind_value(kind: str, visitor: Mapping[str, str]) -> str:
    """Return what a visitor has of a kind. No field has a line break."""
    return "\n".join([visitor[name] for name in KINDS[kind]])


@dataclass(frozen=True, slots=True, eq=False)
class ClickCount:
    """How many clicks a link got in an hour that have the same ``value`` of a kind. Ten million take no more room than one.

    ``hour`` is when the hour began.
    """

    account_id: int
    link_number: int
    hour: int
    kind: str
    value: str
    clicks: int


@dataclass(frozen=True)
class Limits:
    """How much there may be.

    ``accounts`` in all; of each account: ``links``, and as many profiles, and blocks of a profile; ``tokens``, those that no
    longer work too; and ``sessions``, browsers that are logged in.
    """

    accounts: int = 10_000
    links: int = 200_000
    tokens: int = 20_000
    sessions: int = 50
