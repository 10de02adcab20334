"""Who is in a class, and who needs help: what the calls of each learner tell, under the name that the learner gives once.

Kept in memory only: it ends with the server.
"""

from __future__ import annotations

import hmac
import json
from collections import deque
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
KEPT = 100  # of what a person did
SEPARATOR = "; "
IN_TURN = HAND_UP, STUCK, LAST_SEEN = "hand up", "stuck", "last seen"


@dataclass(frozen=True)
class Step:
    """A part of a lesson: its heading, and what whoever runs it does, as ``spelled``, or as the button is called."""

    heading: str
    does: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    """A notebook as the mock server sees it."""

    title: str
    steps: tuple[Step, ...]


@cache
def course() -> dict[str, Lesson]:
    """Return the notebooks of this kit by name, such as ``04-call-the-api`` and ``exercises/04-call-the-api``.

    ``make notebooks`` writes them into ``course.json``: it notes what each notebook does.
    """
    known = json.loads((resources.files("mock_server") / "course.json").read_text(encoding="utf-8"))
    return {
        name: Lesson(one["title"], tuple(Step(heading, tuple(does.split(SEPARATOR))) for heading, does in one["steps"].items()))
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

    ``lesson`` is the name of the notebook that asked last, ``step`` the number of the part that the person has come to,
    -1 before the first, and ``left`` what is still to be done there. ``done`` is what the person was seen to do, the latest
    at the end. ``planned`` counts the errors that belong to a lesson. ``hand_since`` is when the hand went up.
    """

    name: str
    seen_at: int
    accounts: set[int] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    lesson: str | None = None
    step: int = -1
    left: list[str] = field(default_factory=list)
    done: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    planned: int = 0
    trouble: Trouble | None = None
    hand_since: int | None = None
    note: str = ""

    @property
    def state(self) -> tuple[str, int]:
        """Say how the person is, and since when: ``hand up``; ``stuck`` on an error that no lesson plans; or ``last seen``."""
        if self.hand_since is not None:
            return HAND_UP, self.hand_since
        return (STUCK, self.trouble.since) if self.trouble else (LAST_SEEN, self.seen_at)

    @property
    def needs_help(self) -> bool:
        """Tell whether the hand is up, or the person is stuck."""
        return self.state[0] != LAST_SEEN

    @property
    def lesson_title(self) -> str:
        """The title of the lesson."""
        return course()[self.lesson].title if self.lesson else ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The parts of the lesson."""
        return course()[self.lesson].steps if self.lesson else ()

    @property
    def step_title(self) -> str:
        """The heading of the step."""
        return self.steps[self.step].heading if self.step >= 0 else ""

    def began(self, lesson: str) -> None:
        """Note that a notebook runs from the top. To begin another one is a way out of trouble."""
        if lesson != self.lesson:
            self.lesson, self.trouble = lesson, None
        self.step, self.left = -1, []

    def called(self, call: NotedCall, now: int) -> None:
        """Note a call of the API: a step of the lesson, a way out of trouble, or trouble."""
        is_planned = self.did(redact(spelled(call.method, call.path, call.status, call.error)), now, bool(call.error))
        what = (call.method, call.path)
        if not call.status:  # a lesson, or who tests, has asked for that
            return
        if not call.error:
            if self.trouble and what == self.trouble.call:
                self.trouble = None
        elif is_planned:
            self.planned += 1
        elif self.trouble:
            self.trouble.last = call
        else:
            self.trouble = Trouble(now, self.step, what, call)

    def did(self, what: str, now: int, is_error: bool = False) -> bool:
        """Note what the person did, and tell whether the lesson plans it. To come to a later step is a way out of trouble."""
        self.seen_at = now
        self.done.append(what)
        if what in self.left:
            self.left.remove(what)
            return True
        step = self._next_step(what, is_error)
        if step is None:  # once more
            return any(what in one.does for one in self.steps[: self.step + 1])
        self.step, self.left = step, [*self.steps[step].does]
        self.left.remove(what)
        if self.trouble and step > self.trouble.step:
            self.trouble = None
        return True

    def _next_step(self, what: str, is_error: bool) -> int | None:
        """Return the step to which the person has come by doing this, if it is another one.

        An error that a much later step plans is not planned here. What this step has too was done once more, unless the next
        one has it as well.
        """
        is_once_more = self.step >= 0 and what in self.steps[self.step].does
        last = self.step + (1 if is_once_more else 2 if is_error else len(self.steps))
        return next(
            (number for number in range(self.step + 1, min(last + 1, len(self.steps))) if what in self.steps[number].does), None
        )


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
            state, since = person.state
            return IN_TURN.index(state), since

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

    def greet(self, request: Request, account: Account | None = None) -> Person | None:
        """Return whose page object sent a request, and note whose account it uses; None if the request doesn't tell."""
        if not self.is_code(unquote(request.headers.get(CODE_HEADER, ""))):
            return None
        try:
            person = self.join(unquote(request.headers.get(NAME_HEADER, "")), request)
        except InvalidRequest:
            return None
        if account:
            self.owns(person, account)
        return person

    def begins(self, request: Request) -> None:
        """Note which notebook begins with this request, and whose."""
        person, lesson = self.greet(request), unquote(request.headers.get(LESSON_HEADER, ""))
        if person and lesson in course():
            person.began(lesson)

    def pressed(self, account: Account, button: str) -> None:
        """Note what somebody did on the page."""
        if person := self.owner(account):
            person.did(button, self.now())

    def called(self, call: NotedCall, account: Account | None) -> None:
        """Note a call of the API. If its account is nobody's, it is of the person at that address, if there is only one."""
        if self.code is None:
            return
        if person := self.owner(account) or self.at(call.address):
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
