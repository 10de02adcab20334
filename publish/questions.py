"""The questions at the end of each lesson: what they are made of, and where else they are asked.

A question is plain Markdown, which JupyterLab and GitHub show as it is: a line in bold that ends in a question mark, its
options as a numbered list, and below “Answers” what is to be said about each option:

    **Which file goes into version control?**

    1. `.env`
    2. `.env.example`
    3. Neither of them

    <details><summary>Answers</summary>

    1. **Wrong.** It has the secrets.
    2. **Right.** It has the names of the settings, and no secret.
    3. **Wrong.** Without the example, nobody knows which settings there are.

    </details>

A page gets the same, in an element that `assets/questions.js` makes radio buttons of. The page Review asks the questions
of all lessons, and a page for instructors lists the mistakes behind them.
"""

import logging
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from markdown.extensions.toc import slugify_unicode

from publish.lessons import read_course

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.questions")

REVIEW = "review.md"
QUESTIONS = "*The questions are on the site. In a clone, `make serve` shows them.*"
MISTAKES = "*The list of mistakes is on the site. In a clone, `make serve` shows it.*"

SECTION = re.compile(r"^## Check yourself\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^\d+\. (.+)$", re.MULTILINE)
QUESTION = re.compile(
    r"^\*\*(?P<text>[^\n]+\?)\*\*\n\n"
    r"(?P<options>(?:\d+\. [^\n]+\n)+)\n"
    r"<details(?: markdown)?><summary>Answers</summary>\n\n"
    r"(?P<answers>(?:\d+\. [^\n]+\n)+)\n"
    r"</details>$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Question:
    """A question as its Markdown says it. ``answers`` are told to those who choose the option at the same place."""

    text: str
    options: list[str]
    answers: list[str]
    markdown: str

    @property
    def id(self):
        """Return its name, which is its text: the browser keeps under it how often it was right."""
        return slugify_unicode(self.text, "-")

    @property
    def right(self):
        """Return the places of the right options. There must be one."""
        return [place for place, answer in enumerate(self.answers) if answer.startswith("**Right.** ")]

    @property
    def faults(self):
        """Return what is wrong with it, in words."""
        wrong = [answer for answer in self.answers if answer.startswith("**Wrong.** ")]
        rules = {
            "has not three or four options": len(self.options) in (3, 4),
            "has not one answer for each option": len(self.answers) == len(self.options),
            "has not exactly one answer that begins with **Right.**": len(self.right) == 1,
            "has an answer that begins neither with **Right.** nor with **Wrong.**": len(self.right + wrong) == len(self.answers),
            "has the same option or answer twice": max(Counter(self.options + self.answers).values()) == 1,
        }
        return [fault for fault, fine in rules.items() if not fine]


def read_questions(text):
    """Return the questions of a notebook's text, and what is wrong with them."""
    section = SECTION.search(text)
    if not section:
        return [], []
    questions = [question_of(found) for found in QUESTION.finditer(section[1])]
    faults = [f"“{question.text}” {fault}" for question in questions for fault in question.faults]
    rest = QUESTION.sub("", section[1]).strip()
    return questions, faults + ([f"“{rest.splitlines()[0]}” is no question with its options and answers"] if rest else [])


def question_of(found):
    """Return the question that was found in a text."""
    return Question(found["text"], ITEM.findall(found["options"]), ITEM.findall(found["answers"]), found[0])


def ask_questions(markdown, page, config, files):
    """Get a lesson's questions ready to be asked. Put those of all lessons where a page asks for them."""
    if page.file.src_uri.endswith(".ipynb"):
        review = files.get_file_from_path(REVIEW).url_relative_to(page.file)
        warn(page.file.src_uri, read_questions(markdown)[1])
        return QUESTION.sub(lambda found: asked(question_of(found), review), markdown)
    if QUESTIONS not in markdown and MISTAKES not in markdown:
        return markdown
    course = {
        lesson: read_questions(lesson.text)[0] for lesson in read_course(Path(config.config_file_path).parent / "notebooks")
    }
    counted = Counter(question.id for questions in course.values() for question in questions)
    warn(page.file.src_uri, [f"'{name}' is asked twice" for name, times in counted.items() if times > 1])
    return markdown.replace(QUESTIONS, all_questions(course)).replace(MISTAKES, mistakes(course))


def warn(name, faults):
    """Say what is wrong with the questions of a file."""
    for fault in faults:
        log.warning("Questions of '%s': %s.", name, fault)


def asked(question, review="", source=()):
    """Return a question as an element of a page. Search leaves it out: three of four options are mistakes."""
    right = "".join(str(place + 1) for place in question.right)
    attributes = f'id="{question.id}" data-right="{right}" data-review="{review}" data-search-exclude="true"'
    return "\n\n".join([f'<div class="question" {attributes} markdown>', question.markdown, *source, "</div>"])


def all_questions(course):
    """Return the questions of all lessons, each with the lesson that it comes from."""
    parts = []
    for lesson, questions in course.items():
        source = [f"From [{lesson.title}](notebooks/{lesson.file})"]
        parts += [asked(question, source=source) for question in questions]
    return "\n\n".join(parts).replace("<details>", "<details markdown>")


def mistakes(course):
    """Return the wrong options of each question, each with what is to be said about it."""
    parts = []
    for lesson, questions in course.items():
        parts.append(f"## {lesson.title} {{ #{lesson.slug} }}")
        for question in questions:
            pairs = zip(question.options, question.answers, strict=False)
            wrong = [(option, answer.removeprefix("**Wrong.** ")) for option, answer in pairs if "**Right.**" not in answer]
            parts += [f"**{question.text}**", "\n".join(f"- *{option}*: {answer}" for option, answer in wrong)]
    return "\n\n".join(parts)
