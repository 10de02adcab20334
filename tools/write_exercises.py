"""Make the exercises from their solutions, the one source: ``notebooks/exercises/*.solution.ipynb``.

``python -m tools.write_exercises`` runs the solutions against a fresh mock server and saves their outputs; then it writes
the exercises beside them and runs those too, as a learner finds them: each check says what is to be done.
``python -m tools.write_exercises 02 07`` takes only those whose names begin so.

In a solution, a comment says what a learner finds in place of a line, or of the lines from ``# solution`` on::

    headers = {"Authorization": f"Bearer {token}"}  # instead of: headers = ...

        # solution
        answer = len(token)
        return answer
        # instead of: return ...
"""

from __future__ import annotations

import copy
import re
import sys
from pathlib import Path
from typing import Any

import nbformat

from tools.running import ROOT
from tools.write_outputs import class_server, note_in_course, save

FOLDER = ROOT / "notebooks" / "exercises"
SOLUTIONS = sorted(FOLDER.glob("*.solution.ipynb"))
EXERCISES = [path.with_name(path.name.replace(".solution", "")) for path in SOLUTIONS]
MARK = "# ← change this line"


def unsolved(source: str) -> str:
    """Return a cell as a learner finds it."""
    lines: list[str] = []
    start = None
    for line in source.splitlines():
        indent = re.match(" *", line)[0]  # type: ignore[index]
        written, found, instead = line.partition("# instead of: ")
        if line.strip() == "# solution":
            start = len(lines)
        elif found:
            if not written.strip():
                if start is None:
                    raise ValueError(f"No line `# solution` stands before: {line}")
                del lines[start:]
                start = None
            lines.append(f"{indent}{instead}  {MARK}")
        else:
            lines.append(line)
    if start is not None:
        raise ValueError("Behind a line `# solution` there is no `# instead of: …`.")
    return "\n".join(lines)


def solved(source: str) -> str:
    """Return a cell as a learner may write it."""
    lines = [line for line in source.splitlines() if not line.strip().startswith(("# solution", "# instead of: "))]
    return "\n".join(line.partition("# instead of: ")[0].rstrip() for line in lines)


def exercise(solution: Path) -> nbformat.NotebookNode:
    """Return the exercise that a solution makes, not yet run. Its checks are announced as cells that fail.

    Below the hint, the solution can be opened.
    """
    notebook = without_outputs(nbformat.read(solution, as_version=4))
    answer = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            task = unsolved(cell.source)
            answer = solved(cell.source) if task != cell.source else answer
            cell.source = task
        elif "<summary>Hint</summary>" in cell.source:
            cell.source += f"\n\n<details><summary>Solution</summary>\n\n```python\n{answer}\n```\n\n</details>"
        if cell.id.startswith("check-"):
            cell.metadata["tags"] = ["raises-exception"]
    return notebook


def defined_in(solution: Path) -> dict[str, Any]:
    """Return what the cells of a solution define, but for the first one and the checks: those need a service."""
    names: dict[str, Any] = {}
    for cell in nbformat.read(solution, as_version=4).cells:
        if cell.cell_type == "code" and not cell.id.startswith(("setup", "check-")):
            exec(cell.source, names)
    return names


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a notebook as before its first run."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def main(*beginnings: str) -> None:
    """Run every solution, or those whose names begin so, and save it with its outputs; write its exercise."""
    chosen = [pair for pair in zip(SOLUTIONS, EXERCISES, strict=True) if pair[1].name.startswith(beginnings or "")]
    with class_server() as server:
        for solution, path in chosen:
            does = save(solution, server)
            save(path, server, exercise(solution))
            note_in_course(f"exercises/{path.stem}", path, does)
    print(f"Exercises saved: {len(chosen)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
