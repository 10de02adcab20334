"""``/v1/profiles`` and the blocks of a profile.

``POST`` and ``GET`` of a profile and its fields: linked.is docs, profiles page. That blocks can be managed:
authentication page. The other paths and verbs, and all fields of a block, are assumed.
"""

from __future__ import annotations

from starlette.responses import Response

from mock_server import ids
from mock_server.api import Call, Resource, paging
from mock_server.api.validation import checked, json_object, optional, required, slug, text, web_address
from mock_server.clock import iso
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
    """Return the resources; each expects the account's content in the call."""

    async def list_profiles(call: Call) -> Response:
        return paging.page(call, call.content.profiles.newest, encoded_profile, ids.PROFILE)

    async def make_profile(call: Call) -> Response:
        values = required(checked(await json_object(call), PROFILE_FIELDS), "displayName", "slug")
        return success(encoded_profile(call.content.add_profile(values)), status=201)

    async def read_profile(call: Call) -> Response:
        return success(encoded_profile(chosen(call)))

    async def change_profile(call: Call) -> Response:
        values = checked(await json_object(call), PROFILE_FIELDS)
        return success(encoded_profile(call.content.change_profile(chosen(call), values)))

    async def delete_profile(call: Call) -> Response:
        call.content.delete_profile(chosen(call))
        return success(b"null")

    async def list_blocks(call: Call) -> Response:
        return paging.page(call, call.content.blocks(chosen(call)).oldest, encoded_block, ids.BLOCK)

    async def make_block(call: Call) -> Response:
        values = required(checked(await json_object(call), BLOCK_FIELDS), "title")
        return success(encoded_block(call.content.add_block(chosen(call), values)), status=201)

    async def read_block(call: Call) -> Response:
        return success(encoded_block(chosen_block(call)))

    async def change_block(call: Call) -> Response:
        values = checked(await json_object(call), BLOCK_FIELDS)
        return success(encoded_block(call.content.change_block(chosen_block(call), values)))

    async def delete_block(call: Call) -> Response:
        call.content.delete_block(chosen_block(call))
        return success(b"null")

    def chosen(call: Call) -> Profile:
        return call.content.profile(call.path_params["id"])

    def chosen_block(call: Call) -> Block:
        return call.content.block(chosen(call), call.path_params["block_id"])

    return [
        Resource("/profiles", paging.query(ids.PROFILE), GET=list_profiles, POST=make_profile),
        Resource("/profiles/{id}", GET=read_profile, PATCH=change_profile, DELETE=delete_profile),
        Resource("/profiles/{id}/blocks", paging.query(ids.BLOCK), GET=list_blocks, POST=make_block),
        Resource("/profiles/{id}/blocks/{block_id}", GET=read_block, PATCH=change_block, DELETE=delete_block),
    ]
