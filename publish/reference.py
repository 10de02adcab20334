"""Write tables and lists of the pages from the code: what is typed twice disagrees one day."""

import json
import re
from pathlib import Path

from markdown.extensions.toc import slugify_unicode

import mock_server
from mock_server.__main__ import parser
from mock_server.envelope import ApiError
from mock_server.rate_limit import PLANS
from publish.lessons import read_course, read_lesson
from publish.recorded_answers import as_http, recorded

PROJECT = Path(mock_server.__file__).parent.parent


def write_tables(markdown, page, config, files):
    """Put what a page asks for in the place of its marker."""
    markdown = markdown.replace(CONTRACT, contract_links("../" * page.file.src_uri.count("/")))
    for marker, written in MARKERS.items():
        if marker in markdown:
            markdown = markdown.replace(marker, written())
    return markdown


def errors():
    """Return the errors by status, in the order of the code."""
    return sorted(ApiError.__subclasses__(), key=lambda error: error.status)


def error_table():
    """Return one row for each error, then each as it comes over the wire, below an anchor."""
    rows = ["| Code | When | Origin |", "| --- | --- | --- |"]
    answers = recorded()
    for error in errors():
        rows.append(f"| {error.status}<br>[`{error.code}`](#{error.code.lower()}) | {error.when} | {error.origin} |")
    parts = [f"### {error.code}\n\n{error.when}\n\n{as_http(answers[error.code])}" for error in errors()]
    return "\n\n".join(["\n".join(rows), "## Each error in full", *parts])


def plan_table():
    """Return one row for each plan."""
    rows = ["| Plan | Calls a minute | Calls a day |", "| --- | --- | --- |"]
    rows += [f"| {plan.name} | {plan.per_minute:,} | {plan.per_day:,} |" for plan in PLANS.values()]
    return "\n".join(rows)


def setting_table():
    """Return one row for each setting of ``.env.example``, with the comment above it."""
    settings, comments = {}, []
    for line in (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"(?:# )?([A-Z_]+)=(.*)", line):
            settings.setdefault(found[1], []).append((" ".join(comments), found[2]))
        comments = [*comments, line.removeprefix("# ")] if line.startswith("#") and not found else []
    rows = ["| Setting | What it is |", "| --- | --- |"]
    for name, lines in settings.items():
        told = " ".join(f"{comment} `{value}`" if value else comment for comment, value in lines)
        rows.append(f"| `{name}` | {told} |")
    return "\n".join(rows)


def option_table():
    """Return one row for each option of the mock server."""
    rows = ["| Option | What it does |", "| --- | --- |"]
    for action in parser()._actions:
        value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
        options = ", ".join(f"`{option}{value}`" for option in action.option_strings)
        rows.append(f"| {options} | {action.help[0].upper()}{action.help[1:]} |")
    return "\n".join(rows)


def task_table():
    """Return one row for each task of the Makefile."""
    tasks = re.findall(r"(?m)^([a-z-]+):.*## (.+)", (PROJECT / "Makefile").read_text(encoding="utf-8"))
    return "\n".join(["| Task | What it does |", "| --- | --- |", *(f"| `make {name}` | {does} |" for name, does in tasks)])


def contract_links(top):
    """Return links to the contract, seen from a page that has the top folder of `docs/` at this path."""
    return f"The contract as a file: [openapi.json]({top}openapi.json), or the same as [openapi.yaml]({top}openapi.yaml)."


def course_list():
    """Return one item for each lesson, with its exercises in it. The capstone has no lesson."""
    notebooks, items = PROJECT / "notebooks", []
    lessons = {lesson.file: lesson for lesson in read_course(notebooks)}
    tasks = [path for path in (notebooks / "exercises").glob("*.ipynb") if ".solution" not in path.name]
    exercises = {path.name: path for path in tasks if read_lesson(path).title}
    for name in sorted(lessons | exercises):
        lesson = lessons.get(name)
        if lesson:
            items.append(f"- [{lesson.title}](notebooks/{name}), {lesson.minutes} minutes")
        for title, heading in checked(exercises[name]) if name in exercises else []:
            address = f"notebooks/exercises/{name}#{slugify_unicode(heading, '-')}"
            if lesson:
                items.append(f"    - [{re.sub('^[0-9]. ', '', heading)}]({address})")
            else:
                items.append(f"- [{title}]({address}), {read_lesson(exercises[name]).minutes} minutes")
    return "\n".join(items)


def checked(path):
    """Yield the title of a notebook of exercises, and the heading above each check."""
    headings = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            headings += re.findall(r"(?m)^#+ (?:Exercises: )?(.+)", "".join(cell["source"]))
        elif "raises-exception" in cell["metadata"].get("tags", []):
            yield headings[0].capitalize(), headings[-1]


CONTRACT = "*The links to the contract as a file are on the site. In a clone, it is `mock_server/openapi.yaml`.*"
MARKERS = {
    "*The list of lessons and exercises is on the site. In a clone, `make serve` shows it.*": course_list,
    "*The table is on the site. In a clone, `make serve` shows it.*": error_table,
    "*The table of plans is on the site. In a clone, `make serve` shows it.*": plan_table,
    "*The table of settings is on the site. In a clone, `make serve` shows it.*": setting_table,
    "*The table of options is on the site. In a clone, `make serve` shows it.*": option_table,
    "*The table of tasks is on the site. In a clone, `make serve` shows it.*": task_table,
}
