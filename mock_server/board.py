"""``/_mock/class``: the instructor's board. A row for each learner, those first who need help."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.classroom import SEPARATOR, Classroom, Person, course
from mock_server.clock import iso
from mock_server.envelope import Forbidden
from mock_server.instructor import Instructor
from mock_server.store import Store
from mock_server.traffic import NOBODY, Traffic
from mock_server.web.rendering import HEADERS, go_to, page
from mock_server.web.sessions import form_fields

# The page's script asks for what is new.
_HEADERS = {**HEADERS, "Content-Security-Policy": HEADERS["Content-Security-Policy"] + "; connect-src 'self'"}


@dataclass(frozen=True)
class Row:
    """A row of the board. ``since`` is when the state began, in Unix seconds; ``minutes`` how long ago that was."""

    person: Person
    generated: int
    used: int
    revoked: int
    state: str
    since: int
    minutes: int


COLUMNS: dict[str, Callable[[Row], object]] = {
    "Learner": lambda row: row.person.name,
    "Lesson": lambda row: row.person.lesson_title,
    "Step": lambda row: row.person.step_title,
    "State": lambda row: row.state,
    "Since": lambda row: iso(row.since),
    "Note": lambda row: row.person.note,
    "Error": lambda row: row.person.trouble.last.error if row.person.trouble else "",
    "Planned errors": lambda row: row.person.planned,
    "Last seen": lambda row: iso(row.person.seen_at),
    "Did": lambda row: SEPARATOR.join(row.person.done),
    "Generated": lambda row: row.generated,
    "Used": lambda row: row.used,
    "Revoked": lambda row: row.revoked,
    "Accounts": lambda row: len(row.person.accounts),
}


def routes(store: Store, traffic: Traffic, instructor: Instructor, classroom: Classroom) -> list[Route]:
    """Return the routes of the board and its log-in."""

    async def show(request: Request) -> Response:
        try:
            instructor.require(request)
        except Forbidden:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            return page(request, "instructor_code.html", 403)  # a person can log in
        if request.query_params.get("as") == "csv":
            headers = {**HEADERS, "Content-Disposition": 'attachment; filename="class.csv"'}
            return Response(as_csv(chosen(request)), headers=headers, media_type="text/csv")
        people = classroom.people()
        strangers = [call for call in traffic.recent([NOBODY]) if call.error and classroom.at(call.address) is None][:10]
        return page(
            request,
            "board.html",
            headers=_HEADERS,
            classroom=classroom,
            rows=chosen(request),
            people=people,
            needing_help=sum(person.needs_help for person in people),
            lessons={name: one.title for name, one in course().items() if any(person.lesson == name for person in people)},
            asked=request.query_params,
            strangers=strangers,
        )

    async def log_in(request: Request) -> Response:
        if request.method != "POST":
            return page(request, "instructor_code.html")
        response = go_to(request, "/_mock/class")
        if not instructor.log_in(request, response, (await form_fields(request)).get("code", "")):
            return page(request, "instructor_code.html", 400, error="This is not the instructor code. The terminal has it.")
        return response

    async def lower(request: Request) -> Response:
        instructor.require(request)
        if person := classroom.find((await form_fields(request)).get("learner", "")):
            classroom.lower_hand(person)
        return go_to(request, f"/_mock/class?{request.url.query}")

    def chosen(request: Request) -> list[Row]:
        """Return the rows that the filter lets through."""
        show, name = request.query_params.get("show", ""), request.query_params.get("name", "").casefold()

        def is_wanted(person: Person) -> bool:
            return name in person.name.casefold() and (
                not show or person.lesson == show or (show == "help" and person.needs_help)
            )

        return [row(person) for person in classroom.people() if is_wanted(person)]

    def row(person: Person) -> Row:
        tokens = [
            token for number in person.accounts if number in store.accounts for token in store.tokens(store.accounts[number])
        ]
        state, since = person.state
        return Row(
            person,
            generated=len(tokens),
            used=sum(token.last_used_at is not None for token in tokens),
            revoked=sum(token.revoked_at is not None for token in tokens),
            state=state,
            since=since,
            minutes=(classroom.now() - since) // 60,
        )

    return [
        Route("/_mock/class", show),
        Route("/instructor", log_in, methods=["GET", "POST"], include_in_schema=False),
        Route("/instructor/lower", lower, methods=["POST"], include_in_schema=False),
    ]


def as_csv(rows: list[Row]) -> str:
    """Return the rows as a table for a spreadsheet, without anything that it could take for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        values = [str(read(row)) for read in COLUMNS.values()]
        writer.writerow([f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value for value in values])
    return text.getvalue()
