"""Write the navigation and the workshop's pages from the notebooks: names, minutes, what fits into a day.

A page names a lesson by its file name without the number: `[text](lesson:call-the-api)` is a link to it, and in the
guide the heading `## call-the-api` becomes its title. So the pages stay true when lessons are renumbered.
"""

import json
import logging
import posixpath
import re
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from mkdocs.structure.pages import Page

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.course")

BEGINNING = 9 * 60  # nine o'clock, in minutes
WELCOME = END = 5
BREAK = 10
COURSE = "notebooks/"  # in the nav: all lessons, in their order
UNBROKEN = 90  # minutes after which people need a break

AGENDA = re.compile(r"\*The agenda of (\d+) minutes is on the site\. In a clone, `make serve` shows it\.\*")
LESSONS = "*The list of lessons is on the site. In a clone, `make serve` shows it.*"
HEADING = re.compile(r"^## ([a-z0-9]+(?:-[a-z0-9]+)+)$", re.MULTILINE)
LINK = re.compile(r"\(lesson:([a-z0-9-]+)\)")
HOST = {
    "Welcome": (
        "If there are lines on the wall: all learners choose **File > Open from Path…**, type `.env`, write the lines in the "
        "place of the old ones, without `# ` and with their own name, and save the file. Then they restart the kernel, and run "
        "the first two code cells of the first notebook. Count the rows of the board: one for each learner. Say: “A blue note on "
        "the lid asks for help, a yellow note says: I'm done.”"
    ),
    "Break": "Look at the board: find the learners who need help.",
    "Exercises": "Two learners share a screen. Look at the board, and walk to who is stuck.",
    "Free minutes": "These minutes are what you may be late. Answer what learners ask. If nobody asks, go on in the course.",
    "End": "Give out the survey. All learners revoke their tokens. If they used your mock server, they [change `.env` for home](check-lists.md#after-it).",
}

# What a notebook needs to be a lesson; a file that is no notebook has none of it.
NEEDS = {"title": "a title, `# …`", "minutes": "minutes in its metadata", "goal": "a goal, `**What you'll do:** …`"}


@dataclass(frozen=True)
class Lesson:
    """A notebook of the course, as its own text and metadata describe it. ``file`` is its path below ``notebooks/``.

    What a workshop can least do without has the lowest ``priority``; a notebook without one comes last. What else the
    notebook lacks is None: only a notebook that lacks nothing is a lesson.
    """

    file: str
    title: str | None
    minutes: int | None
    goal: str | None
    text: str = ""
    priority: int = 1_000
    is_optional: bool = False

    @property
    def slug(self):
        """Return the file name without its number."""
        return re.sub(r"^\d+-", "", Path(self.file).stem)

    @property
    def is_exercises(self):
        """Tell whether it has exercises."""
        return "/" in self.file

    @property
    def lesson_file(self):
        """Return what the file of its lesson is called."""
        return Path(self.file).name

    @property
    def is_taught(self):
        """Tell whether workshops take it before those without a priority."""
        return self.priority != Lesson.priority

    @property
    def lacks(self):
        """Return what is missing, in words."""
        return [need for name, need in NEEDS.items() if not getattr(self, name)]

    @property
    def objectives(self):
        """Return what learners learn to do."""
        found = re.search(r"\*\*What you'll learn:\*\* (.+)", self.text)
        return found[1] if found else ""

    @property
    def questions(self):
        """Return the questions that it answers: those that it asks in the end."""
        return re.findall(r"(?m)^\*\*(.+\?)\*\*$", self.part("Check yourself"))

    @property
    def key_points(self):
        """Return what learners should take home."""
        return re.findall(r"(?m)^- (.+)$", self.part("What you did"))

    def part(self, heading):
        """Return the text below a heading."""
        return re.split(r"(?m)^## ", self.text.partition(f"## {heading}\n")[2])[0]


@dataclass(frozen=True)
class Block:
    """A piece of an agenda: a lesson, or what stands between lessons."""

    name: str
    minutes: int
    lesson: Lesson | None = None


class Step(Page):
    """The page of a lesson, or of the capstone. To the theme, it is what the title of its part of the navigation leads to."""

    is_index = True


def list_lessons(config):
    """List the lessons in the nav, each with its exercises and their solutions."""
    folder = Path(config.config_file_path).parent / COURSE
    for part in config.nav or ():  # without a nav, MkDocs lists all files
        for entry in part.values() if isinstance(part, dict) else ():
            for item in entry if isinstance(entry, list) else ():
                if COURSE in item.values():
                    entry[entry.index(item)] = {title: course_nav(folder) for title in item}


def course_nav(folder):
    """Return the nav of the course, in the notation of ``mkdocs.yml``: a numbered section for each step."""
    paths = [path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts and read_lesson(path).title]
    paths.sort(key=lambda path: (step(path), path.parent != folder, ".solution" in path.name))
    steps = [list(paths) for _, paths in groupby(paths, step)]
    return [
        {f"{number}. {read_lesson(paths[0]).title}": [path.relative_to(folder.parent).as_posix() for path in paths]}
        for number, paths in enumerate(steps, 1)
    ]


def step(path):
    """Return what the notebooks of one step have in common: the beginning of their file names."""
    return path.name.partition(".")[0]


def let_lessons_stand_for_steps(files, config):
    """Let the first page of each step stand for all of it."""
    for section in course_nav(Path(config.config_file_path).parent / COURSE):
        for first, *_ in section.values():
            Step(None, files.get_file_from_path(first), config)
    return files


def lead_past_solutions(nav, config, files):
    """Say how long each step takes, where its part of the navigation is folded, and lead past the solutions."""
    for page in nav.pages:
        if isinstance(page, Step) and page.parent:
            page.parent.meta = subtitle(page)
        if ".solution" in page.file.src_uri and page.previous_page and page.next_page:
            page.previous_page.next_page = page.next_page
            page.next_page.previous_page = page.previous_page
    return nav


def subtitle(page):
    """Return how long a step takes, as the theme wants to hear it."""
    lesson = read_lesson(Path(page.file.abs_src_path))
    return {"subtitle": f"{lesson.minutes} minutes{', optional' * lesson.is_optional}"} if lesson.minutes else {}


def write_course(markdown, page, config, files):
    """Put what a page asks for in the place of its marker."""
    if isinstance(page, Step):
        page.meta.update(subtitle(page))
    elif isinstance(page.next_page, Step):
        address = posixpath.relpath(page.next_page.file.src_uri, posixpath.dirname(page.file.src_uri))
        lesson = read_lesson(Path(page.next_page.file.abs_src_path))
        optional = " (optional)" * lesson.is_optional
        markdown += f"\n**Next lesson:** [{lesson.title}]({address}){optional}\n{{: .next-lesson }}\n"
    if not page.file.src_uri.startswith("workshop/"):
        return markdown
    folder = Path(config.config_file_path).parent / "notebooks"
    course = read_course(folder)
    written, problems = write(markdown, course, read_exercises(folder))
    if page.file.src_uri == "workshop/instructor-guide.md":
        entries = HEADING.findall(markdown)
        problems += [f"has no entry `## {lesson.slug}`" for lesson in course if lesson.is_taught and lesson.slug not in entries]
    for problem in problems:
        log.warning("Page '%s' %s.", page.file.src_uri, problem)
    return written


def write(markdown, course, exercises=()):
    """Return the page with every marker replaced, and what is wrong with it."""
    by_slug = {lesson.slug: lesson for lesson in course}
    problems = []

    def known(slug):
        if slug not in by_slug:
            problems.append(f"names the lesson '{slug}', which is not there")
        return by_slug.get(slug)

    def heading(found):
        lesson = known(found[1])
        if lesson is None:
            return found[0]
        return f"## {lesson.title} {{ #{lesson.slug} }}\n\n{entry(lesson)}"

    def target(found):
        lesson = known(found[1])
        return f"(../notebooks/{lesson.file})" if lesson else found[0]

    markdown = HEADING.sub(heading, markdown)
    markdown = LINK.sub(target, markdown)
    whole = sorted([*course, *exercises], key=lambda one: (one.lesson_file, one.is_exercises))
    markdown = AGENDA.sub(lambda found: agenda_table(agenda(whole, int(found[1]))), markdown)
    return markdown.replace(LESSONS, lesson_table(course)), problems


def read_course(folder):
    """Return the lessons of the notebooks, in their order."""
    return [lesson for lesson in map(read_lesson, sorted(folder.glob("*.ipynb"))) if not lesson.lacks]


def read_exercises(folder):
    """Return the exercises of the course, the capstone too, in their order."""
    found = [read_lesson(path, folder) for path in sorted(folder.glob("exercises/*.ipynb")) if ".solution" not in path.name]
    return [exercises for exercises in found if exercises.title and exercises.minutes]


def read_lesson(path, folder=None):
    """Return the lesson of a notebook, of a new or damaged one too. ``folder`` has the course, unless the notebook is in it."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        text = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
        told = notebook["metadata"].get("linked_is", {})
    except (ValueError, LookupError, TypeError):  # an empty file; what is no notebook, or one of an old format
        text, told = "", {}
    title = re.search(r"(?m)^# (.+)", text)
    goal = re.search(r"\*\*What you'll do:\*\* (.+)", text)
    file = path.relative_to(folder or path.parent).as_posix()
    found = Lesson(file, title and title[1], told.get("minutes"), goal and goal[1], text, is_optional=told.get("optional", False))
    return replace(found, priority=told["priority"]) if "priority" in told else found


def agenda(course, minutes):
    """Fill the minutes: by priority, all lessons and exercises that still fit; then in the order of the course.

    A tenth of the minutes stays free. Exercises come only after their lesson.
    """
    chosen = []
    for one in sorted(course, key=lambda one: one.priority):
        files = {other.file for other in chosen}
        if one.is_exercises and one.lesson_file not in files and any(other.file == one.lesson_file for other in course):
            continue
        attempt = [other for other in course if other in chosen or other is one]
        if length(opening(attempt)) + slack(minutes) + END <= minutes:
            chosen = attempt
    blocks = opening(chosen)
    return [*blocks, Block("Free minutes", minutes - length(blocks) - END), Block("End", END)]


def slack(minutes):
    """Return how many of the minutes are left free: nothing in a room goes as planned."""
    return -(-minutes // 10)


def opening(lessons):
    """Return the welcome and the lessons, with a break before each that would make it too long without one."""
    blocks, unbroken = [Block("Welcome", WELCOME)], WELCOME
    for lesson in lessons:
        if unbroken + lesson.minutes > UNBROKEN:
            blocks.append(Block("Break", BREAK))
            unbroken = 0
        blocks.append(Block(lesson.title, lesson.minutes, lesson))
        unbroken += lesson.minutes
    return blocks


def length(blocks):
    """Return the minutes of all blocks together."""
    return sum(block.minutes for block in blocks)


def agenda_table(blocks):
    """Return an agenda as a run sheet: clock time, minutes, what it is, what the instructor does."""
    rows = ["| Time | Minutes | What | You, the instructor |", "| --- | --- | --- | --- |"]
    now, free = BEGINNING, slack(length(blocks))
    for number, block in enumerate(blocks):
        if not block.lesson:
            what, do = block.name, HOST[block.name]
        elif block.lesson.is_exercises:
            what = link(block.name, block.lesson)
            do = f"{HOST['Exercises']} If it is later than {clock(now + free)}, skip to *{blocks[number + 1].name}*."
        else:
            what = link(block.name, block.lesson)
            do = f"Say: “You'll {block.lesson.goal}” [More to say](instructor-guide.md#{block.lesson.slug})"
        rows.append(f"| {clock(now)} | {block.minutes} | {what} | {do} |")
        now += block.minutes
    return "\n".join([*rows, f"| {clock(now)} | {length(blocks)} together | Over | |"])


def entry(lesson):
    """Return what the guide takes from the notebook of a lesson."""
    mistakes = f"[What is behind its wrong answers](wrong-answers.md#{lesson.slug})"
    lists = {"It answers": lesson.questions, "Key points": lesson.key_points}
    body = [f"**Objectives:** {lesson.objectives}"]
    body += [f"**{name}:**\n\n" + "\n".join(f"- {one}" for one in ones) for name, ones in lists.items()]
    text = "\n\n".join(body).replace("\n", "\n    ")
    return (
        f"{lesson.minutes} minutes. {link('Open the notebook', lesson)}. {mistakes}. <!-- slides: {Path(lesson.file).stem} -->\n\n"
        f'??? abstract "Objectives, questions and key points"\n\n    {text}'
    )


def lesson_table(course):
    """Return one row for each lesson."""
    rows = ["| Lesson | Minutes | You'll |", "| --- | --- | --- |"]
    rows += [f"| {link(lesson.title, lesson)} | {lesson.minutes} | {lesson.goal} |" for lesson in course]
    return "\n".join([*rows, f"| All {len(course)} | {sum(lesson.minutes for lesson in course)} | |"])


def link(text, lesson):
    """Return a link from a page of the workshop to a lesson."""
    return f"[{text}](../notebooks/{lesson.file})"


def clock(minutes):
    """Return a time of day."""
    return f"{minutes // 60}:{minutes % 60:02}"
