"""Read the texts of the project: what is prose in a page, a notebook, a template or a program, and what is code.

A line of a text has the number that it has in its file. ``python -m tools.texts`` lists the files of the project.
"""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path

import pytest
import yaml

from tools.made import MADE
from tools.running import ROOT

RULES = yaml.safe_load((ROOT / "tools" / "words.yaml").read_text(encoding="utf-8"))
FENCE = re.compile(r"^( *)(`{3,}|~{3,})(.*)\n((?:.*\n)*?)\1\2 *$", re.MULTILINE)
CODE = re.compile(r"<code>(?:.|\n)*?</code>|(`+)(?!`)(?:.|\n(?! *\n))+?(?<!`)\1(?!`)")
PLACEHOLDER = "…"  # what stands in prose where code was: the words around it must not become neighbours
WRITTEN_FOR_PEOPLE = ("title", "summary", "description")  # of the contract: its other keys are names of the API


def project_files() -> list[Path]:
    """Return the files of the project, without those that a program made."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        left_out = shutil.ignore_patterns(".git", *MADE)(folder, [*folders, *names])
        folders[:] = {*folders} - left_out
        found += [Path(folder, name) for name in {*names} - left_out]
    return sorted(found)


FILES = project_files()
DOCUMENTS = [
    path for path in FILES if path.suffix in (".md", ".ipynb") and ".github" not in path.parts and path.name != "changelog.md"
]
TEMPLATES = [path for path in FILES if path.suffix == ".html" and "mock_server" in path.parts]
PROGRAMS = [path for path in FILES if path.suffix == ".py"]
SETTINGS = [
    path for path in FILES if path.suffix in (".yml", ".yaml", ".toml", ".in") or path.name in ("Makefile", ".env.example")
]


def complain(faults: Iterable[str]) -> None:
    """Fail with one line for each fault. A fault begins with its file and its line, and says what to do."""
    if faults := list(faults):
        pytest.fail("\n".join(faults), pytrace=False)


def text_cells(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the text cells of a notebook, each with the line of the file on which its text begins."""
    file = path.read_text(encoding="utf-8")
    starts = [number for number, line in enumerate(file.split("\n"), 2) if line.lstrip().startswith('"source": [')]
    for cell, start in zip_longest(json.loads(file)["cells"], starts, fillvalue=1):
        if cell["cell_type"] == "markdown":
            yield start, "".join(cell["source"])


def laid_out(pieces: Iterable[tuple[int, str]]) -> str:
    """Return one text that has each piece on its line."""
    lines: list[str] = []
    for start, text in sorted(pieces):
        for at, line in enumerate(text.split("\n"), start - 1):
            lines += [""] * (at + 1 - len(lines))
            lines[at] = f"{lines[at]} {PLACEHOLDER} {line}" if lines[at] else line
    return "\n".join(lines)


def hidden(pattern: str | re.Pattern[str], text: str, mark: str = "") -> str:
    """Return a text with a mark in the place of what a pattern finds."""
    return re.sub(pattern, lambda found: mark + "\n" * found[0].count("\n"), text)


@cache
def markdown(path: Path) -> str:
    """Return a page, or the text cells of a notebook, as Markdown."""
    return laid_out(text_cells(path)) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    """Return Markdown without its code blocks and comments."""
    return hidden(FENCE, hidden(r"(?s)<!--.*?-->", text))


def without_code(text: str) -> str:
    """Return Markdown without any code. Its words stay apart."""
    return hidden(CODE, without_blocks(text), PLACEHOLDER)


def headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the headings of Markdown, each with its line and its level."""
    for line, found in enumerate(without_blocks(text).split("\n"), 1):
        if heading := re.fullmatch(r"(#{1,6}) +(.+?)(?: *\{.*\})? *", found):
            yield line, len(heading[1]), heading[2]


def words_of_program(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a program, and its strings of three words or more, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") > 1:
            yield node.lineno, node.value


def words_of_contract(text: str) -> Iterator[tuple[int, str]]:
    """Yield what the contract says to people, each piece with its line."""
    tokens = [token for token in yaml.scan(text) if not isinstance(token, yaml.AnchorToken)]
    for key, between, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if isinstance(between, yaml.ValueToken) and isinstance(value, yaml.ScalarToken) and key.value in WRITTEN_FOR_PEOPLE:
            yield value.start_mark.line + 1, text[value.start_mark.index : value.end_mark.index]


def comments_of_settings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a file of settings, each with its line."""
    for line, words in enumerate(text.split("\n"), 1):
        yield from ((line, comment) for comment in re.findall(r"(?<!\S)#(?!\w).*", words))


@cache
def prose(path: Path) -> str:
    """Return what a person reads as words: no code, no addresses, no markup."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".md", ".ipynb"):
        text = hidden(r"\]\([^)]*\)", without_code(markdown(path)), "]")
    elif path.suffix == ".py":
        text = laid_out((line, hidden(CODE, words, PLACEHOLDER)) for line, words in words_of_program(text))
    elif path.suffix == ".html":
        unread = r'(?s)<(script|style|code)\b.*?</\1>|<(\w+) aria-hidden="true">.*?</\2>|\{%.*?%\}|\{\{.*?\}\}'
        text = hidden(r"<[^<>]+>", hidden(unread, text, PLACEHOLDER))
    else:
        contract = words_of_contract(text) if path.name == "openapi.yaml" else ()
        text = hidden(CODE, laid_out([*comments_of_settings(text), *contract]), PLACEHOLDER)
    return re.sub(r"<[^<>\n]+>", "", text).replace("&gt;", ">")


if __name__ == "__main__":
    print(*(path.relative_to(ROOT).as_posix() for path in FILES), sep="\n")
