"""``/v1/profiles`` and the blocks of a profile.

``POST`` and ``GET`` of a profile and its fields: linked.is docs, profiles page. That blocks can be managed:
authentication page. The other paths and verbs, and all fields of a block, are assumed.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server import ids
from mock_server.api import Resource, paging
from mock_server.api.validation import checked, json_object, optional, required, slug, text, web_address
from mock_server.clock import iso
from mock_server.content import Content
from mock_server.envelope import encode, success
from mock_server.model import Block, Profile

PROFILE_FIELDS = {
    "displayName": text(100),
    "slug": slug,
    "bio": optional(text(500)),
    "avatar": optional(web_address),
}
BLOCK_FIELDS = {
    "title": text(200),
    "url": optional(web_address),
}


def encoded_profile(profile: Profile) -> bytes:
    """Spell a profile as the API does."""
    return encode(
        {
            "id": profile.id,
            "displayName": profile.display_name,
            "slug": profile.slug,
            "bio": profile.bio,
            "avatar": profile.avatar,
            "profileUrl": f"https://linked.is/{profile.slug}",
            "views": profile.views,
            "createdAt": iso(profile.created_at),
        }
    )


def encoded_block(block: Block) -> bytes:
    """Spell a block as the mock server does."""
    return encode({"id": block.id, "title": block.title, "url": block.url, "createdAt": iso(block.created_at)})


def resources() -> list[Resource]:
    """Return the resources; each expects the account's content in the request's state."""

    async def list_profiles(request: Request) -> Response:
        return paging.page(request, content(request).profiles.newest, encoded_profile, ids.PROFILE)

    async def make_profile(request: Request) -> Response:
        values = required(checked(await json_object(request), PROFILE_FIELDS), "displayName", "slug")
        return success(encoded_profile(content(request).add_profile(values)), status=201)

    async def read_profile(request: Request) -> Response:
        return success(encoded_profile(chosen(request)))

    async def change_profile(request: Request) -> Response:
        values = checked(await json_object(request), PROFILE_FIELDS)
        return success(encoded_profile(content(request).change_profile(chosen(request), values)))

    async def delete_profile(request: Request) -> Response:
        content(request).delete_profile(chosen(request))
        return success(b"null")

    async def list_blocks(request: Request) -> Response:
        return paging.page(request, content(request).blocks(chosen(request)).oldest, encoded_block, ids.BLOCK)

    async def make_block(request: Request) -> Response:
        values = required(checked(await json_object(request), BLOCK_FIELDS), "title")
        return success(encoded_block(content(request).add_block(chosen(request), values)), status=201)

    async def read_block(request: Request) -> Response:
        return success(encoded_block(chosen_block(request)))

    async def change_block(request: Request) -> Response:
        values = checked(await json_object(request), BLOCK_FIELDS)
        return success(encoded_block(content(request).change_block(chosen_block(request), values)))

    async def delete_block(request: Request) -> Response:
        content(request).delete_block(chosen_block(request))
        return success(b"null")

    def content(request: Request) -> Content:
        return request.state.content

    def chosen(request: Request) -> Profile:
        return content(request).profile(request.path_params["id"])

    def chosen_block(request: Request) -> Block:
        return content(request).block(chosen(request), request.path_params["block_id"])

    return [
        Resource("/profiles", paging.query(ids.PROFILE), GET=list_profiles, POST=make_profile),
        Resource("/profiles/{id}", GET=read_profile, PATCH=change_profile, DELETE=delete_profile),
        Resource("/profiles/{id}/blocks", paging.query(ids.BLOCK), GET=list_blocks, POST=make_block),
        Resource("/profiles/{id}/blocks/{block_id}", GET=read_block, PATCH=change_block, DELETE=delete_block),
    ]
