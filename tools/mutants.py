"""See that each check of an exercise can fail: change its solution in one place, and let the check judge it.

``python -m tools.mutants`` changes each operator, number, string, argument, entry and statement of each solution once; no
check may accept a changed one, but those in EQUAL. ``python -m tools.mutants 02 07`` takes only the exercises whose names
begin so. Windows can't fork.

A library such as mutmut has no public way to change one cell, removes no statement, and changes no number in a string.
"""

from __future__ import annotations

import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import nbformat

from mock_server import checks
from mock_server.app import create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.store import Store
from mock_server.web import passwords
from tools.proof import BASE_URL, FORK, alone, transport
from tools.running import learner_environment
from tools.write_exercises import SOLUTIONS, unsolved

SWAPS = {
    **{one: other for pair in (("Add", "Sub"), ("Mult", "Div"), ("And", "Or"), ("Eq", "NotEq"), ("Lt", "LtE"), ("Gt", "GtE"),
                               ("In", "NotIn"), ("Is", "IsNot")) for one, other in (pair, pair[::-1])},
    "Pow": "Mult",
}  # fmt: skip
# Why a check accepts a changed solution → the notebook, the cell and the changed line.
EQUAL: dict[str, set[str]] = {
    "A version has three numbers, so it never equals (3, 11)": {"01 new-enough: return version > (3, 11)"},
    "The words around prefix and length are the learner's own": {
        "02 describe: return f'{token[:9]}{len(token)} characters'",
        "02 describe: return f'{token[:9]}… with x{len(token)} characters'",
        "02 describe: return f'{token[:9]}… with {len(token)}'",
        "02 describe: return f'{token[:9]}… with {len(token)} charactersx'",
    },
    "It only tells the reader that the cell has run": {
        "03 load: print('')",
        "03 load: print('The file is loaded.x')",
        "03 load: print()",
        "03 load: without print('The file is loaded.')",
    },
    "Any timeout ends a call that hangs": {
        "04 get-links: return requests.get(f'{BASE_URL}/links', headers=headers, timeout=11)",
        "04 get-links: return requests.get(f'{BASE_URL}/links', headers=headers, timeout=9)",
        "05 all-slugs: response = session.get(address, timeout=11)",
        "05 all-slugs: response = session.get(address, timeout=9)",
        "05 make: link = session.post(f'{BASE_URL}/links', json=new, timeout=11).json()['data']",
        "05 make: link = session.post(f'{BASE_URL}/links', json=new, timeout=9).json()['data']",
        "10 client: options = {'timeout': 11, **options}",
        "10 client: options = {'timeout': 9, **options}",
    },
    "The task asks for no timeout; 4.1 and the capstone do": {
        "05 all-slugs: response = session.get(address)",
        "05 make: link = session.post(f'{BASE_URL}/links', json=new).json()['data']",
    },
    "The new token may have any name": {
        "07 rotate: token = page.generate_token()",
        "07 rotate: token = page.generate_token(name='Newx')",
    },
    "A path comes after the base URL, so the host stays the same; 4.3 asks for the slash": {
        "10 auth: if request.url.startswith(self._base_url + ''):",
    },
    "Nobody asks when to come back after an error that asks for no wait": {
        "10 envelope: raise LinkedIsError(error['code'], error['message'], seconds_to_wait(response, default=0))",
    },
    "A few tries, each after a longer wait: how many and how long is the learner's choice": {
        "10 patiently: for default in (0, 2, 4):",
        "10 patiently: for default in (1, 2):",
        "10 patiently: for default in (1, 2, 3):",
        "10 patiently: for default in (1, 2, 5):",
        "10 patiently: for default in (1, 3, 4):",
        "10 patiently: for default in (1, 4):",
        "10 patiently: for default in (2, 4):",
    },
    "No server asks for a wait of 0 seconds": {"10 patiently: seconds = max(0, seconds_to_wait(response, default))"},
}


def changes(node: Any) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node, each a mistake that somebody could make."""
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=str(value)):
            yield from (ast.Constant(value + "x"), ast.Constant("") if value else ast.Constant("y"))
            for number in re.finditer(r"\d+", value):
                for other in (int(number[0]) + 1, int(number[0]) - 1):
                    yield ast.Constant(f"{value[: number.start()]}{other}{value[number.end() :]}")
        case ast.Constant(value=None):
            yield ast.Constant(0)
        case ast.FormattedValue():
            yield ast.Constant("")
        case ast.Call(func, args, keywords):
            yield from (ast.Call(func, without(args, one), keywords) for one in args)
            yield from (ast.Call(func, args, without(keywords, one)) for one in keywords)
        case ast.Dict(keys, values):
            yield from (ast.Dict(without(keys, key), without(values, value)) for key, value in zip(keys, values, strict=True))
        case ast.List(elts, ast.Load()) | ast.Tuple(elts, ast.Load()):
            yield from (type(node)(without(elts, one), ast.Load()) for one in elts)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.operator() | ast.boolop() | ast.cmpop() if type(node).__name__ in SWAPS:
            yield getattr(ast, SWAPS[type(node).__name__])()
        case ast.stmt() if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Pass)):
            yield ast.Pass()


def without(nodes: list[Any], one: Any) -> list[Any]:
    """Return a list without one of its nodes."""
    return [node for node in nodes if node is not one]


def places(tree: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Yield where each node is: what holds it, a list or a dictionary, and at which index or under which name."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, list):
                yield from ((value, index) for index in range(len(value)))
            elif isinstance(value, ast.AST):
                yield vars(parent), name


def mutants(source: str) -> dict[str, str]:
    """Return each changed source of a cell, under the line that was changed or taken away."""
    tree, found = ast.parse(source), {}
    for node in ast.walk(tree):  # what a docstring says changes nothing
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            del node.body[0]
    whole = ast.unparse(tree)
    for holder, key in list(places(tree)):
        node = holder[key]
        for other in changes(node):
            holder[key] = other
            changed = ast.unparse(tree)
            line, was = next(
                pair for pair in zip([*changed.splitlines(), "pass"], whole.splitlines(), strict=False) if pair[0] != pair[1]
            )
            found[f"without {was.strip()}" if line.strip() == "pass" else line.strip()] = changed
        holder[key] = node
    return found


def cells(path: Path) -> list[Any]:
    """Return the code cells of a notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def hard(sentence: str, client: Any, base_url: str, really_attempt: Any = checks.attempt) -> None:
    """Try a requirement of the capstone. Raises NotYet for the first that doesn't hold: nobody reads the others here."""
    if problem := really_attempt(sentence, client, base_url):
        raise checks.NotYet(problem)


def accepted(path: Path, cell_id: str, source: str) -> bool:
    """Tell whether a solution passes the next check if one of its cells has another source."""
    passwords._SCRYPT["n"], checks.LIMIT, checks.attempt = 2, 2, hard  # quick
    transport.serve(create_app(Store(Database(":memory:"), Clock())), BASE_URL)
    module = sys.modules["exercise"] = ModuleType("exercise")
    is_changed = False
    with (
        patch.dict(os.environ, learner_environment(BASE_URL)),
        redirect_stdout(io.StringIO()) as printed,
        redirect_stderr(printed),
    ):
        for cell in cells(path):
            is_check = cell.id.startswith("check-")
            is_changed = is_changed or cell.id == cell_id
            if is_check and not is_changed:
                continue
            try:
                exec(compile(source if cell.id == cell_id else cell.source, cell.id, "exec"), vars(module))
            except Exception:
                return False
            if is_check:
                return True
    raise ValueError(f"No check comes after {cell_id}.")


def main(*beginnings: str) -> int:
    """Show which changed solutions a check accepts. Return 1 if EQUAL lacks one of them, or if a check refuses what is right."""
    solved = [(path, cell) for path in SOLUTIONS if path.name.startswith(beginnings or "") for cell in cells(path)
              if unsolved(cell.source) != cell.source]  # fmt: skip
    cases = {f"{path.name[:2]} {cell.id}: {line}": (path, cell.id, source)
             for path, cell in solved for line, source in {"": cell.source, **mutants(cell.source)}.items()}  # fmt: skip
    with ProcessPoolExecutor(max_workers=2, mp_context=FORK) as processes:
        answers = processes.map(partial(alone, accepted), *zip(*cases.values(), strict=True))
        passed = {name for name, answer in zip(cases, answers, strict=True) if answer}
    equal = {name for names in EQUAL.values() for name in names if name.startswith(beginnings or "")}
    right = {name for name in cases if name.endswith(": ")}
    survived, refused = passed - equal - right, (equal | right) - passed
    for name in sorted(right):
        counts = [sum(one.startswith(name) for one in names) for names in (cases.keys() - right, equal, survived)]
        print("{:20} {:3} changed, {} equal, {} survived".format(name.removesuffix(": "), *counts))
    for name in sorted(survived):
        print(f"A check accepts it. Change the check, or add it to EQUAL: {name}")
    for name in sorted(refused):
        print(f"A check refuses the solution or what EQUAL says is right, too: {name}")
    print(f"{len(cases) - len(right)} changed, {len(equal)} equal, {len(survived)} survived")
    return 1 if survived or refused or not cases else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
