"""Make the exercises from their solutions, the one source: ``notebooks/exercises/*.solution.ipynb``.

``python -m tests.exercises`` runs the solutions against a fresh mock server, saves their outputs and writes the
exercises beside them.

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
from pathlib import Path

import nbformat

from tests.running import ROOT, MockServer, learner_environment, run_notebook

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


def exercise(solution: Path) -> str:
    """Return the text of the exercise that a solution makes."""
    notebook = copy.deepcopy(nbformat.read(solution, as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = unsolved(cell.source), [], None
    return nbformat.writes(notebook) + "\n"


def main() -> None:
    """Run every solution and save it with its outputs; write its exercise."""
    with MockServer() as server:
        for solution, path in zip(SOLUTIONS, EXERCISES, strict=True):
            print(f"Running {solution.name}")
            notebook = run_notebook(solution, learner_environment(server.base_url))
            notebook.metadata["language_info"].pop("version", None)  # differs from machine to machine
            nbformat.write(notebook, solution)
            path.write_text(exercise(solution), encoding="utf-8")


if __name__ == "__main__":
    main()
