"""Write the navigation and the workshop's pages from the notebooks: names, minutes, what fits into a day.

A page names a lesson by its file name without the number: `[text](lesson:call-the-api)` is a link to it, and in the
guide the heading `## call-the-api` becomes its title. So the pages stay true when lessons are renumbered.
"""

import logging
import posixpath
import re
from itertools import groupby
from pathlib import Path

from mkdocs.structure.pages import Page

from publish.agendas import agenda, agenda_table
from publish.lessons import link, read_course, read_exercises, read_lesson

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.course")

COURSE = "notebooks/"  # in the nav: all lessons, in their order

AGENDA = re.compile(r"\*The agenda of (\d+) minutes is on the site\. In a clone, `make serve` shows it\.\*")
LESSONS = "*The list of lessons is on the site. In a clone, `make serve` shows it.*"
HEADING = re.compile(r"^## ([a-z0-9]+(?:-[a-z0-9]+)+)$", re.MULTILINE)
LINK = re.compile(r"\(lesson:([a-z0-9-]+)\)")


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
