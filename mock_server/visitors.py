"""What a short link learns of a visitor from the request: no more than the analytics show."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

# The first one that is found wins: Edge also says Chrome and Safari, Chrome also says Safari.
_BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iOS", "iPad": "iOS", "Mac OS": "macOS", "Linux": "Linux"}


def address(request: HTTPConnection) -> str:
    """Return the network address that a request came from; that of a proxy, if there is one."""
    return request.client.host if request.client else ""


def describe(request: HTTPConnection) -> dict[str, str]:
    """Return the fields of a click that say who clicked.

    A mock server on your computer cannot tell where a visitor sits: country and city are unknown
    (``ZZ`` is the code for that in ISO 3166's user range, as CLDR uses it).
    """
    agent = request.headers.get("user-agent", "")
    return {
        "visitor": hashlib.sha256(f"{address(request)} {agent}".encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "country": "Unknown",
        "code": "ZZ",
        "city": "Unknown",
        "device": _device(agent),
        "browser": _first(_BROWSERS, agent),
        "os": _first(_SYSTEMS, agent),
        "referrer": _host(request.headers.get("referer", "")) or "Direct",
    }


def _device(agent: str) -> str:
    if "iPad" in agent or "Tablet" in agent or ("Android" in agent and "Mobile" not in agent):
        return "tablet"
    return "mobile" if "Mobi" in agent else "desktop"


def _first(names: dict[str, str], agent: str) -> str:
    return next((name for sign, name in names.items() if sign in agent), "Other")


def _host(address: str) -> str | None:
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return None
    return host[:253] if host and host.isprintable() else None
