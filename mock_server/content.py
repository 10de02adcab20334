"""What one account owns: its links, profiles, blocks and clicks. Nothing of anybody else can be reached from here.

Every change is in the database before it is in memory, so that a failed write changes nothing. Deleting and
making follow the rules of the mock server; which ones are assumed is written in ``openapi.yaml``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, TypeVar

from mock_server import demo_data, ids
from mock_server.clock import HOUR
from mock_server.collection import Collection
from mock_server.database import AnyRecord, Database
from mock_server.envelope import InvalidRequest, NotFound, SlugTaken
from mock_server.model import KINDS, Account, Block, ClickCount, Limits, Link, Profile, kind_value

Owned = Link | Profile | Block | ClickCount
Found = TypeVar("Found")
MOST_VALUES = 200  # of a kind that are told apart in an hour: who sends another one with each click must not fill the memory
OTHER = "Other"


class Content:
    """The links, profiles, blocks and clicks of ``account``. ``now`` returns the account's time."""

    def __init__(self, database: Database, account: Account, now: Callable[[], int], limits: Limits) -> None:
        self.database = database
        self.account = account
        self.now = now
        self.limits = limits
        self._forget_all()

    def _forget_all(self) -> None:
        self.links: Collection[Link] = Collection()
        self.profiles: Collection[Profile] = Collection()
        self._blocks: dict[int, Collection[Block]] = {}  # by number of their profile
        # By number of their link, the beginning of their hour, the kind and the value.
        self._clicks: dict[int, dict[int, dict[str, dict[str, ClickCount]]]] = {}
        self._by_slug: dict[str, Link | Profile] = {}

    def remember(self, record: Owned) -> None:
        """Take a record that is in the database into memory, a new one or a changed one."""
        if isinstance(record, Link):
            self._remember_slug(self.links.get(record.number), record)
            self.links.keep(record)
            self.account.links_made = max(self.account.links_made, record.number + 1)
            self._clicks.setdefault(record.number, {})
        elif isinstance(record, Profile):
            self._remember_slug(self.profiles.get(record.number), record)
            self.profiles.keep(record)
            self.account.profiles_made = max(self.account.profiles_made, record.number + 1)
            self._blocks.setdefault(record.number, Collection())
        elif isinstance(record, Block):
            self._blocks[record.profile_number].keep(record)
            self.account.blocks_made = max(self.account.blocks_made, record.number + 1)
        else:
            hour = self._clicks[record.link_number].setdefault(record.hour, {kind: {} for kind in KINDS})
            hour[record.kind][record.value] = record

    def _remember_slug(self, before: Link | Profile | None, now: Link | Profile) -> None:
        if before:
            del self._by_slug[before.slug]
        self._by_slug[now.slug] = now

    def find_slug(self, slug: str) -> Link | Profile | None:
        """Return what this slug leads to: links and profiles share the addresses ``https://linked.is/<slug>``."""
        return self._by_slug.get(slug)

    # Links

    def link(self, link_id: str) -> Link:
        """Return one link. Raises NotFound."""
        return _found(self.links.get(ids.LINK.number(link_id)), "link")

    def add_link(self, values: dict[str, Any]) -> Link:
        """Make a link from checked values. Raises InvalidRequest or SlugTaken."""
        self._check_room(self.links, "links")
        values = {**values, "slug": values.get("slug") or self._free_slug()}
        link = Link(account_id=self.account.id, number=self.account.links_made, created_at=self.now(), **values)
        self._check_link(link)
        self._save(link)
        return link

    def change_link(self, link: Link, values: dict[str, Any]) -> Link:
        """Change a link to checked values and return it. Raises InvalidRequest or SlugTaken, and then changes nothing."""
        changed = replace(link, **values)
        self._check_link(changed)
        self._save(changed)
        return changed

    def delete_link(self, link: Link) -> None:
        """Remove a link and its clicks for good."""
        self._delete(*self._counts(link.number), link)
        del self._clicks[link.number], self._by_slug[link.slug]
        self.links.forget(link)

    def _check_link(self, link: Link) -> None:
        self._check_slug(link)
        if link.starts_at is not None and link.expires_at is not None and link.expires_at <= link.starts_at:
            raise InvalidRequest("expiresAt: must be later than startsAt.")

    def _check_room(self, records: Sized, what: str) -> None:
        if len(records) >= self.limits.links:
            raise InvalidRequest(f"You have {len(records)} {what}: this mock server takes no more. Delete one first.")

    def _check_slug(self, record: Link | Profile) -> None:
        other = self._by_slug.get(record.slug)
        if other is not None and (type(other), other.number) != (type(record), record.number):
            raise SlugTaken

    def _free_slug(self) -> str:
        """Return a slug that looks random and is the same for the n-th link of every account."""
        numbers = count(self.account.links_made)
        slugs = (hashlib.sha256(f"link {number}".encode()).hexdigest()[:7] for number in numbers)
        return next(slug for slug in slugs if slug not in self._by_slug)

    # Profiles and blocks

    def profile(self, profile_id: str) -> Profile:
        """Return one profile. Raises NotFound."""
        return _found(self.profiles.get(ids.PROFILE.number(profile_id)), "profile")

    def add_profile(self, values: dict[str, Any]) -> Profile:
        """Make a profile from checked values. Raises InvalidRequest or SlugTaken."""
        self._check_room(self.profiles, "profiles")
        profile = Profile(account_id=self.account.id, number=self.account.profiles_made, created_at=self.now(), **values)
        self._check_slug(profile)
        self._save(profile)
        return profile

    def change_profile(self, profile: Profile, values: dict[str, Any]) -> Profile:
        """Change a profile to checked values and return it. Raises SlugTaken, and then changes nothing."""
        changed = replace(profile, **values)
        self._check_slug(changed)
        self._save(changed)
        return changed

    def count_view(self, profile: Profile) -> None:
        """Count a visitor of the profile."""
        self._save(replace(profile, views=profile.views + 1))

    def delete_profile(self, profile: Profile) -> None:
        """Remove a profile and its blocks for good."""
        self._delete(*self._blocks[profile.number], profile)
        del self._blocks[profile.number], self._by_slug[profile.slug]
        self.profiles.forget(profile)

    def blocks(self, profile: Profile) -> Collection[Block]:
        """Return the blocks of a profile."""
        return self._blocks[profile.number]

    def block(self, profile: Profile, block_id: str) -> Block:
        """Return one block of a profile. Raises NotFound."""
        return _found(self._blocks[profile.number].get(ids.BLOCK.number(block_id)), "block")

    def add_block(self, profile: Profile, values: dict[str, Any]) -> Block:
        """Make a block, below the others, from checked values. Raises InvalidRequest."""
        self._check_room(self._blocks[profile.number], "blocks in this profile")
        block = Block(self.account.id, profile.number, self.account.blocks_made, created_at=self.now(), **values)
        self._save(block)
        return block

    def change_block(self, block: Block, values: dict[str, Any]) -> Block:
        """Change a block to checked values and return it."""
        changed = replace(block, **values)
        self._save(changed)
        return changed

    def delete_block(self, block: Block) -> None:
        """Remove a block for good."""
        self._delete(block)
        self._blocks[block.profile_number].forget(block)

    # Clicks

    def count_click(self, link: Link, visitor: dict[str, str]) -> None:
        """Count a click now, by a visitor as ``visitors.describe`` tells."""
        hour = self.now() // HOUR * HOUR
        before = self._clicks[link.number].get(hour, {})
        records: list[Link | ClickCount] = [replace(link, clicks=link.clicks + 1)]
        records += [self._one_more(link, hour, kind, before.get(kind, {}), kind_value(kind, visitor)) for kind in KINDS]
        with self.database.transaction():
            for record in records:
                self.database.save(record)
        for record in records:
            self.remember(record)

    def _one_more(self, link: Link, hour: int, kind: str, before: dict[str, ClickCount], value: str) -> ClickCount:
        if value not in before and len(before) >= MOST_VALUES:
            value = "\n".join([OTHER] * len(KINDS[kind]))
        clicks = before[value].clicks if value in before else 0
        return ClickCount(self.account.id, link.number, hour, kind, value, clicks + 1)

    def demo_clicks(self, link: Link) -> tuple[int, Sequence[demo_data.Click]]:
        """Return the link's demo clicks, with the moment that their times count from."""
        return self.account.history_ends, demo_data.history(link.number)

    def hours(self, link: Link) -> Mapping[int, Mapping[str, Mapping[str, ClickCount]]]:
        """Return the link's real clicks: how many, by hour, kind and value."""
        return self._clicks[link.number]

    def _counts(self, link_number: int) -> list[ClickCount]:
        hours = self._clicks[link_number].values()
        return [count for kinds in hours for values in kinds.values() for count in values.values()]

    # All of it

    def lay_demo_data(self, **account_values: Any) -> None:
        """Replace all by the demo data, and change the account's fields in the same transaction."""
        links, profiles = demo_data.links(self.account.id), demo_data.profiles(self.account.id)
        blocks = demo_data.blocks(self.account.id)
        records: list[Link | Profile | Block] = [*links, *profiles, *blocks]
        demo = [demo_data.aged(record, account_values["history_ends"]) for record in records]
        account_values |= {"links_made": len(links), "profiles_made": len(profiles), "blocks_made": len(blocks)}
        with self.database.transaction():
            for old in self._everything():
                self.database.delete(old)
            new: list[AnyRecord] = [*demo, replace(self.account, **account_values)]
            for record in new:
                self.database.save(record)
            self.database.then(partial(self._begin_afresh, demo, account_values))

    def age_demo_data(self, history_ends: int) -> None:
        """Let no demo record be younger than the demo clicks, which end at ``history_ends`` (Unix seconds)."""
        blocks = [block for blocks in self._blocks.values() for block in blocks]
        records: list[Link | Profile | Block] = [*self.links, *self.profiles, *blocks]
        for record in filter(demo_data.is_demo, records):
            older = demo_data.aged(record, history_ends)
            if older != record:
                self.database.save(older)
                self.database.then(partial(self.remember, older))

    def _begin_afresh(self, records: list[Link | Profile | Block], account_values: dict[str, Any]) -> None:
        self._forget_all()
        set_fields(self.account, account_values)
        for record in records:
            self.remember(record)

    def _everything(self) -> list[Owned]:
        blocks = [block for blocks in self._blocks.values() for block in blocks]
        counts = [count for link_number in self._clicks for count in self._counts(link_number)]
        return [*counts, *blocks, *self.profiles, *self.links]

    def _save(self, record: Link | Profile | Block) -> None:
        self.database.save(record)
        self.remember(record)

    def _delete(self, *records: Owned) -> None:
        with self.database.transaction():
            for record in records:
                self.database.delete(record)
            # How many were made is what the highest number tells, until the one that has it goes.
            self.database.save(self.account)


def _found(record: Found | None, what: str) -> Found:
    if record is None:
        raise NotFound(f"Your account has no {what} with this id.")
    return record


def set_fields(record: Any, values: dict[str, Any]) -> None:
    """Set fields of a record by their names."""
    for name, value in values.items():
        setattr(record, name, value)
