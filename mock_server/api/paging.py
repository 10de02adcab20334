"""Lists, page by page. All of it is assumed: linked.is does not document how its lists are paged.

The body stays the documented one; ``Link: <…>; rel="next"`` (RFC 8288) leads to the next page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from starlette.responses import Response

from mock_server.api import Call
from mock_server.api.validation import Check, digits, id_of
from mock_server.collection import Numbered
from mock_server.envelope import success
from mock_server.ids import Ids

Record = TypeVar("Record", bound=Numbered)
ReadPage = Callable[[int, int | None], list[Record]]  # how many, and behind which number

DEFAULT_LIMIT = 20
HIGHEST_LIMIT = 100


def query(ids: Ids) -> dict[str, Check]:
    """Return the parameters of a list whose entries have ids of this kind."""
    return {"limit": digits(1, HIGHEST_LIMIT), "cursor": id_of(ids)}


def page(call: Call, read: ReadPage[Record], encoded: Callable[[Record], bytes], ids: Ids) -> Response:
    """Answer with the first records that ``read`` gives, or with those behind the one that ``cursor`` names."""
    wanted = call.query
    limit = wanted.get("limit", DEFAULT_LIMIT)
    found = read(limit + 1, wanted.get("cursor"))
    headers = None
    if len(found) > limit:
        found.pop()
        address = f"{call.scope['scheme']}://{call.headers['host']}{call.scope['path']}"
        headers = {"Link": f'<{address}?limit={limit}&cursor={ids.spell(found[-1].number)}>; rel="next"'}
    return success(b"[" + b",".join(map(encoded, found)) + b"]", headers=headers)
