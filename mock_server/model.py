"""The data: what the store holds, the database keeps and the API shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Where a fact of the API comes from. Readers see it beside the fact."""

    AUTHENTICATION_PAGE = "linked.is docs, authentication page"
    OTHER_DOCS_PAGE = "linked.is docs, another page"
    ASSUMED = "assumed, mock server only"


@dataclass(slots=True)
class Account:
    """A person's account. ``clock_offset`` is in seconds, added to the server's clock."""

    id: int
    email: str
    password_hash: str
    created_at: int
    clock_offset: int = 0
    links_made: int = 0


@dataclass(slots=True)
class Session:
    """A browser that logged in. Only the SHA-256 of its cookie is kept."""

    digest: str
    account_id: int
    created_at: int


@dataclass(slots=True)
class Token:
    """An API token without its text: only the SHA-256 of that is kept.

    Times are Unix seconds by the account's clock; ``None`` means never.
    """

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


@dataclass(slots=True)
class Link:
    """A short link. The API spells the same names in camelCase.

    Fields and their defaults: linked.is docs, links page. Times are Unix seconds.
    """

    account_id: int
    id: str
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
