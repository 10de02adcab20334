"""Read the texts of the project: what is prose in a page, a notebook, a template or a program, and what is code."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import tokenize
from functools import cache
from pathlib import Path

from tools.running import ROOT

FENCE = re.compile(r"^( *)(`{3,}|~{3,})(.*)\n((?:.*\n)*?)\1\2 *$", re.MULTILINE)
CODE = re.compile(r"<code>.*?</code>|(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
PLACEHOLDER = "…"  # what stands in prose where code was: the words around it must not become neighbours
MADE = {".git", ".venv", "site", "dist", "node_modules", ".build", ".ipynb_checkpoints", "__pycache__", ".hypothesis"}


def project_files() -> list[Path]:
    """Return the files of the project, without those that a program made."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE and not name.endswith(("_cache", ".egg-info"))]
        found += [Path(folder, name) for name in names if name != ".env" and ".db" not in name]
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


@cache
def markdown(path: Path) -> str:
    """Return a page, or the text cells of a notebook, as Markdown."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def without_blocks(text: str) -> str:
    """Return Markdown without its code blocks and comments. The lines stay where they are."""
    text = re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    return FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)


def headings(text: str) -> list[tuple[int, str]]:
    """Return the headings of Markdown, each with its level."""
    found = re.findall(r"^(#{1,6}) +(.+?)(?: *\{.*\})? *$", without_blocks(text), re.MULTILINE)
    return [(len(marks), title) for marks, title in found]


@cache
def prose(path: Path) -> str:
    """Return what a person reads as words: no code, no addresses, no markup.

    Of a program these are its comments, and its strings of three words or more.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".md", ".ipynb"):
        text = re.sub(r"\]\([^)]*\)", "]", CODE.sub(PLACEHOLDER, without_blocks(markdown(path))))
    elif path.suffix == ".py":
        strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
        sentences = [value for value in strings if isinstance(value, str) and value.count(" ") > 1]
        text = CODE.sub(PLACEHOLDER, "\n".join([*sentences, *comments]))
    elif path.suffix == ".html":
        text = re.sub(r"<(script|style|code)\b.*?</\1>|\{%.*?%\}|\{\{.*?\}\}", PLACEHOLDER, text, flags=re.DOTALL)
    elif path.name == "openapi.yaml":
        text = CODE.sub(PLACEHOLDER, text)  # the contract: most of it is descriptions
    else:
        text = CODE.sub(PLACEHOLDER, "\n".join(re.findall(r"(?<![\w&$])#(?!\w).*", text)))
    return re.sub(r"<[^<>\n]+>", "", text).replace("&gt;", ">")
