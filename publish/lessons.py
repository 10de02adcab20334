"""What a lesson is: a notebook of the course, as its own text and metadata describe it."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

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


def link(text, lesson):
    """Return a link from a page of the workshop to a lesson."""
    return f"[{text}](../notebooks/{lesson.file})"
