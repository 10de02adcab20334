"""Who is in a class, and who needs help: what the calls of each learner tell, under the name that the learner gives once.

Kept in memory only: it ends with the server.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from urllib.parse import unquote

from starlette.requests import Request

from mock_server.dot_env import CODE_HEADER, LESSON_HEADER, NAME_HEADER
from mock_server.envelope import InvalidRequest
from mock_server.model import Account
from mock_server.tokens import redact
from mock_server.traffic import NotedCall
from mock_server.visitors import address

LONGEST_NAME, LONGEST_NOTE = 40, 200  # characters
MOST_PEOPLE = 1_000


@dataclass(frozen=True)
class Step:
    """A part of a lesson: its heading, and the calls that it makes, as ``spelled``."""

    heading: str
    calls: frozenset[str]


@dataclass(frozen=True)
class Lesson:
    """A notebook as the mock server sees it."""

    title: str
    steps: tuple[Step, ...]


@cache
def course() -> dict[str, Lesson]:
    """Return the notebooks of this kit by name, such as ``04-call-the-api`` and ``exercises/04-call-the-api``.

    ``make notebooks`` writes them into ``course.json``: it notes what each notebook calls.
    """
    known = json.loads((resources.files("mock_server") / "course.json").read_text(encoding="utf-8"))
    return {
        name: Lesson(one["title"], tuple(Step(heading, frozenset(calls)) for heading, calls in one["steps"]))
        for name, one in known.items()
    }


def spelled(method: str, path: str, status: int, error: str | None) -> str:
    """Spell what a call was and how it ended, the same for everybody: ``GET /v1/links/* 404 NOT_FOUND``.

    Whatever has a digit is an id, or a name that was made up.
    """
    parts = ["*" if number > 1 and any(map(str.isdigit, part)) else part for number, part in enumerate(path.split("/"))]
    return f"{method} {'/'.join(parts)} {status or 'no answer'}{f' {error}' if error else ''}"


@dataclass(slots=True)
class Trouble:
    """An error that no lesson plans: when it came first (Unix seconds), at which step, what failed, and what came last."""

    since: int
    step: int
    call: tuple[str, str]
    last: NotedCall


@dataclass(slots=True)
class Person:
    """Somebody in the class. Times are Unix seconds by the server's real clock.

    ``lesson`` is the name of the notebook that asked last, ``step`` the number of its furthest part that was seen,
    -1 before the first. ``did`` is the last thing that the person was seen to do. ``planned`` counts the errors that belong
    to a lesson. ``hand_since`` is when the hand went up.
    """

    name: str
    seen_at: int
    accounts: set[int] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    lesson: str | None = None
    step: int = -1
    did: str = ""
    planned: int = 0
    trouble: Trouble | None = None
    hand_since: int | None = None
    note: str = ""

    @property
    def needs_help(self) -> bool:
        """Tell whether the hand is up, or an error came that no lesson plans and nothing that shows a way out of it."""
        return self.hand_since is not None or self.trouble is not None

    @property
    def lesson_title(self) -> str:
        """The title of the lesson."""
        return course()[self.lesson].title if self.lesson else ""

    @property
    def step_title(self) -> str:
        """The heading of the step."""
        return course()[self.lesson].steps[self.step].heading if self.lesson and self.step >= 0 else ""

    def opened(self, lesson: str) -> None:
        """Note which notebook the person works in. To begin another one is a way out."""
        if lesson != self.lesson:
            self.lesson, self.step, self.trouble = lesson, -1, None

    def called(self, call: NotedCall, now: int) -> None:
        """Note a call of the API: a step of the lesson, a way out of trouble, or trouble."""
        self.seen_at = now
        ended = spelled(call.method, call.path, call.status, call.error)
        self.did = redact(ended)
        steps = course()[self.lesson].steps if self.lesson else ()
        # The nearest step from here on. An error that a much later step plans is not planned here.
        last = self.step + 2 if call.error else len(steps) - 1
        ahead = next(
            (number for number in range(max(self.step, 0), len(steps)) if number <= last and ended in steps[number].calls), None
        )
        # Who runs the notebook from the top again goes over steps that are behind.
        is_planned = ahead is not None or any(ended in step.calls for step in steps[: max(self.step, 0)])
        what = (call.method, call.path)
        if self.trouble:
            is_past = ahead is not None and ahead > self.trouble.step
            if is_past or (what == self.trouble.call and not call.error):
                self.trouble = None
        if ahead is not None:
            self.step = ahead
        if not call.error:
            return
        if is_planned:
            self.planned += 1
        elif self.trouble:
            self.trouble.last = call
        else:
            self.trouble = Trouble(now, self.step, what, call)

    def pressed(self, button: str, now: int) -> None:
        """Note what the person did on the page."""
        self.seen_at, self.did = now, button


class Classroom:
    """The people of a class. ``now`` tells real time in Unix seconds. Without a ``code`` there is no class, and nobody in it."""

    def __init__(self, code: str | None, now: Callable[[], int]) -> None:
        self.code = code
        self.now = now
        self._people: dict[str, Person] = {}
        self._of_account: dict[int, Person] = {}

    def people(self) -> list[Person]:
        """Return everybody, those first who need help: raised hands, then who is stuck, then who was not seen for longest."""

        def turn(person: Person) -> tuple[int, int]:
            if person.hand_since is not None:
                return 0, person.hand_since
            return (1, person.trouble.since) if person.trouble else (2, person.seen_at)

        return sorted(self._people.values(), key=turn)

    def find(self, name: str) -> Person | None:
        """Return who has this name, however it is capitalised."""
        return self._people.get(name.strip().casefold())

    def is_code(self, code: str) -> bool:
        """Tell whether this is the code of the class."""
        return self.code is not None and hmac.compare_digest(code.strip().encode(), self.code.encode())

    def join(self, name: str, request: Request) -> Person:
        """Return who has this name, a new person if nobody had it. Raises InvalidRequest."""
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable() or redact(name) != name:
            raise InvalidRequest(
                f"Your name is missing, or has more than {LONGEST_NAME} characters. Your instructor sees the name on the class board."
            )
        person = self.find(name)
        if person is None:
            if len(self._people) >= MOST_PEOPLE:
                raise InvalidRequest(f"This class has {MOST_PEOPLE} people: it takes no more.")
            person = self._people[name.casefold()] = Person(name, self.now())
        person.addresses.add(address(request))
        person.seen_at = self.now()
        return person

    def owns(self, person: Person, account: Account) -> None:
        """Let an account be this person's."""
        person.accounts.add(account.id)
        self._of_account[account.id] = person

    def owner(self, account: Account | None) -> Person | None:
        """Return whose account it is."""
        return self._of_account.get(account.id) if account else None

    def greet(self, request: Request, account: Account | None = None) -> None:
        """Note what a request of the page object tells: who sent it, whose account it uses, from which lesson."""
        if self.code is None or not self.is_code(unquote(request.headers.get(CODE_HEADER, ""))):
            return
        try:
            person = self.join(unquote(request.headers.get(NAME_HEADER, "")), request)
        except InvalidRequest:
            return
        if account:
            self.owns(person, account)
        lesson = unquote(request.headers.get(LESSON_HEADER, ""))
        if lesson in course():
            person.opened(lesson)

    def pressed(self, account: Account, button: str) -> None:
        """Note what somebody did on the page."""
        if person := self.owner(account):
            person.pressed(button, self.now())

    def called(self, call: NotedCall, account: Account | None) -> None:
        """Note a call of the API. Without an account it is of the person at that address, if there is only one."""
        if self.code is None:
            return
        person = self.owner(account) if account else self.at(call.address)
        if person:
            person.called(call, self.now())

    def at(self, address: str) -> Person | None:
        """Return the one person who was seen at a network address."""
        there = [person for person in self._people.values() if address in person.addresses]
        return there[0] if len(there) == 1 else None

    def raise_hand(self, person: Person, note: str) -> None:
        """Ask the instructor to come. A hand that is up stays up since when it was."""
        person.note = redact(" ".join(note.split()))[:LONGEST_NOTE]
        person.hand_since = self.now() if person.hand_since is None else person.hand_since

    def lower_hand(self, person: Person) -> None:
        """Ask no more."""
        person.hand_since, person.note = None, ""
