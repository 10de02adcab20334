"""Run every notebook against a fresh mock server, and save it with its outputs and what the board of a class is to know.

``python -m tools.write_outputs 02 07`` runs only those whose names begin so.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
import requests

from mock_server.classroom import SEPARATOR
from tools.running import NOTEBOOKS, PATIENCE, ROOT, MockServer, learner_environment, run_notebook

COURSE = ROOT / "mock_server" / "course.json"


@contextmanager
def class_server() -> Iterator[MockServer]:
    """Yield a mock server whose board sees what notebooks do that ``save`` runs."""
    learner = patch.dict(os.environ, LINKED_IS_CLASS_CODE="recorder", LINKED_IS_LEARNER="recorder")
    with learner, MockServer("--class", "recorder") as server:
        yield server


def save(path: Path, server: MockServer, notebook: nbformat.NotebookNode | None = None) -> dict[str, list[str]]:
    """Run a notebook and save it with its outputs, or ``notebook`` in its place. Raises what ``run_notebook`` raises.

    The file stays as it was until the run has ended. Return what each part of it does, by its heading, as the board of the ``class_server`` sees it.
    """
    print(f"Running {path.name}", flush=True)
    does: dict[str, list[str]] = {}

    def did() -> list[str]:
        text = requests.get(f"{server.origin}/_mock/class", {"as": "csv"}, timeout=PATIENCE).text
        return [one for row in csv.DictReader(StringIO(text)) for one in row["Did"].split(SEPARATOR) if one]

    def note(cell_index: int, **_: Any) -> None:
        nonlocal before
        now = did()
        # The board forgets the first of very many: what is new follows the longest part that it still has.
        known = max(size for size in range(len(now) + 1) if now[:size] == before[len(before) - size :])
        before = now
        above = [one.source for one in source[:cell_index] if one.cell_type == "markdown"]
        heading = next((found[1] for text in reversed(above) if (found := re.search("(?m)^##+ (.+)$", text))), "")
        if now[known:]:
            does.setdefault(heading, []).extend(now[known:])

    notebook = notebook or nbformat.read(path, as_version=4)
    source, before = notebook.cells, did()
    run_notebook(path, learner_environment(server.base_url), after_cell=note, notebook=notebook)
    notebook.metadata["language_info"].pop("version", None)  # differs from machine to machine
    nbformat.write(notebook, path)
    return does


def note_in_course(name: str, path: Path, does: dict[str, list[str]]) -> None:
    """Write into ``course.json`` what a notebook is called, and what each part of it does: the board of a class shows it.

    The notebook's metadata has what a learner does by hand, ``by_hand``.
    """
    known = json.loads(COURSE.read_text(encoding="utf-8"))
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    steps = {heading: SEPARATOR.join(one) for heading, one in does.items()}
    steps |= notebook.metadata.linked_is.get("by_hand", {})
    in_order = dict(sorted(steps.items(), key=lambda step: text.find(f"# {step[0]}\n") if step[0] else -1))
    known[name] = {"title": re.search("(?m)^# (.+)$", text)[1], "steps": in_order}  # type: ignore[index]
    COURSE.write_text(json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main(*beginnings: str) -> None:
    """Run every notebook, or those whose names begin so, and save it with its outputs."""
    chosen = [path for path in NOTEBOOKS if path.name.startswith(beginnings or "")]
    with class_server() as server:
        for path in chosen:
            note_in_course(path.stem, path, save(path, server))
    print(f"Notebooks saved: {len(chosen)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
