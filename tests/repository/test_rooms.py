"""The rooms of docs/maintainers.md: what each may import. No room leads back to itself."""

import ast
import re
import subprocess
import sys

import pytest

from tools.running import ROOT
from tools.texts import PROGRAMS

# The room → those that it may import. What all of them stand on comes first.
MAY_IMPORT = {
    "mock_server": set(),
    "lab.py": set(),
    "docs": {"mock_server"},
    "browser": {"mock_server"},
    "publish": {"mock_server"},
    "tools": {"mock_server", "publish"},
    "workshop": {"mock_server", "tools"},
    "bench": {"mock_server", "tools", "browser"},
    "conftest.py": {"mock_server", "tools"},
    "tests": {"mock_server", "lab", "browser", "publish", "tools", "workshop"},
}


def imported(text):
    """Return the line and the first name of each import of a program."""
    for node in ast.walk(ast.parse(text)):
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        yield from ((node.lineno, module.partition(".")[0]) for module in modules)


@pytest.mark.check
@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room):
    rooms = {name.removesuffix(".py") for name in MAY_IMPORT}
    files = [path for path in PROGRAMS if path.is_relative_to(ROOT / room)]
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name} is none of {sorted(MAY_IMPORT[room])}: move what you need to a lower room"
        for path in files
        for line, name in imported(path.read_text(encoding="utf-8"))
        if name in rooms - MAY_IMPORT[room] - {room.removesuffix(".py")}
    ]
    assert files and wrong == []


@pytest.mark.check
@pytest.mark.parametrize("program", ["workshop.bundle", "workshop.slides", "browser.build", "publish.steps"])
def test_what_make_runs_for_a_site_needs_no_package_of_the_tests(program):
    """`make workshop` and `make site` install the packages of a site, and no others."""
    locked = (ROOT / "requirements" / "test.txt").read_text(encoding="utf-8")
    ours = [name.replace("-", "_") for name in re.findall(r"(?m)^([\w.-]+)==", locked)]
    code = f"import sys; sys.modules |= dict.fromkeys({ours}); import {program}"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, f"{ran.stderr}Import it where it is used, or list it in requirements/site.in."
