"""The exercises: made from their solutions, and each check accepts what is right and says what is wrong."""

import json
import os
import random
import re
import sys
import tempfile
import time
from collections import ChainMap, Counter, OrderedDict
from contextlib import suppress
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import chain, count
from operator import itemgetter
from pathlib import Path
from time import sleep
from types import MappingProxyType, SimpleNamespace
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

import nbformat
import pytest
import requests
from dotenv import dotenv_values, get_key, load_dotenv, set_key
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse
from urllib3.util import Retry

from mock_server import checks
from mock_server.settings_page import SettingsPage
from mock_server.web import passwords
from tests.course.test_notebooks import unfit
from tools.in_process import without_sockets
from tools.leaks import has_a_piece, pieces
from tools.running import NOTEBOOKS, ROOT, learner_environment, run_notebook
from tools.write_exercises import EXERCISES, FOLDER, MARK, SOLUTIONS, defined_in, exercise, unsolved, without_outputs

NAME, T = checks.VARIABLE, checks.MADE_UP
BASE = "https://api.linked.is/v1"


# The notebooks


@pytest.mark.check
def test_exercises_belong_to_a_lesson_but_for_the_capstone():
    assert {path.name for path in EXERCISES} - {path.name for path in NOTEBOOKS} == {"10-capstone.ipynb"}
    assert sorted(FOLDER.glob("*.ipynb")) == sorted([*SOLUTIONS, *EXERCISES])


@pytest.mark.check
@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.name)
def test_an_exercise_is_what_its_solution_makes(solution):
    path = EXERCISES[SOLUTIONS.index(solution)]
    message = "Run `python -m tools.write_exercises`, and change solutions only."
    assert without_outputs(nbformat.read(path, as_version=4)) == exercise(solution), message


def faults(notebook):
    """Return what keeps an exercise from being one."""
    found, exercises, code = [*unfit(notebook)], 0, [cell for cell in notebook.cells if cell.cell_type == "code"]
    kinds = [(cell.id.split("-")[0], cell) for cell in notebook.cells]
    for before, cell, after in zip(kinds, kinds[1:], kinds[2:], strict=False):
        if MARK in cell[1].source:
            exercises += 1
            if before[0] != "task" or after[0] != "hint":
                found.append(f"{cell[1].id} does not stand between its task and its hint")
    if not 2 <= exercises <= 4:
        found.append(f"it has {exercises} exercises")
    if sum("checks." in cell.source for cell in code) != (1 if "LinkedIsClient" in nbformat.writes(notebook) else exercises):
        found.append("an exercise has no check")
    for kind, cell in kinds:
        if kind == "hint" and not re.fullmatch(r"<details><summary>Hint</summary>\n\n.+\n\n</details>", cell.source, re.DOTALL):
            found.append(f"{cell.id} is not folded, or lacks the blank lines that Markdown needs")
        if cell.cell_type == "code" and "# solution" in cell.source:
            found.append(f"{cell.id} has a solution")
        if kind == "check" and MARK in cell.source:
            found.append(f"{cell.id} is marked")
    for cell in code:
        errors = [output.get("ename") for output in cell.outputs if output.output_type == "error"]
        if errors != (["NotYet"] if cell.id.startswith("check-") else []):
            found.append(f"as a learner finds it, {cell.id} ends in {errors}")
    return found


@pytest.mark.check
@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.name)
def test_an_exercise_has_its_marked_line_its_hint_and_its_check(path):
    assert faults(nbformat.read(path, as_version=4)) == []


def test_an_exercise_without_one_of_them_is_found():
    def broken(change):
        notebook = nbformat.read(EXERCISES[1], as_version=4)
        change({cell.id: cell for cell in notebook.cells}, notebook)
        return faults(notebook)

    assert broken(lambda cells, notebook: cells["header"].update(source="headers = ..."))
    assert broken(lambda cells, notebook: cells["hint-header"].update(source="A hint"))
    assert broken(lambda cells, notebook: notebook.cells.remove(cells["hint-header"]))
    assert broken(lambda cells, notebook: notebook.cells.remove(cells["check-header"]))
    assert broken(lambda cells, notebook: cells["header"].update(execution_count=9))
    assert broken(lambda cells, notebook: cells["check-header"].update(outputs=[]))


@pytest.mark.check
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_a_solution_is_fit_to_be_published_and_each_check_says_so(path):
    solution = nbformat.read(path, as_version=4)
    assert [*unfit(solution)] == []
    assert not [cell.id for cell in solution.cells if cell.id.startswith("check-") and "Right: " not in cell.outputs[0].text]


def test_marks_that_do_not_fit_together_are_refused():
    assert unsolved("a = 1  # instead of: a = ...") == f"a = ...  {MARK}"
    assert unsolved("if x:\n    # solution\n    y\n    z\n    # instead of: ...\nend") == f"if x:\n    ...  {MARK}\nend"
    for wrong in ("# solution\na", "a\n# instead of: ..."):
        with pytest.raises(ValueError, match="# (solution|instead of)"):
            unsolved(wrong)


@pytest.mark.long
@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.name)
def test_as_given_every_check_ends_in_a_sentence_and_no_token_gets_out(witness, path):
    base_url, minted, _, _ = witness
    notebook = run_notebook(path, learner_environment(base_url))
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        assert bool(errors) == cell.id.startswith("check-"), cell.id
        for error in errors:
            (sentence,) = error.traceback
            assert error.ename == "NotYet" and re.fullmatch(r"Not yet: .+\.", sentence), f"{cell.id}: {sentence}"
    solution = SOLUTIONS[EXERCISES.index(path)]
    solved = run_notebook(solution, learner_environment(base_url), ROOT)  # as an editor does that starts the kernel there
    made = set().union(*map(pieces, minted))
    assert not has_a_piece(nbformat.writes(notebook) + nbformat.writes(solved), made)
    assert minted or path.name[:2] in ("01", "06", "09")


def test_with_the_server_down_an_exercise_names_the_next_step():
    with pytest.raises(Exception, match="Start the mock server in a terminal"):
        run_notebook(EXERCISES[3], learner_environment("http://127.0.0.1:9/v1"))


# The checks: for each, answers that are right, and answers that are wrong with words of what the learner is told


def stops(exception):
    raise exception


def strip_characters(pasted):
    return "Bearer " + pasted.strip().lstrip("Bearer ")  # takes characters, not a word


def generate(page, times=1, name="Exercise", lifetime="30 days"):
    return [page.generate_token(name=name, lifetime=lifetime) for _ in range(times)][-1]


def pages(session, address):
    """Yield each page, once."""
    while address:
        response = session.get(address, timeout=10)
        yield response.json()["data"]
        address = response.links.get("next", {}).get("url")


def slugs_by_cursor(session, address):
    found, more = [], True
    while more:
        response = session.get(address, params={"limit": 100}, timeout=10)
        found += [link["slug"] for link in response.json()["data"]]
        more = "next" in response.links
        address = response.links["next"]["url"] if more else None
    return tuple(found)


def slugs_by_recursion(session, address):
    response = session.get(address, timeout=10)
    later = slugs_by_recursion(session, response.links["next"]["url"]) if "next" in response.links else []
    return [link["slug"] for link in response.json()["data"]] + later


def slugs_by_break(session, address):
    found = set()
    while True:
        response = session.get(address)
        for link in response.json()["data"]:
            found.add(link["slug"])
        if not response.links:
            break
        address = response.links["next"]["url"]
    return sorted(found)


def slugs_in_a_default(session, address, found=[]):  # noqa: B006, a mistake that learners make
    found += [link["slug"] for page in pages(session, address) for link in page]
    return found


def made_and_deleted(session, address):
    made = session.post(address, json=WINTER).json()["data"]
    session.delete(f"{address}/{made['id']}")
    return made


def first_page_for_ever(session, address):
    found = []
    while True:
        found += session.get(address, timeout=10).json()["data"]


def raises_code(response):
    if response.status_code >= 400:
        raise RuntimeError(f"failed: {response.json()['error']['code']}")
    return response.json().get("data")


def catches_key_error(response):
    try:
        return response.json()["data"]
    except KeyError:
        raise RuntimeError(response.json()["error"]["code"]) from None


def raises_status(response):
    response.raise_for_status()
    return response.json()["data"]


def only_200(response):
    return response.json()["data"] if response.status_code == 200 else stops(RuntimeError(response.text))


def truthy_data(response):
    return response.json().get("data") or stops(RuntimeError(response.json().get("error", {}).get("code", "?")))


def same_place(url, base_url):
    here, there = urlsplit(url), urlsplit(base_url)
    return (here.scheme, here.netloc) == (there.scheme, there.netloc) and here.path.startswith(there.path + "/")


def get(token, base_url, path="/links", **options):
    return requests.get(base_url + path, **{"headers": {"Authorization": f"Bearer {token}"}, "timeout": 10, **options})


def get_by_session(token, base_url):
    session = requests.Session()
    session.headers["authorization"] = f"bearer {token}"
    return session.get(f"{base_url}/links", timeout=(3, 10))


class ByAuth(requests.auth.AuthBase):
    """Another way to send a token."""

    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def get_by_auth(token, base_url):
    return requests.get(f"{base_url}/links", auth=ByAuth(token), timeout=10)


def reload_by_auth(session, env_file):
    session.auth = ByAuth(get_key(env_file, NAME))


def reload_once():
    read = []

    def reload(session, env_file):
        read.append(dotenv_values(env_file)[NAME])
        session.headers["Authorization"] = f"Bearer {read[0]}"

    return reload


def reload_right(session, env_file):
    session.headers["Authorization"] = f"Bearer {dotenv_values(env_file)[NAME]}"


def reload_override(session, env_file):
    load_dotenv(env_file, override=True)
    session.headers.update({"authorization": "Bearer " + os.environ[NAME]})


def reload_without_override(session, env_file):
    load_dotenv(env_file)
    session.headers["Authorization"] = f"Bearer {os.environ[NAME]}"


def reload_alone(session, env_file):
    session.headers["Authorization"] = dotenv_values(env_file)[NAME]


def reload_another_session(session, env_file):
    session = requests.Session()
    reload_right(session, env_file)
    return session


def rotation(steps):
    """Return a rotation that takes these steps in order: generate, write, reload, revoke, and others, some of them wrong."""

    def rotate(page, env_file, reload):
        token = None
        for step in steps.split():
            if step == "generate":
                token = page.generate_token(name="Newest")
            elif step == "write":
                set_key(env_file, NAME, token)
            elif step == "write-all":
                env_file.write_text(f"# New\n{NAME}={token}\n")
            elif step == "write-bearer":
                set_key(env_file, NAME, f"Bearer {token}")
            elif step == "reload":
                reload()
            elif step == "wait":
                sleep(3600)
            elif step == "look":
                print(page.tokens())
            else:
                page.revoke("Old" if step == "revoke" else "Newest")

    return rotate


def backoff(number, longest):
    return min(longest, 2**number)


def body_seconds(response):
    return response.json().get("error", {}).get("retryAfter", 0)


def body_then_header(response):
    try:
        return response.json()["error"]["retryAfter"]
    except KeyError:
        return int(response.headers.get("Retry-After", 0))


def doubled(tries, longest):
    waits, step = [], 1
    while len(waits) < tries:
        waits.append(min(longest, step + random.random()))
        step *= 2
    return waits


def expired_by_try(response):
    try:
        return response.json()["error"]["code"] == "TOKEN_EXPIRED"
    except KeyError:
        return False


CODES = ("MISSING_TOKEN", "INVALID_TOKEN", "TOKEN_EXPIRED", "INVALID_TOKEN")


def causes(*codes):
    return dict(zip(checks.CAUSES, codes, strict=True))


def code_of(response):
    return response.json().get("error", {}).get("code")


STATS = {
    "countries": [{"country": "Spain", "clicks": 9}, {"country": "Austria", "clicks": 2}, {"country": "Sweden", "clicks": 5}]
}
WINTER = {"url": "https://example.com/winter", "title": "Winter menu"}
RETRY = {"total": 4, "status_forcelist": [500, 503], "backoff_factor": 0.5, "backoff_jitter": 0.5, "retry_after_max": 60}


class Jittery(Retry):
    """A policy with jitter of its own, before the first try too."""

    def get_backoff_time(self):
        return max(1, super().get_backoff_time()) + random.random() / 2


CHECKS = {
    "new_enough": (
        [lambda v: v >= (3, 11), lambda v: v >= (3, 11, 0), lambda v: v > (3, 11), lambda v: not v < (3, 11), lambda v: v[:2] >= (3, 11), lambda v: (v[0], v[1]) >= (3, 11),
         lambda v: v[0] > 3 or (v[0] == 3 and v[1] >= 11), lambda v: v[0] * 100 + v[1] >= 311, lambda v: list(v) >= [3, 11], lambda v: v > (3, 10, 99), lambda v: (3, 11) <= v],
        [(lambda v: v > (3, 11, 0), r"\(3, 11, 0\).*compare with `>=`"), (lambda v: v[1] >= 11, r"\(4, 0, 0\).*whole tuple"), (lambda v: v[0] == 3 and v[1] >= 11, r"\(4, 0, 0\).*whole tuple"),
         (lambda v: ".".join(map(str, v)) >= "3.11", "3.9 comes after 3.11"), (lambda v: float(f"{v[0]}.{v[1]}") >= 3.11, "3.9 comes after 3.11"), (lambda v: v[0] >= 3, r"\(3, 9, 18\) your function returns True"),
         (lambda v: v >= 3.11, "TypeError.* compare it with a tuple"), (lambda v: v >= (3, 10), r"\(3, 10, 14\)"), (lambda v: v >= (3, 12), r"\(3, 11, 0\) your function returns False"),
         (lambda v: v <= (3, 11), "returns False"), (lambda v: v == (3, 11, 0), r"\(3, 12, 1\)"), (lambda v: print(v >= (3, 11)), "returns None"), (lambda v: True, r"\(3, 9, 18\)"), (lambda v: str(v), r"\(3, 9, 18\)"),
         (lambda v: v[1] >= 11 or v[0] > 3, r"\(2, 11, 0\)"), (True, "the function itself, and got a bool"), (lambda v: ..., "no answer yet")],
    ),
    "first_error": (
        [lambda r: r.json()["error"]["code"], lambda r: r.json().get("error").get("code"), lambda r: json.loads(r.text)["error"]["code"], lambda r: json.loads(r.content)["error"]["code"],
         lambda r: list(r.json()["error"].values())[0], lambda r: re.search('"code": "(.+?)"', r.text)[1], "MISSING_TOKEN"],
        [(lambda r: r.status_code, "is the status"), ("401", "is the status"), (lambda r: r.json()["error"]["message"], "message, which is for people"), (lambda r: r.json()["error"], "one step further"),
         (lambda r: r.json(), "one step further"), (lambda r: r, "whole answer"), (lambda r: r.text, "is not the code"), (lambda r: r.reason, "None is not the code"),
         (lambda r: [r.json()["error"]["code"]], "is not the code"), ("INVALID_TOKEN", "'INVALID_TOKEN' is not the code"), ("missing_token", "is not the code"), (T, "a str is not the code"), ([T], "a list is not the code"), (lambda r: r.ok, "False is not the code"),
         (lambda r: b"MISSING_TOKEN", "is not the code"), (..., "no answer yet")],
    ),
    "generated": (
        [lambda p: p.generate_token(name="Exercise", lifetime="30 days"), lambda p: p.generate_token("Exercise", "30 days"), lambda p: p.generate_token("Exercise", lifetime="30 days"),
         lambda p: p.generate_token(lifetime="30 days", name="Exercise"), lambda p: (generate(p, 2), generate(p))[1], lambda p: (generate(p), p.revoke("Exercise"), generate(p))[2],
         lambda p: (generate(p, lifetime="never"), generate(p))[1], lambda p: (generate(p), p.generate_token("Other"))[0]],
        [(lambda p: generate(p, name="exercise"), "no token named Exercise"), (lambda p: p.generate_token(), "no token named Exercise"), (lambda p: p.generate_token("Exercise"), "never expires"),
         (lambda p: generate(p, lifetime="90 days"), "not after 30 days"), (lambda p: generate(p, lifetime="1 hour"), "not after 30 days"), (lambda p: (generate(p), p.revoke("Exercise"))[0], "is revoked"),
         (lambda p: (generate(p), p.generate_token("Other"))[1], "another token than the newest one"), (lambda p: generate(p)[:-1], "refuses what is in"), (lambda p: f"“{generate(p)}”", "refuses what is in"),
         (lambda p: f"Bearer {generate(p)}", "refuses what is in"), (lambda p: f"{generate(p)}\n", "refuses what is in"), (lambda p: "Exercise", "no token named"), (lambda p: p.tokens(), "holds a list"),
         (lambda p: (generate(p), p.tokens()[0])[1], "holds a ListedToken"), (lambda p: generate(p) and None, "holds a NoneType"), (..., "no answer yet")],
    ),
    "header": (
        [lambda t: {"Authorization": f"Bearer {t}"}, lambda t: {"Authorization": "Bearer " + t}, lambda t: {"authorization": f"bearer {t}"}, lambda t: dict(Authorization="Bearer {}".format(t)),
         lambda t: {"Authorization": " ".join(["Bearer", t])}, lambda t: {"Authorization": f"Bearer {t}".encode(), "Accept": "*/*"}, lambda t: requests.structures.CaseInsensitiveDict(Authorization="Bearer %s" % t),
         lambda t: {"Content-Type": "application/json", "AUTHORIZATION": f"Bearer {t}"}],
        [({"Authorization": f"Bearer Bearer {T}"}, "`Bearer Bearer …`"), ({"Authorization": T}, "holds the token alone"), ({"Authorisation": f"Bearer {T}"}, "no header named Authorization"),
         ({"Authorization:": f"Bearer {T}"}, "no colon"), ({"Authorization": f"Bearer{T}"}, "after Bearer there is no space"), ({"Authorization": f"Bearer: {T}"}, "after Bearer there is no space"),
         ({"Authorization": f"Token {T}"}, "doesn't begin with the word Bearer"), ({"Authorization": f"Bearer '{T}'"}, "something else than the token"), ({"Authorization": "Bearer {token}"}, "Put an f before"),
         ({"Authorization": f"Bearer {T}\n"}, "white space"), ({"Authorization": f" Bearer {T}"}, "doesn't begin|white space"), ({"Authorization": f"Bearer {T[:-1]}"}, "something else than the token"),
         ({"Authorization": "Bearer token"}, "something else than the token"), (f"Authorization: Bearer {T}", "a str, not a dictionary"), ([("Authorization", f"Bearer {T}")], "a list, not a dictionary"),
         ({"Authorization": None}, "a NoneType, not a text"), ({"Authorization": ["Bearer", T]}, "a list, not a text"), ({"token": T}, "no header named"), (..., "no answer yet")],
    ),
    "describe": (
        [lambda t: f"{t[:9]}… {len(t)}", lambda t: f"lis_mock_ ({len(t)} characters)", lambda t: "length=%d prefix=lis_mock_" % len(t), lambda t: t[:9] + " " + str(len(t)), lambda t: t[:9] + "*" * 36 + f" ({len(t)})",
         lambda t: f"{'_'.join(t.split('_')[:2])}_…, length {len(t)}", lambda t: {"prefix": t[:9], "length": len(t)}, lambda t: f"{t[:t.rindex('_') + 1]} {len(t)}"],
        [(lambda t: t, "whole token"), (lambda t: f"{t} {len(t)}", "whole token"), (lambda t: f"{t[:12]}… {len(t)}", "piece of the secret"), (lambda t: f"{t[:10]}… {len(t)}", "first character"),
         (lambda t: f"lis_mock_…{t[-4:]} {len(t)}", "piece of the secret"), (lambda t: f"lis_mock_…{t[-1]} {len(t)}", "your texts differ"), (lambda t: f"{t[:9]} {len(t)} {hash(t)}", "your texts differ"),
         (lambda t: f"{t[:9]} {t[::-1]} {len(t)}", "your texts differ"), (lambda t: "lis_mock_ 45", "lacks the length"), (lambda t: f"{t[:9]} and {len(t[9:])} more", "lacks the length of the whole token, here 45"),
         (lambda t: t[:9], "lacks the length"), (lambda t: f"{len(t)} characters", "lacks the prefix"), (lambda t: len(t), "lacks the prefix"), (lambda t: f"{t[:8]}… {len(t)}", "lacks the prefix"),
         (lambda t: print(t[:9], len(t)), "returns None"), (lambda t: ..., "no answer yet")],
    ),
    "env_line": (
        [lambda t: f"LINKED_IS_API_TOKEN={t}", lambda t: "LINKED_IS_API_TOKEN=" + t, lambda t: f"LINKED_IS_API_TOKEN={t}\n", lambda t: f'export LINKED_IS_API_TOKEN="{t}"\n',
         lambda t: f"LINKED_IS_API_TOKEN='{t}'  # mine", lambda t: f"LINKED_IS_API_TOKEN = {t}", lambda t: "{}={}".format("LINKED_IS_API_TOKEN", t), lambda t: "=".join(["LINKED_IS_API_TOKEN", t]),
         lambda t: f"# mine\nLINKED_IS_API_TOKEN={t}"],
        [(lambda t: f"LINKED_IS_API_TOKEN=Bearer {t}", "Keep the token alone"), (lambda t: f"API_TOKEN={t}", "another name"), (lambda t: f"linked_is_api_token={t}", "in capitals"),
         (lambda t: f"LINKED_IS_API_TOKEN: {t}", "no name with a value"), (lambda t: f"LINKED_IS_API_TOKEN=“{t}”", "curly"), (lambda t: t, "no name with a value"),
         (lambda t: "LINKED_IS_API_TOKEN={token}", "Put an f before"), (lambda t: f"LINKED_IS_API_TOKEN={t}.", "another value"), (lambda t: f"LINKED_IS_API_TOKEN={t[9:]}", "another value"),
         (lambda t: f"LINKED_IS_API_TOKEN=\n{t}", "no name with a value"), (lambda t: f"LINKED_IS_API_TOKEN {t}", "no name with a value"), (lambda t: "LINKED_IS_API_TOKEN=token", "another value"),
         (lambda t: f"LINKED_IS_API_TOKEN='{t}", "no name with a value"), (lambda t: f"#LINKED_IS_API_TOKEN={t}", "no name with a value"), (lambda t: {"LINKED_IS_API_TOKEN": t}, "a dict, not a text"),
         (lambda t: print(f"LINKED_IS_API_TOKEN={t}"), "a NoneType, not a text"), (lambda t: ..., "no answer yet")],
    ),
    "authorization": (
        [lambda p: "Bearer " + p.strip().removeprefix("Bearer "), lambda p: f"Bearer {p.split()[-1]}", lambda p: "Bearer " + re.sub(r"^\s*Bearer\s+", "", p).strip(),
         lambda p: p.strip() if p.strip().startswith("Bearer ") else f"Bearer {p.strip()}", lambda p: "Bearer " + p.replace("Bearer", "").strip(), lambda p: "Bearer " + p.strip().split("Bearer ")[-1],
         lambda p: "Bearer " + p.strip().rpartition(" ")[2], lambda p: "Bearer " + re.search(r"(\S+)\s*$", p)[1], lambda p: "Bearer " + p.strip().removeprefix("Bearer").strip()],
        [(lambda p: f"Bearer {p}", "white space|something else than the token"), (lambda p: f"Bearer {p.strip()}", "`Bearer Bearer …`"), (lambda p: p.strip(), "holds the token alone"),
         (strip_characters, "strip takes single characters"), (lambda p: "Bearer " + p.strip("Bearer \n"), "strip takes single characters"),
         (lambda p: "Bearer " + p.removeprefix("Bearer "), "white space|something else than the token"), (lambda p: "Bearer " + p.removeprefix("Bearer ").strip(), "`Bearer Bearer …`"),
         (lambda p: "Bearer{p}", "Put an f before"), (lambda p: "Bearer " + p.split()[0], "`Bearer Bearer …`"), (lambda p: "Bearer " + p.replace(" ", ""), "white space|`Bearer Bearer"),
         (lambda p: "Bearer" + p.strip().removeprefix("Bearer "), "there is no space"), (lambda p: "Bearer " + p.strip()[7:], "lost characters"), (lambda p: p.strip().removeprefix("Bearer "), "holds the token alone"),
         (lambda p: {"Authorization": f"Bearer {p.strip()}"}, "a dict, not a text"), (lambda p: "Bearer " + p.strip().lower(), "something else"), (lambda p: None, "a NoneType, not a text"),
         (lambda p: ..., "no answer yet")],
    ),
    "loaded": (
        [lambda file: load_dotenv(file, override=True), lambda file: load_dotenv(dotenv_path=str(file), override=True), lambda file: os.environ.update(dotenv_values(file)),
         lambda file: (os.environ.pop(NAME), load_dotenv(file)), lambda file: os.environ.__setitem__(NAME, dotenv_values(file)[NAME]), lambda file: os.environ.__setitem__(NAME, get_key(file, NAME)),
         lambda file: os.environ.__ior__(dotenv_values(file)), lambda file: (load_dotenv(file), load_dotenv(file, override=True))],
        [(load_dotenv, "add override=True"), (lambda file: load_dotenv(file, override=False), "add override=True"), (lambda file: dotenv_values(file), "add override=True"),
         (lambda file: load_dotenv(f"{file}.example", override=True), "another token than the file"), (lambda file: os.environ.pop(NAME), "no token in the environment"),
         (lambda file: os.environ.update({NAME: f"Bearer {T}"}), "word Bearer"), (lambda file: os.environ.update({NAME: str(file)}), "another token than the file"),
         (lambda file: os.environ.update({NAME: ""}), "no token in the environment"), (lambda file: os.environ.update({NAME: file.read_text().split("=")[1]}), "holds more than the token"),
         (lambda file: os.environ.update({NAME: file.read_text()}), "holds more than the token"), (lambda file: os.environ.update({"TOKEN": T}), "another token than the file"),
         (lambda file: os.environ.update({NAME: T[:-1]}), "another token than the file")],
    ),
    "lists_links": (
        [get, get_by_session, get_by_auth, lambda t, b: get(t, b, params={"limit": 100}), lambda t, b: requests.request("GET", f"{b}/links", headers={"AUTHORIZATION": f"Bearer {t}".encode()}, timeout=5),
         lambda t, b: get(t, b, timeout=(3.05, 27)), lambda t, b: get(t, b, headers={"Authorization": "Bearer " + t, "Content-Type": "application/json"}),
         lambda t, b: requests.Session().get(b + "/links", headers={"Authorization": f"Bearer {t}"}, timeout=1e2)],
        [(lambda t, b: get(t, b, timeout=None), "no timeout"), (lambda t, b: get(t, b, timeout=(5, None)), "no timeout"), (lambda t, b: get(t, b, headers={}), "no header named Authorization"),
         (lambda t, b: get(t, b, headers={"Authorization": t}), "holds the token alone"), (lambda t, b: get(t, b, params={"token": t}, headers={}), "logs keep addresses"),
         (lambda t, b: get(f"Bearer {t}", b), "Bearer Bearer"), (lambda t, b: get(t, b).json()["data"], "a list, not the answer"), (lambda t, b: get(t, b).status_code, "an int, not the answer"),
         (lambda t, b: get(t, b + "/v1"), "Ask with GET for"), (lambda t, b: get(t, b, path="/profiles"), "for 'http.*/profiles"), (lambda t, b: get(t, b, path="/links/"), "/links/"),
         (lambda t, b: get(t, BASE), "asks with GET for 'https://api.linked.is/v1/links'"), (lambda t, b: requests.post(f"{b}/links", headers={"Authorization": f"Bearer {t}"}, timeout=10), "asks with POST"),
         (lambda t, b: get(t, b, verify=False), "nobody checks who answers"), (lambda t, b: get(t[:-1], b), "something else than the token"), (lambda t, b: get(t, b) and None, "a NoneType, not the answer"),
         (lambda t, b: "200 OK", "calls nobody"), (lambda t, b: requests.get(BASE.replace("https", "none"), timeout=1), "stopped with InvalidSchema"), (..., "no answer yet")],
    ),
    "data_of": (
        [raises_code, lambda r: r.json()["data"] if r.json()["success"] else stops(RuntimeError(r.text)), lambda r: r.json()["data"] if r.ok else stops(RuntimeError(r.json()["error"])),
         lambda r: r.json()["data"] if "error" not in r.json() else stops(RuntimeError(r.json()["error"]["code"])),
         lambda r: stops(RuntimeError(r.json()["error"]["code"])) if not r.json()["success"] else r.json()["data"],
         lambda r: r.json().get("data") if r.status_code < 400 else stops(RuntimeError("API: " + r.json()["error"]["code"])), catches_key_error],
        [(lambda r: r.json()["data"], "KeyError, which doesn't say"), (lambda r: r.json().get("data"), "raises nothing"), (raises_status, "raises HTTPError. Raise RuntimeError"), (lambda r: r.json(), "whole envelope"),
         (only_200, "stopped with RuntimeError"), (truthy_data, "stopped with RuntimeError"), (lambda r: None, "returns None"), (lambda r: r.text, "returns '"),
         (lambda r: r.json()["data"] if r.ok else stops(ValueError(r.json()["error"]["code"])), "raises ValueError. Raise RuntimeError"),
         (lambda r: r.json()["data"] if r.ok else stops(RuntimeError(r.status_code)), "lacks the code"), (lambda r: r.json()["data"] if r.ok else stops(RuntimeError(r.json()["error"]["message"])), "lacks the code"),
         (lambda r: r.json()["data"] if r.ok else r.json()["error"]["code"], "raises nothing"), (lambda r: r.json()["data"] if r.ok else stops(RuntimeError("TOKEN_EXPIRED")), "lacks the code NOT_FOUND"),
         (lambda r: r.json()["data"] if r.ok else sys.exit(r.text), "ends the whole program"), (lambda r: ..., "no answer yet")],
    ),
    "may_have_token": (
        [lambda u, b: u.startswith(b + "/"), lambda u, b: u.startswith(f"{b}/"), same_place, lambda u, b: re.match(re.escape(b) + "/", u), lambda u, b: u[: len(b) + 1] == b + "/",
         lambda u, b: u.removeprefix(b)[:1] == "/", lambda u, b: u.partition(b + "/")[0] == "", lambda u, b: u.find(b + "/") == 0, lambda u, b: u.split("/v1/")[0] + "/v1" == b],
        [(lambda u, b: True, "somebody else"), (lambda u, b: b in u, "only in the query"), (lambda u, b: u.startswith(b), "Put a slash after the base URL"),
         (lambda u, b: u.startswith("https://api.linked.is"), "another one|only begins like"), (lambda u, b: urlsplit(u).hostname == urlsplit(b).hostname, "not encrypted"),
         (lambda u, b: urlsplit(u)[:2] == urlsplit(b)[:2], "Put a slash after|not below the base URL"), (lambda u, b: u == b + "/links", "limit=2 your function returns False"),
         (lambda u, b: False, "returns False, not True"), (lambda u, b: "linked.is" in u, "only in the query"), (lambda u, b: u.endswith("/links"), "limit=2"), (lambda u, b: u.startswith("https://"), "somebody else"),
         (lambda u, b: u.startswith("https://api.linked.is/v1/"), "it may be another one"), (lambda u, b: b.startswith(u), "returns False"), (lambda u, b: print(u.startswith(b + "/")), "returns None"),
         (lambda u, b: not u.startswith(b + "/"), "returns False"), (lambda u, b: ..., "no answer yet")],
    ),
    "winter_link": (
        [lambda s, a: s.post(a, json=WINTER).json()["data"], lambda s, a: s.post(a, json={**WINTER, "clickLimit": 5}).json(), lambda s, a: s.post(a, json=WINTER, timeout=10),
         lambda s, a: s.post(a, data=json.dumps(WINTER), headers={"Content-Type": "application/json"}).json()["data"],
         lambda s, a: s.request("POST", a, json=dict(url=WINTER["url"], title="Winter menu")).json().get("data"),
         lambda s, a: s.patch(f"{a}/{s.post(a, json=WINTER | {'title': 'x'}).json()['data']['id']}", json={"title": "Winter menu"}).json()["data"], lambda s, a: s.post(a, json=WINTER | {"slug": "winter"}).json()["data"]],
        [(lambda s, a: s.post(a, data=WINTER).json(), "Content-Type"), (lambda s, a: s.get(a).json(), "list of links"), (lambda s, a: s.get(a).json()["data"], "POST makes a new one"),
         (lambda s, a: s.get(a).json()["data"][0], "leads to"), (lambda s, a: s.post(a, json={"url": WINTER["url"]}).json()["data"], "the title of your link is None"),
         (lambda s, a: s.post(a, json=WINTER | {"title": "winter menu"}).json()["data"], "is 'winter menu'"), (lambda s, a: s.post(a, json=WINTER | {"url": "https://example.com"}).json()["data"], "leads to"),
         (lambda s, a: s.post(a, json=WINTER | {"url": "https://example.com/winter/"}).json()["data"], "leads to 'https://example.com/winter/'"), (lambda s, a: s.post(a, json={"title": "Winter menu"}).json(), "url"),
         (lambda s, a: s.post(a, json=WINTER).json()["data"]["id"], "holds a str"), (lambda s, a: s.post(a, json=WINTER).ok, "holds a bool"), (lambda s, a: {"id": "clx0000000000", **WINTER}, "knows no link"),
         (made_and_deleted, "knows no link"), (lambda s, a: WINTER, "without an id"), (lambda s, a: s.post(f"{a}/winter", json=WINTER), "the API answers|can't use"),
         (lambda s, a: requests.post(a, json=WINTER), "MISSING_TOKEN"), (..., "no answer yet")],
    ),
    "all_slugs": (
        [lambda s, a: [link["slug"] for page in pages(s, a) for link in page], slugs_by_cursor, lambda s, a: {link["slug"] for page in pages(s, a) for link in page},
         lambda s, a: list(map(itemgetter("slug"), chain(*pages(s, a)))), slugs_by_recursion, lambda s, a: tuple(link["slug"] for page in pages(s, a) for link in page), slugs_by_break],
        [(lambda s, a: [link["slug"] for link in s.get(a, timeout=10).json()["data"]], "first page only"), (first_page_for_ever, "without end"),
         (lambda s, a: [link["slug"] for link in s.get(a, params={"limit": 100}, timeout=10).json()["data"]], "first page only"), (lambda s, a: [link["slug"] for link in list(pages(s, a))[-1]], "last page only"),
         (lambda s, a: [link for page in pages(s, a) for link in page], "list of slugs"), (lambda s, a: 2 * [link["slug"] for page in pages(s, a) for link in page], "twice"),
         (lambda s, a: [link["slug"] for page in list(pages(s, a))[:-1] for link in page], "4 of 5"), (lambda s, a: [[link["slug"] for link in page] for page in pages(s, a)], "list of slugs"),
         (lambda s, a: [link["id"] for page in pages(s, a) for link in page], "5 of 5 links|something else"), (lambda s, a: (link["slug"] for page in pages(s, a) for link in page), "a generator|list of slugs"),
         (lambda s, a: " ".join(link["slug"] for page in pages(s, a) for link in page), "list of slugs"), (slugs_in_a_default, "a second call returns 10"), (lambda s, a: [], "0 of 5"),
         (lambda s, a: None, "list of slugs"), (lambda s, a: [link["slug"] for page in pages(s, a) for link in page if link["clicks"]] [:3], "3 of 5"), (lambda s, a: s.get(a).json()["links"], "stopped with KeyError"),
         (lambda s, a: ..., "no answer yet")],
    ),
    "busiest_country": (
        ["Spain", lambda s: max(s["countries"], key=lambda entry: entry["clicks"])["country"], lambda s: sorted(s["countries"], key=itemgetter("clicks"))[-1]["country"],
         lambda s: max((entry["clicks"], entry["country"]) for entry in s["countries"])[1], lambda s: sorted(s["countries"], key=lambda entry: -entry["clicks"])[0]["country"],
         lambda s: Counter({entry["country"]: entry["clicks"] for entry in s["countries"]}).most_common(1)[0][0],
         lambda s: next(entry["country"] for entry in s["countries"] if entry["clicks"] == max(other["clicks"] for other in s["countries"]))],
        [(lambda s: max(entry["country"] for entry in s["countries"]), "by the alphabet"), (lambda s: max(entry["clicks"] for entry in s["countries"]), "number of clicks"),
         (lambda s: max(s["countries"], key=itemgetter("clicks")), "whole entry"), (lambda s: min(s["countries"], key=itemgetter("clicks"))["country"], "Austria has 2 clicks, and another country has more"),
         (lambda s: s["countries"][-1]["country"], "by the alphabet"), ("countries", "name of a field"), ("spain", "no country 'spain'"), ("ES", "no country 'ES'"), (["Spain"], "a list, not the name"),
         (("Spain", 9), "a tuple, not the name"), ({"Spain"}, "a set, not the name"), (lambda s: s["countries"], "a list, not the name"), (None, "a NoneType, not the name"), ("", "no country ''"), (..., "no answer yet")],
    ),
    "causes": (
        [causes(*CODES), dict(reversed(causes(*CODES).items())), MappingProxyType(causes(*CODES)), OrderedDict(causes(*CODES)), ChainMap({"The token was revoked": "INVALID_TOKEN"}, causes(*CODES)),
         causes(*(StrEnum("Code", [(code, code) for code in set(CODES)])[code] for code in CODES))],
        [(causes("MISSING_TOKEN", "TOKEN_EXPIRED", "TOKEN_EXPIRED", "INVALID_TOKEN"), "revoked.*outlived its lifetime"), (causes("INVALID_TOKEN", *CODES[1:]), "was not sent.*a token was sent"),
         (causes("MISSING_TOKEN", "TOKEN_REVOKED", *CODES[2:]), "'TOKEN_REVOKED' is none of.* no code of its own"), (causes(401, *CODES[1:]), "status of all"),
         (causes("MISSING_TOKEN", "MISSING_TOKEN", *CODES[2:]), "no token was sent at all"), (causes(*CODES[:2], "INVALID_TOKEN", "INVALID_TOKEN"), "older than its lifetime.*choose another|Choose another"),
         (causes(*CODES[:3], "MISSING_TOKEN"), "cut off.*no token was sent at all"), (causes(*CODES[:3], "TOKEN_EXPIRED"), "cut off.*outlived"), (causes(*map(str.lower, CODES)), "in capitals"),
         (causes("TOKEN_EXPIRED", *CODES[1:]), "was not sent.*outlived"), (causes(None, *CODES[1:]), "None is none of"), (list(CODES), "not a dictionary"), ({}, "with the four causes"),
         ({**causes(*CODES), "more": "MISSING_TOKEN"}, "with the four causes"), (causes([], *CODES[1:]), "is none of"), (causes(..., *CODES[1:]), "no answer yet")],
    ),
    "worth_retrying": (
        [lambda s: s in (429, 503), lambda s: s == 429 or s >= 500, lambda s: s in {408, 429, 500, 502, 503, 504}, lambda s: s == 429 or s == 503, lambda s: s not in (200, 201, 400, 401, 403, 404), lambda s: s > 428,
         lambda s: s // 100 == 5 or s == 429, lambda s: {429: True, 503: True}.get(s, False)],
        [(lambda s: s != 200, "status 401 your function returns True"), (lambda s: s >= 400, "401"), (lambda s: s in (401, 429, 503), "401.*until a person acts"), (lambda s: s >= 402, "status 403.*Change the request"),
         (lambda s: s == 429, "status 503.*later try"), (lambda s: s >= 500, "status 429.*too many calls"), (lambda s: s != 401, "status 200.*twice"), (lambda s: False, "429 your function returns False"),
         (lambda s: s == 429 and s == 503, "429"), (lambda s: s == 429 or 503, "401 your function returns 503"), (lambda s: True, "401"), (lambda s: s in (201, 429, 503), "status 201"),
         (lambda s: s in (400, 429, 503), "status 400"), (lambda s: s in (404, 429, 503), "status 404"), (lambda s: s in ("429", "503"), "429"), (lambda s: print(s in (429, 503)), "returns None"),
         (lambda s: "no", "401 your function returns 'no'"), (lambda s: ..., "no answer yet")],
    ),
    "expired": (
        [lambda r: code_of(r) == "TOKEN_EXPIRED", lambda r: not r.ok and r.json()["error"]["code"] == "TOKEN_EXPIRED", lambda r: r.status_code == 401 and r.json()["error"]["code"] == "TOKEN_EXPIRED",
         lambda r: not r.json()["success"] and code_of(r) == "TOKEN_EXPIRED", lambda r: "error" in r.json() and r.json()["error"]["code"] == "TOKEN_EXPIRED", lambda r: code_of(r) in ("TOKEN_EXPIRED",), expired_by_try],
        [(lambda r: r.status_code == 401, "INVALID_TOKEN your function returns True"), (lambda r: "expired" in r.text, "words of a message"),
         (lambda r: r.json()["error"]["code"] == "TOKEN_EXPIRED", "stopped with KeyError"), (lambda r: not r.ok, "for INVALID_TOKEN"), (lambda r: code_of(r) != "INVALID_TOKEN", "for a good answer"),
         (lambda r: code_of(r) in CODES[:3:2], "for MISSING_TOKEN"), (lambda r: "TOKEN_EXPIRED" in r.text, "code in its title"), (lambda r: code_of(r), "for INVALID_TOKEN your function returns 'INVALID_TOKEN'"),
         (lambda r: r.json().get("error"), "for INVALID_TOKEN"), (lambda r: code_of(r) == "token_expired", "expired token.*returns False"), (lambda r: r.json().get("code") == "TOKEN_EXPIRED", "returns False"),
         (lambda r: code_of(r) not in (None, *CODES[:2]), "for NOT_FOUND"), (lambda r: False, "returns False, not True"), (lambda r: True, "for a good answer"),
         (lambda r: print(code_of(r) == "TOKEN_EXPIRED"), "returns None"), (lambda r: r["error"]["code"] == "TOKEN_EXPIRED", "stopped with TypeError"), (lambda r: ..., "no answer yet")],
    ),
    "rotation_order": (
        ["CADB", "c a d b", ["C", "A", "D", "B"], "C, A, D, B", tuple("CADB"), "C → A → D → B", "C-A-D-B", "C\nA\nD\nB\n"],
        [("BCAD", "you revoke first"), ("BACD", "you revoke first"), ("ACDB", "isn't there yet"), ("DACB", "isn't there yet"), ("CBAD", "while programs still use it"), ("CDBA", "while programs still use it"),
         ("CABD", "too late"), ("CDAB", "before the programs have the new one"), ("DCAB", "before the programs have the new one"), ("CAB", "each of the letters"), ("CADBA", "each of the letters"),
         ("", "each of the letters"), ("1234", "each of the letters"), (set("CADB"), "each of the letters"), (3142, "each of the letters"), (None, "each of the letters"), ("the right order", "each of the letters"),
         (..., "no answer yet")],
    ),
    "reload": (
        [reload_right, reload_override, lambda s, f: s.headers.update(Authorization="Bearer " + dotenv_values(f)[NAME]), lambda s, f: s.headers.update({"authorization": f"bearer {get_key(f, NAME)}"}), reload_by_auth,
         lambda s, f: s.headers.update(Authorization="Bearer " + re.search(f"{NAME}='?([^'\n]+)", f.read_text())[1]), lambda s, f: s.headers.__setitem__("AUTHORIZATION", f"Bearer {dotenv_values(str(f))[NAME]}")],
        [(reload_without_override, "still sends the old token"), (reload_once(), "still sends the old token"), (reload_alone, "holds the token alone"), (reload_another_session, "program keeps that one"),
         (lambda s, f: None, "no header Authorization"), (lambda s, f: s.headers.update(Authorization=f"Bearer {dotenv_values(f)}"), "f before|something else|old token"),
         (lambda s, f: s.headers.update(Authorization=f"Bearer {f.read_text()}"), "f before|something else|white space"), (lambda s, f: s.headers.update(Authorization=f"Bearer {f}"), "something else"),
         (lambda s, f: s.headers.update(Authorization=f"Bearer Bearer {dotenv_values(f)[NAME]}"), "`Bearer Bearer"),
         (lambda s, f: s.headers.update(Authorisation=f"Bearer {dotenv_values(f)[NAME]}"), "no header Authorization"), (lambda s, f: s.headers.update(Authorization=f"Bearer{dotenv_values(f)[NAME]}"), "no space"),
         (lambda s, f: s.headers.update(Authorization=f"Bearer {os.environ[NAME]}"), "still sends the old token"), (lambda s, f: dotenv_values(f)[NAME], "no header Authorization"),
         (lambda s, f: s.headers.update(Authorization="Bearer " + f.read_text().split("=")[1]), "something else|white space"), (lambda s, f: dotenv_values(f)["TOKEN"], "stopped with KeyError"),
         (lambda s, f: ..., "no answer yet")],
    ),
    "rotate": (
        [rotation("generate write reload revoke"), rotation("generate write reload reload revoke"), rotation("generate write-all reload revoke"), rotation("generate write reload wait revoke"),
         rotation("generate write reload generate write reload revoke"), rotation("reload generate write reload look revoke")],
        [(rotation("revoke generate write reload"), "a call failed in between"), (rotation("generate write revoke reload"), "a call failed in between"),
         (rotation("generate revoke write reload"), "a call failed in between"), (rotation("generate reload write revoke"), "took the old token again"), (rotation("generate reload revoke"), "file still holds"),
         (rotation("generate revoke"), "file still holds"), (rotation("generate write revoke"), "call reload"), (rotation("generate write reload"), "still active"), (rotation("generate"), "file still holds"),
         (rotation("reload"), "no new token"), (rotation("revoke"), "no active token left"), (rotation("generate write reload revoke revoke-new"), "no active token left"),
         (rotation("generate write reload revoke-new"), "something else than an active token"), (rotation("generate write-bearer reload revoke"), "something else than an active token"),
         (rotation("generate write reload revoke revoke"), "the page says"), (rotation("write"), "stopped with"), (lambda p, f, r: p.revoke("Older"), "the page says.*Older"), (lambda p, f, r: None, "no new token"),
         (lambda p, f, r: ..., "no answer yet")],
    ),
    "leak_order": (
        ["DBAC", "d, b, a, c", list("DBAC"), tuple("DBAC"), "D → B → A → C", "D-B-A-C", " dbac "],
        [("CDBA", "clean the history first"), ("CBAD", "clean the history first"), ("BDAC", "as in a rotation"), ("BACD", "as in a rotation"), ("ADBC", "you look first"), ("ABCD", "you look first"),
         ("DCBA", "clean up last"), ("DABC", "Then give your program a new token"), ("DBCA", "clean up last"), ("D", "each of the letters"), ("DBA", "each of the letters"), (set("DBAC"), "each of the letters"),
         (4213, "each of the letters"), (..., "no answer yet")],
    ),
    "revoked": (
        [lambda p: p.revoke("Report script"), lambda p: p.revoke(name="Report script"), lambda p: [p.revoke(row.name) for row in p.tokens() if row.name != "Server"], lambda p: p.revoke(p.tokens()[0].name),
         lambda p: (p.revoke("Report script"), p.generate_token("Report script")), lambda p: (p.generate_token("New report script"), p.revoke("Report script"))],
        [(lambda p: None, "still active"), (lambda p: p.revoke("Server"), "did not leak"), (lambda p: (p.revoke("Server"), p.revoke("Report script")), "did not leak"),
         (lambda p: [p.revoke(row.name) for row in p.tokens()], "did not leak"), (lambda p: p.revoke(p.tokens()[-1].name), "did not leak"), (lambda p: p.generate_token("Report script"), "still active"),
         (lambda p: p.sign_up(), "for a new start"), (lambda p: (p.revoke("Server"), p.generate_token("Server")), "did not leak"), (lambda p: (p.generate_token("Other"), p.revoke("Other")), "still active"),
         (lambda p: p.change_plan("Pro"), "still active"), (lambda p: (p.sign_up(), p.generate_token("Server")), "for a new start"), (lambda p: p.tokens(), "still active")],
    ),
    "token_pattern": (
        [r"lis_mock_[0-9A-Za-z]{36}", re.compile(r"\blis_mock_[a-zA-Z\d]{36}\b"), r"lis_mock_[^\W_]{36}", r"\b(lis_mock_[0-9A-Za-z]{36})\b", re.compile("lis_mock_[0-9a-z]{36}", re.IGNORECASE),
         r"lis_mock_(?:[A-Z]|[a-z]|[0-9]){36}", r"lis_mock_[0-9A-Za-z]{36,}", r"(?<!\w)lis_mock_[A-Za-z0-9]{36}(?!\w)", r"lis_mock_[0-9A-Za-z]{30}[0-9A-Za-z]{6}"],
        [(r"lis_mock_", "with only 0 letters"), (r"lis_mock_[0-9A-Za-z]{35}", "with only 35 letters"), (r"lis_mock_[0-9A-Za-z]{20,}", "with only 20 letters"), (r"lis_mock_[0-9A-Za-z]+", "with only 1 letters"),
         (r"lis_mock_\w+", "with only 1 letters"), (r"lis_mock_[0-9A-Za-z]*", "with only 0 letters"), (r"lis_mock_.{36}", "sentence after it"), (r"lis_mock_\w{36}", "underscores"),
         (r"lis_mock_[A-z0-9]{36}", "underscores"), (r"lis_mock_\S{36}", "underscores"), (r"^lis_mock_\w{36}$", "only where it is alone"), (r"^lis_mock_[0-9A-Za-z]{36}", "only where it is alone"),
         (r"[0-9A-Za-z_]{45}", "underscores|any long word"), (r"[0-9A-Za-z]{36}", "finds 36 characters"), (r"lis_mock_[a-z]{36}", "doesn't find"), (r"lis_mock_[1-9A-Za-z]{36}", "doesn't find"),
         (r"lis_mock_[0-9A-Za-z]{37}", "doesn't find"), (r"lis_mock_[0-9A-Za-z]{45}", "doesn't find"), (r"lis_mock_\d{36}", "doesn't find"), (r"lis_\w+_[0-9A-Za-z]{36}", "another prefix"),
         (r".*lis_mock_[0-9A-Za-z]{36}.*", "and a token has 45"), (r"lis_mock_([0-9A-Za-z]+)+$", "too long for a short text"), (r"lis_mock_[", "no regular expression"), (b"lis_mock_", "no regular expression"),
         (None, "no regular expression"), (len, "no regular expression"), (..., "no answer yet")],
    ),
    "seconds_to_wait": (
        [body_then_header, lambda r: body_seconds(r) or int(r.headers.get("Retry-After", 0)), lambda r: float(body_seconds(r) or r.headers.get("retry-after") or 0),
         lambda r: r.json()["error"]["retryAfter"] if r.status_code == 429 else int(r.headers.get("Retry-After", "0")), lambda r: body_seconds(r) if "retryAfter" in r.text else int({**r.headers}.get("Retry-After", 0)),
         lambda r: next(int(asked) for asked in (body_seconds(r) or None, r.headers.get("Retry-After"), 0) if asked is not None)],
        [(lambda r: int(r.headers.get("X-RateLimit-Reset", 0)), "is a time"), (lambda r: body_seconds(r) or r.headers.get("Retry-After", 0), "a text"), (lambda r: int(r.headers["Retry-After"]), "stopped with KeyError"),
         (lambda r: int(r.headers.get("Retry-After", 0)), "in its body only"), (body_seconds, "in the header Retry-After only"), (lambda r: int(r.headers.get("Retry-After", 0)) or body_seconds(r), "Read the body first"),
         (lambda r: max(int(r.headers.get("Retry-After", 0)), body_seconds(r)) if r.status_code == 503 else 7, "asks for 40 seconds in its body only"),
         (lambda r: r.json()["error"]["retryAfter"], "stopped with KeyError"), (lambda r: 60, "another header"), (lambda r: 0, "asks for 40 seconds"),
         (lambda r: body_seconds(r) or int(r.headers.get("Retry-After", 1)), "Return 0"), (lambda r: True, "returns True"), (lambda r: None, "returns None"), (lambda r: ..., "no answer yet")],
    ),
    "policy": (
        [Retry(**RETRY), Retry(4, status_forcelist={500, 502, 503, 504}, backoff_factor=0.5, backoff_jitter=1, retry_after_max=60), HTTPAdapter(max_retries=Retry(**RETRY)), Retry(**RETRY, raise_on_status=False),
         Retry(**RETRY, allowed_methods=["GET"]), Retry(**RETRY, backoff_max=10, connect=2), Retry(**RETRY | {"status_forcelist": range(500, 600)}), Jittery(**RETRY | {"backoff_jitter": 0})],
        [(Retry(), "doesn't try 500"), (Retry(3), "doesn't try 500"), (Retry(total=10), "doesn't try 500"), (Retry(4, status_forcelist=[500, 503]), "waits for 0.0 seconds, not about 1"),
         (Retry(**RETRY | {"status_forcelist": [401, 500, 503]}), "a 401 again"), (Retry(**RETRY | {"status_forcelist": [429, 500, 503]}), "a 429 again"),
         (Retry(**RETRY | {"status_forcelist": [500]}), "doesn't try 503"), (Retry(**RETRY | {"status_forcelist": [404, 500, 503]}), "tries 404 again"),
         (Retry(**RETRY | {"status_forcelist": [200, 500, 503]}), "tries 200 again"), (Retry(**RETRY | {"total": 1000}), "tries 10 times again or more"), (Retry(**RETRY | {"total": 3}), "tries 3 times"),
         (Retry(**RETRY | {"total": 0}), "tries 0 times"), (Retry(**RETRY | {"total": None}, status=4), "if nobody answers"), (Retry(**RETRY, status=0), "tries 0 times"),
         (Retry(**RETRY, allowed_methods=None), "repeats a POST"), (Retry(**RETRY, allowed_methods=["PUT"]), "doesn't try 500"), (Retry(**RETRY, respect_retry_after_header=False), "before the 60 seconds"),
         (Retry(**RETRY | {"retry_after_max": 21_600}), "waits for 21600 seconds"), (Retry(**RETRY | {"retry_after_max": 6}), "before the 60 seconds"), (Retry(**RETRY | {"backoff_jitter": 0}), "Set `backoff_jitter`"),
         (Retry(**RETRY | {"backoff_factor": 5}), "not about 1"), (Retry(**RETRY | {"backoff_factor": 0.1}), "not about 1"), (Retry(**RETRY, backoff_max=1), "not about 2|Set `backoff_jitter`"),
         (4, "an int, not a Retry"), (Retry, "a type, not a Retry"), (..., "no answer yet")],
    ),
    "waits": (
        [lambda n, m: [min(m, 2**i + random.random()) for i in range(n)], lambda n, m: [min(2**i + random.uniform(0, 1), m) for i in range(n)], lambda n, m: tuple(backoff(i, m - 1) + random.random() for i in range(n)),
         lambda n, m: [random.uniform(min(m, 2**i), min(m, 2**i + 1)) for i in range(n)], lambda n, m: [[m, wait][wait < m] for wait in (2**i + random.random() for i in range(n))], doubled],
        [(lambda n, m: [backoff(i, m) for i in range(n)], "Add random"), (lambda n, m: [2**i + random.random() for i in range(n)], "longer than the longest"),
         (lambda n, m: [backoff(i, m) + random.random() for i in range(n)], "longer than the longest"), (lambda n, m: [min(m, i + 1 + random.random()) for i in range(n)], "not for 4"),
         (lambda n, m: [min(m, 2 * i + random.random()) for i in range(n)], "only 0.* not for 1"), (lambda n, m: [min(m, 2**i + random.random() / 9) for i in range(n)], "nearly the same time"),
         (lambda n, m: [random.uniform(0, backoff(i, m)) for i in range(n)], "only 0.* not for 1"), (lambda n, m: [min(m, 2 ** (i + 1) + random.random()) for i in range(n)], "the limit is 2"),
         (lambda n, m: [min(m, 2**i + 2 * random.random()) for i in range(n)], "the limit is 2"), (lambda n, m: [min(20, 2**i + random.random()) for i in range(n)], "longer than the longest"),
         (lambda n, m: [min(m, 2**i + random.random()) for i in range(7)], "list with one number"), (lambda n, m: [min(m, 2**i - random.random()) for i in range(n)], "not for 1"),
         (lambda n, m: random.uniform(0, m), "list with one number"), (lambda n, m: ["1", "2", "4"] + ["8"] * (n - 3), "list with one number"),
         (lambda n, m: [random.uniform(0, m) for i in range(n)], "the limit is 2|not for 1"), (lambda n, m: ..., "no answer yet")],
    ),
}  # fmt: skip


# What no answer may do. A check of a value says that a function is none.

outside = []


def hangs(*arguments):
    while True:
        with suppress(Exception):
            while True:
                pass


def prints_a_lot(*arguments):
    while True:
        print(*arguments)


def changes_a_global(*arguments):
    global BASE
    BASE = "https://example.com/v1"


def adds_to_a_global(*arguments):
    outside.append(arguments)


def raises(*arguments):
    raise ValueError(str(arguments))


def ends_the_program(*arguments):
    sys.exit(str(arguments))


BAD_MANNERS = {
    hangs: "without an end",
    prints_a_lot: "printed more than",
    changes_a_global: "changes `BASE`",
    adds_to_a_global: "changes `outside`",
    raises: "(stopped with|raises|ended in) ValueError",
    ends_the_program: "ends the whole program",
}
OF_VALUES = {"first_error", "generated", "header", "loaded", "winter_link", "busiest_country", "causes", "rotation_order"}
OF_VALUES |= {"leak_order", "revoked", "token_pattern", "policy"}


# How an answer gets to its check, where that takes more than the answer. A value may be written as a function of what the
# cell of the exercise has.


def of(answer, *place):
    return answer(*place) if callable(answer) and answer not in BAD_MANNERS else answer


def account(base_url, *names):
    page = SettingsPage(base_url)
    page.sign_up()
    for name in names:
        page.generate_token(name=name)
    return page


def judge_generated(answer, base_url):
    page = account(base_url)
    checks.generated(of(answer, page), page)


def judge_loaded(answer, base_url):
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {NAME: "the-old-one"}):
        env_file = Path(folder) / ".env"
        set_key(env_file, NAME, T)
        of(answer, env_file)
        checks.loaded(env_file)


def judge_winter_link(answer, base_url):
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {account(base_url).generate_token()}"
    checks.winter_link(of(answer, session, f"{base_url}/links"), session, base_url)


def judge_revoked(answer, base_url):
    page = account(base_url, "Server", "Report script")
    of(answer, page)
    checks.revoked(page)


JUDGES = {
    "first_error": lambda answer, _: checks.first_error(of(answer, REFUSED)),
    "generated": judge_generated,
    "header": lambda answer, _: checks.header(of(answer, T), T),
    "loaded": judge_loaded,
    "lists_links": lambda answer, url: checks.lists_links(answer if answer is ... else lambda token: answer(token, url), url),
    "winter_link": judge_winter_link,
    "all_slugs": lambda answer, url: checks.all_slugs(answer, url),
    "busiest_country": lambda answer, _: checks.busiest_country(of(answer, STATS), STATS),
    "rotate": lambda answer, url: checks.rotate(answer, url),
    "revoked": judge_revoked,
    "capstone": lambda answer, url: checks.capstone(type("Client", (NoClient,), {"call": answer, "__module__": __name__}), url),
}
REFUSED = checks.refusal(401, "MISSING_TOKEN", "Authorization header is required")


def judge(name, answer, base_url):
    """Hand an answer to a check. Raises NotYet, whose text holds no piece of a token."""
    try:
        JUDGES.get(name, lambda answer, _: getattr(checks, name)(answer))(answer, base_url)
    except checks.NotYet as problem:
        assert not re.search(r"lis_mock_\w", str(problem)) and not has_a_piece(str(problem), pieces(T))
        assert str(problem).endswith(".")
        raise


@pytest.fixture(scope="module")
def server():
    """A mock server in this process, as in a browser tab, to which a password is quick to check: hundreds of accounts."""
    base_url = "http://127.0.0.1:8787/v1"
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(passwords._SCRYPT, "n", 2)
        with without_sockets(base_url):
            yield SimpleNamespace(base_url=base_url, origin=base_url.removesuffix("/v1"))


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, (rights, _) in CHECKS.items() for answer in rights])
def test_a_check_accepts_what_is_right(server, capsys, name, answer):
    judge(name, answer, server.base_url)
    assert capsys.readouterr().out.splitlines()[-1].startswith("Right: ")


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(name, *wrong) for name, (_, wrongs) in CHECKS.items() for wrong in wrongs]
)
def test_a_check_says_what_is_wrong(server, name, answer, words):
    with pytest.raises(checks.NotYet, match=words):
        judge(name, answer, server.base_url)


def test_each_check_was_tried_with_six_right_answers_and_ten_wrong_ones():
    used = {name for path in SOLUTIONS for name in re.findall(r"checks\.(\w+)\(", path.read_text(encoding="utf-8"))}
    assert used == {*CHECKS, "capstone"}
    assert {name for name, (rights, wrongs) in CHECKS.items() if len(rights) < 6 or len(wrongs) < 10} == set()


@pytest.mark.parametrize("answer", BAD_MANNERS)
@pytest.mark.parametrize("name", [*CHECKS, "capstone"])
def test_an_answer_with_bad_manners_ends_in_a_sentence(server, monkeypatch, capsys, name, answer):
    monkeypatch.setattr(checks, "LIMIT", 0.1)
    with pytest.raises(checks.NotYet, match=None if name in OF_VALUES else BAD_MANNERS[answer]):
        judge(name, answer, server.base_url)
    assert "lis_mock_" not in capsys.readouterr().out
    assert (BASE, outside, sys.gettrace()) == ("https://api.linked.is/v1", [], None)


def test_urllib3_retries_as_the_lesson_says():
    first = Retry(backoff_factor=9, backoff_jitter=9).increment("GET", "/", response=HTTPResponse(status=503))
    assert first.get_backoff_time() == 0
    assert first.get_retry_after(HTTPResponse(headers={"Retry-After": "5"})) == 5
    assert first.get_retry_after(HTTPResponse(body=b'{"error": {"retryAfter": 5}}')) is None
    assert first.parse_retry_after("86400") == 6 * 60 * 60


# The capstone


_names = defined_in(SOLUTIONS[-1])
Solution, LinkedIsError, data_of = _names["LinkedIsClient"], _names["LinkedIsError"], _names["data_of"]
patiently = _names["request_patiently"]


class ByHand:
    """A right client that is written quite differently: no session, a loop of its own, a property for the code."""

    class Problem(RuntimeError):
        code = property(lambda self: self.args[0]["code"])
        message = property(lambda self: self.args[0]["message"])
        retry_after = property(lambda self: self.args[1])

    def __init__(self, token, base_url):
        self.headers, self.base_url = {"authorization": b"bearer " + token.encode()}, base_url

    def call(self, method, path, **options):
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError("A path begins with one slash.")
        for left in (2, 1, 0):
            answer = requests.request(method, self.base_url + path, headers=self.headers, timeout=(3, 20), **options)
            body, header = answer.json(), answer.headers.get("Retry-After", "")
            asked = body.get("error", {}).get("retryAfter") or (int(header) if header.isdigit() else None)
            if asked is None and header:
                asked = parsedate_to_datetime(header).timestamp() - time.time()
            if not left or answer.status_code not in (429, 503) or method == "POST" or (asked or 0) > 60:
                break
            sleep(asked + 2 * random.random() if asked else random.uniform(1, 2) * 2 ** (2 - left))
        if "error" in body:
            raise self.Problem(body["error"], asked)
        return body["data"]


class AsAnAdapter(Solution):
    """Another right one: what waits is the session's adapter."""

    class Patient(HTTPAdapter):
        def send(self, request, *arguments, **options):
            step = super().send
            prepared = SimpleNamespace(request=lambda method, url: step(request, *arguments, **options))
            return patiently(prepared, request.method, request.url)

    def __init__(self, token, base_url):
        super().__init__(token, base_url)
        self._session.mount(base_url, self.Patient())

    def call(self, method, path, **options):
        return data_of(self._session.request(method, self._base_url + path, **{"timeout": 10, **options}))


def waiting(send):
    """Return a client that sends by ``send(request, method)``; ``request`` takes nothing and returns the answer."""

    class OtherWaits(Solution):
        def call(self, method, path, **options):
            options = {"timeout": 10, **options}
            return data_of(send(lambda: self._session.request(method, self._base_url + path, **options), method))

    return OtherWaits


def loop(seconds, tries=4, retried=(429, 503), retries=lambda method, status: status == 429 or method != "POST"):
    """Return a client that waits for ``seconds(response, number)`` after each try, ``None``: no more."""

    def send(request, method):
        for number in range(tries):
            response = request()
            wait = seconds(response, number) if response.status_code in retried else None
            if wait is None or number == tries - 1 or not retries(method, response.status_code):
                return response
            sleep(wait)
        return None

    return waiting(send)


def asked(response, number, longest=60):
    """Return the wait of a right client."""
    seconds = max(1, _names["seconds_to_wait"](response, 2**number))
    return seconds + random.random() if seconds <= longest else None


def header_only(response, number):
    return int(response.headers.get("Retry-After", 2**number)) + random.random()


def no_date(response, number):
    return (response.json()["error"].get("retryAfter") or header_only(response, number)) + random.random()


def with_policy(**options):
    """Return a client that leaves waiting to urllib3."""
    policy = {"total": 4, "status_forcelist": [429, 503], "backoff_factor": 0.5, "raise_on_status": False, **options}

    class UrllibOnly(waiting(lambda request, method: request())):
        def __init__(self, token, base_url):
            super().__init__(token, base_url)
            self._session.mount(base_url, HTTPAdapter(max_retries=Retry(**policy)))

    return UrllibOnly


class NoTimeout(Solution):
    def call(self, method, path, **options):
        return super().call(method, path, timeout=None, **options)


class NoTimeoutForTheLastTry(Solution):
    def call(self, method, path, **options):
        numbers = count(1)

        def request(method, url):
            limits = {"timeout": 10} if next(numbers) < 4 else {}
            return self._session.request(method, url, **limits, **options)

        return data_of(patiently(SimpleNamespace(request=request), method, self._base_url + path))


class TimeoutForGetOnly(Solution):
    def call(self, method, path, **options):
        return super().call(method, path, timeout=10 if method == "GET" else None, **options)


class TokenForEverybody(Solution):
    def __init__(self, token, base_url):
        super().__init__(token, base_url)
        self._session.auth = None
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method, path, **options):
        address = urljoin(self._base_url, path) if "//" in path else self._base_url + path
        return data_of(self._session.request(method, address, timeout=10, **options))


class SwallowsErrors(Solution):
    def call(self, method, path, **options):
        try:
            return super().call(method, path, **options)
        except Exception:
            return None


class NoCode(Solution):
    def call(self, method, path, **options):
        response = self._session.request(method, self._base_url + path, timeout=10, **options)
        response.raise_for_status()
        return response.json()["data"]


class NoMessage(Solution):
    def call(self, method, path, **options):
        try:
            return super().call(method, path, **options)
        except LinkedIsError as error:
            error.message = "It failed"
            raise


class DropsTheWait(Solution):
    def call(self, method, path, **options):
        try:
            return super().call(method, path, **options)
        except LinkedIsError as error:
            raise LinkedIsError(error.code, error.message, None) from None


class WholeEnvelope(Solution):
    def call(self, method, path, **options):
        response = self._session.request(method, self._base_url + path, timeout=10, **options)
        data_of(response)
        return response.json()


class DropsOptions(Solution):
    def call(self, method, path, **options):
        return super().call(method, path)


class ShowsInRepr(Solution):
    def __init__(self, token, base_url):
        super().__init__(token, base_url)
        self.token = token

    def __repr__(self):
        return f"LinkedIsClient(token={self.token!r})"


class ShowsInTheException(ShowsInRepr):
    __repr__ = object.__repr__

    def call(self, method, path, **options):
        try:
            return super().call(method, path, **options)
        except LinkedIsError as error:
            raise LinkedIsError(error.code, f"{error.message} (token {self.token})", None) from None


class Prints(ShowsInTheException):
    def call(self, method, path, **options):
        print(f"{method} {path} with {self.token}")
        return Solution.call(self, method, path, **options)


class ShowsInTheAddress(ShowsInTheException):
    def call(self, method, path, **options):
        options["params"] = {**options.get("params", {}), "token": self.token}
        return Solution.call(self, method, path, **options)


class NoClient:
    def __init__(self, token, base_url):
        pass


BODY, HEADER = (f"waits as long as the {place} asks, and tries again" for place in ("body of a 429", "header of a 503"))
LONG = "raises instead of a long wait, and says when to come back"
WRONG_CLIENTS = [
    (NoTimeout, "gives every call a timeout", "hangs"),
    (NoTimeoutForTheLastTry, "gives every call a timeout", "hangs"),
    (TimeoutForGetOnly, "gives every call a timeout", "hangs"),
    (with_policy(status_forcelist=[401, 429, 503]), "never tries a 401 again", "sent a revoked token 5 times"),
    (loop(asked, retried=(401, 429, 503)), "never tries a 401 again", "sent a revoked token 4 times"),
    (TokenForEverybody, "sends the token to its own base URL only", "to another address"),
    (with_policy(), BODY, "in its body only, and it came back after 0"),
    (loop(header_only), BODY, "in its body only, and it came back after 1"),
    (loop(lambda response, number: 1), BODY, "asked for 2 seconds in its body only, and it came back after 1"),
    (loop(lambda response, number: 60), BODY, "asked for 2 seconds in its body only, and it waited for 60"),
    (loop(asked, tries=1), BODY, "ended in RATE"),
    (loop(asked, retried=(429,)), HEADER, "ended in SERVICE"),
    (loop(asked, retried=(503,)), BODY, "ended in RATE"),
    (loop(lambda response, number: body_seconds(response) or 1), HEADER, "in the header Retry-After, and it came back after 1"),
    (loop(header_only), "waits until a date, if the header has one", "ended in ValueError"),
    (loop(no_date), "waits until a date, if the header has one", "ended in ValueError"),
    (with_policy(), "waits longer each time if nobody says how long", "first retry came at once"),
    (loop(lambda response, number: asked(response, 0)), "waits longer each time if nobody says how long", "Wait longer"),
    (loop(lambda response, number: 2), "waits longer each time if nobody says how long", "waited for 2.0, then 2.0"),
    (with_policy(backoff_jitter=1), "adds jitter to each wait", "the same time each time"),
    (loop(lambda response, number: max(1, _names["seconds_to_wait"](response, 2**number))), "adds jitter to each wait", "random"),
    (loop(lambda response, number: asked(response, number, 1e9)), LONG, "asked for 61 seconds, and it waited for 18"),
    (loop(lambda response, number: min(60, asked(response, number, 1e9))), LONG, "it waited for 18"),
    (with_policy(retry_after_max=60), LONG, "asked for 61 seconds, and it waited for 7"),
    (DropsTheWait, LONG, "retry_after` of its exception must be 61"),
    (loop(asked, retries=lambda method, status: True), "never repeats a POST after a 503", "two links"),
    (with_policy(allowed_methods=None), "never repeats a POST after a 503", "two links"),
    (loop(asked, tries=1000), "gives up after a few tries", "tried 13 times"),
    (with_policy(total=1000), "gives up after a few tries", "tried 13 times"),
    (with_policy(raise_on_status=True), "gives up after a few tries", "raise_on_status=False"),
    (SwallowsErrors, "raises the API's code and message", "returned a NoneType"),
    (SwallowsErrors, "raises if nobody answers", "returned a NoneType"),
    (NoCode, "raises the API's code and message", "HTTPError without the API's code"),
    (NoMessage, "raises the API's code and message", "without the API's message"),
    (WholeEnvelope, "sends the token, and returns the data", "Open the envelope"),
    (DropsOptions, "makes, changes and deletes, as the contract has it", "INVALID_REQUEST"),
    (ShowsInRepr, "shows the token nowhere", r"repr\(client\)"),
    (ShowsInTheException, "shows the token nowhere", "exception of a 40"),
    (Prints, "shows the token nowhere", "what it prints"),
    (ShowsInTheAddress, "shows the token nowhere", "the address"),
    (NoClient, "sends the token, and returns the data", "AttributeError"),
]


@pytest.mark.parametrize(
    "client",
    [Solution, ByHand, *(pytest.param(client, marks=pytest.mark.long) for client in (AsAnAdapter, loop(asked)))],
    ids=lambda client: client.__name__,
)
def test_a_right_client_does_all_that_it_must(server, capsys, client):
    checks.capstone(client, server.base_url)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [*(f"✓ {sentence}" for sentence in checks.REQUIREMENTS), "Right: your client does all that it must."]


@pytest.mark.parametrize(("client", "sentence", "words"), WRONG_CLIENTS)
def test_a_wrong_client_is_told_what_is_wrong(server, client, sentence, words):
    problem = checks.attempt(sentence, client, server.base_url)
    assert problem and re.search(words, problem), problem
    assert "lis_mock_" not in problem


def test_each_requirement_rejects_a_client():
    assert {sentence for _, sentence, _ in WRONG_CLIENTS} == set(checks.REQUIREMENTS)


def test_the_capstone_prints_which_requirements_hold(server, capsys):
    held = len(checks.REQUIREMENTS) - 1
    with pytest.raises(checks.NotYet, match=f"{held} of {held + 1} hold. Begin with “gives every call a timeout”"):
        checks.capstone(NoTimeout, server.base_url)
    printed = capsys.readouterr().out.splitlines()
    assert [line[2:] for line in printed] == list(checks.REQUIREMENTS)
    assert [line for line in printed if line.startswith("✗")] == ["✗ gives every call a timeout"]


@pytest.mark.parametrize("answer", [None, ..., Solution.call, "LinkedIsClient"])
def test_the_capstone_wants_a_class(server, answer):
    with pytest.raises(checks.NotYet, match="the class itself|no answer yet"):
        checks.capstone(answer, server.base_url)
