"""The exercises: made from their solutions, and each check accepts what is right and says what is wrong."""

import importlib.util
import os
import random
import re
import time
from email.utils import parsedate_to_datetime
from itertools import count
from time import sleep
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import nbformat
import pytest
import requests
from dotenv import dotenv_values, load_dotenv, set_key
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse
from urllib3.util import Retry

from mock_server.settings_page import SettingsPage
from tests import test_contract
from tests.exercises import EXERCISES, FOLDER, MARK, SOLUTIONS, exercise, unsolved, without_outputs
from tests.running import NOTEBOOKS, learner_environment, run_notebook
from tests.test_notebooks import slices, witness  # noqa: F401, a fixture

_spec = importlib.util.spec_from_file_location("checks", FOLDER / "checks.py")
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)
T = checks.MADE_UP
BASE = "https://api.linked.is/v1"


# The notebooks


@pytest.mark.check
def test_there_is_one_for_each_chapter_and_a_capstone():
    assert [path.name for path in EXERCISES] == [*(path.name for path in NOTEBOOKS), "10-capstone.ipynb"]
    assert sorted(FOLDER.glob("*.ipynb")) == sorted([*SOLUTIONS, *EXERCISES])


@pytest.mark.check
@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.name)
def test_an_exercise_is_what_its_solution_makes(solution):
    path = EXERCISES[SOLUTIONS.index(solution)]
    message = "Run `python -m tests.exercises`, and change solutions only."
    assert without_outputs(nbformat.read(path, as_version=4)) == exercise(solution), message


def faults(notebook):
    """Return what keeps an exercise from being one."""
    found, exercises, code = [], 0, [cell for cell in notebook.cells if cell.cell_type == "code"]
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
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("it was not executed from top to bottom")
    if "settings_page = SettingsPage(BASE_URL)" not in code[0].source:
        found.append("it does not begin with the setup cell")
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
def test_a_solution_was_executed_and_is_short(path):
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert len(cell.source.splitlines()) <= 15, cell.id
        assert not cell.id.startswith("check-") or "Right: " in cell.outputs[0].text, cell.id


def test_marks_that_do_not_fit_together_are_refused():
    assert unsolved("a = 1  # instead of: a = ...") == f"a = ...  {MARK}"
    assert unsolved("if x:\n    # solution\n    y\n    z\n    # instead of: ...\nend") == f"if x:\n    ...  {MARK}\nend"
    for wrong in ("# solution\na", "a\n# instead of: ..."):
        with pytest.raises(ValueError, match="# (solution|instead of)"):
            unsolved(wrong)


@pytest.mark.long
@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.name)
def test_as_given_every_check_ends_in_a_sentence_and_no_token_gets_out(witness, path):  # noqa: F811
    base_url, minted, _, _ = witness
    notebook = run_notebook(path, learner_environment(base_url))
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        assert bool(errors) == cell.id.startswith("check-"), cell.id
        for error in errors:
            (sentence,) = error.traceback
            assert error.ename == "NotYet" and re.fullmatch(r"Not yet: .+\.", sentence), f"{cell.id}: {sentence}"
    solved = run_notebook(SOLUTIONS[EXERCISES.index(path)], learner_environment(base_url))
    pieces = set().union(*map(slices, minted))
    for text in (nbformat.writes(notebook), nbformat.writes(solved)):
        assert not any(piece in text for piece in pieces)
    assert minted or path.name[:2] in ("01", "06", "09")


def test_with_the_server_down_an_exercise_names_the_next_step():
    with pytest.raises(Exception, match="Start the mock server in a terminal"):
        run_notebook(EXERCISES[3], learner_environment("http://127.0.0.1:9/v1"))


# The checks: for each, answers that are right, and answers that are wrong with words of what the learner is told


def stops(exception):
    raise exception


def strip_characters(pasted):
    return "Bearer " + pasted.strip().lstrip("Bearer ")  # takes characters, not a word


def prints_only(token):
    print(len(token))


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


def first_page_for_ever(session, address):
    found = []
    while True:
        found += session.get(address, timeout=10).json()["data"]


def raises_code(response):
    if response.status_code >= 400:
        raise LookupError(f"failed: {response.json()['error']['code']}")
    return response.json().get("data")


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


def get(token, base_url="", **options):
    return requests.get(f"{base_url}/links", **{"headers": {"Authorization": f"Bearer {token}"}, "timeout": 10, **options})


def get_by_session(token, base_url):
    session = requests.Session()
    session.headers["authorization"] = f"bearer {token}"
    return session.get(f"{base_url}/links", timeout=(3, 10))


def reload_right(session, env_file):
    session.headers["Authorization"] = f"Bearer {dotenv_values(env_file)['LINKED_IS_API_TOKEN']}"


def reload_override(session, env_file):
    load_dotenv(env_file, override=True)
    session.headers.update({"authorization": "Bearer " + os.environ["LINKED_IS_API_TOKEN"]})


def reload_without_override(session, env_file):
    load_dotenv(env_file)
    session.headers["Authorization"] = f"Bearer {os.environ['LINKED_IS_API_TOKEN']}"


def reload_alone(session, env_file):
    session.headers["Authorization"] = dotenv_values(env_file)["LINKED_IS_API_TOKEN"]


def reload_another_session(session, env_file):
    session = requests.Session()
    reload_right(session, env_file)
    return session


def rotation(steps):
    """Return a rotation that takes the steps in this order: generate, write, reload, revoke, and wrong ones."""

    def rotate(page, env_file, reload):
        token = None
        for step in steps.split():
            if step == "generate":
                token = page.generate_token(name="Newest")
            elif step == "write":
                set_key(env_file, "LINKED_IS_API_TOKEN", token)
            elif step == "reload":
                reload()
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


CODES = ("MISSING_TOKEN", "INVALID_TOKEN", "TOKEN_EXPIRED", "INVALID_TOKEN")


def causes(*codes):
    return dict(zip(checks.CAUSES, codes, strict=True))


def code_of(response):
    return response.json().get("error", {}).get("code")


STATS = {
    "countries": [{"country": "Spain", "clicks": 9}, {"country": "Austria", "clicks": 2}, {"country": "Sweden", "clicks": 5}]
}
RETRY = {"total": 4, "status_forcelist": [500, 503], "backoff_factor": 0.5, "backoff_jitter": 0.5, "retry_after_max": 60}


class Jittery(Retry):
    """A policy with jitter of its own, before the first try too."""

    def get_backoff_time(self):
        return max(1, super().get_backoff_time()) + random.random() / 2


CHECKS = {
    "new_enough": (
        [lambda v: v >= (3, 11), lambda v: not v < (3, 11), lambda v: (v[0], v[1]) >= (3, 11), lambda v: v[0] > 3 or (v[:1] == (3,) and v[1] >= 11)],
        [(lambda v: v > (3, 11), "leaves out the version itself"), (lambda v: v[1] >= 11, "refuses Python 4.0"),
         (lambda v: ".".join(map(str, v)) >= "3.11", "3.9 comes after 3.11"), (lambda v: v[0] >= 3, "lets 3.9"),
         (lambda v: v >= 3.11, "TypeError.* compare it with a tuple"), (True, "the function itself"), (lambda v: ..., "no answer yet")],
    ),
    "first_error": (
        ["MISSING_TOKEN", "MISSING_" + "TOKEN"],
        [(401, "is the status"), ("401", "is the status"), ("Authorization header is required", "message, which is for people"),
         ({"code": "MISSING_TOKEN"}, "one step further"), ("INVALID_TOKEN", "isn't the code"), (requests.Response(), "whole answer"), (..., "no answer yet")],
    ),
    "header": (
        [{"Authorization": f"Bearer {T}"}, {"authorization": f"bearer {T}"}, {"Authorization": f"Bearer {T}".encode(), "Accept": "*/*"},
         requests.structures.CaseInsensitiveDict(Authorization="Bearer " + T)],
        [({"Authorization": f"Bearer Bearer {T}"}, "the header reads `Bearer Bearer …`: the prefix is already in .env"),
         ({"Authorization": T}, "holds the token alone"), ({"Authorisation": f"Bearer {T}"}, "no header named Authorization"),
         ({"Authorization:": f"Bearer {T}"}, "no colon"), ({"Authorization": f"Bearer{T}"}, "something else than a space"),
         ({"Authorization": f"Bearer: {T}"}, "something else than a space"), ({"Authorization": f"Token {T}"}, "doesn't begin with the word Bearer"),
         ({"Authorization": f"Bearer '{T}'"}, "something else than the token"), ({"Authorization": "Bearer {token}"}, "Put an f before"),
         ({"Authorization": f"Bearer {T}\n"}, "white space"), (f"Authorization: Bearer {T}", "no dictionary"), ({"Authorization": None}, "no text"), (..., "no answer yet")],
    ),
    "describe": (
        [lambda t: f"{t[:9]}… {len(t)}", lambda t: f"lis_mock_ ({len(t)} characters)", lambda t: "length=%d prefix=lis_mock_" % len(t)],
        [(lambda t: t, "whole token"), (lambda t: f"{t[:12]}… {len(t)}", "piece of the secret"), (lambda t: f"{t[:10]}… {len(t)}", "first character"),
         (lambda t: f"lis_mock_…{t[-4:]} {len(t)}", "piece of the secret"), (lambda t: "lis_mock_ 45", "leaves out the length"),
         (lambda t: f"{len(t)} characters", "leaves out the prefix"), (prints_only, "returns nothing"), (lambda t: ..., "no answer yet")],
    ),
    "env_line": (
        [lambda t: f"LINKED_IS_API_TOKEN={t}", lambda t: f'export LINKED_IS_API_TOKEN="{t}"\n', lambda t: f"LINKED_IS_API_TOKEN='{t}'  # mine"],
        [(lambda t: f"LINKED_IS_API_TOKEN=Bearer {t}", "Keep the token alone"), (lambda t: f"API_TOKEN={t}", "another name"),
         (lambda t: f"LINKED_IS_API_TOKEN: {t}", "no value"), (lambda t: f"LINKED_IS_API_TOKEN=“{t}”", "curly"), (lambda t: t, "no value"),
         (lambda t: "LINKED_IS_API_TOKEN={token}", "Put an f before"), (lambda t: f"LINKED_IS_API_TOKEN={t}.", "another value"), (lambda t: None, "no text")],
    ),
    "authorization": (
        [lambda p: "Bearer " + p.strip().removeprefix("Bearer "), lambda p: f"Bearer {p.split()[-1]}",
         lambda p: "Bearer " + re.sub(r"^\s*Bearer\s+", "", p).strip(), lambda p: p.strip() if p.strip().startswith("Bearer ") else f"Bearer {p.strip()}"],
        [(lambda p: f"Bearer {p}", "white space|something else than the token"), (lambda p: f"Bearer {p.strip()}", "the header reads `Bearer Bearer …`: the prefix is already in .env"),
         (lambda p: p.strip(), "holds the token alone"), (strip_characters, "strip takes characters away"),
         (lambda p: "Bearer " + p.strip("Bearer \n"), "strip takes characters away"),
         (lambda p: "Bearer " + p.removeprefix("Bearer "), "white space|something else than the token"), (lambda p: "Bearer{p}", "Put an f before"), (lambda p: None, "no text")],
    ),
    "lists_links": (
        [get, get_by_session],
        [(lambda t, b: get(t, b, timeout=None), "no timeout"), (lambda t, b: get(t, b, headers={}), "no header named Authorization"),
         (lambda t, b: get(t, b, headers={"Authorization": t}), "holds the token alone"), (lambda t, b: get(t, b, params={"token": t}, headers={}), "addresses end up in logs"),
         (lambda t, b: get(f"Bearer {t}", b), "Bearer Bearer"), (lambda t, b: get(t, b).json()["data"], "something else than the answer"), (lambda t, b: get(t, b + "/v1"), "status 404"),
         (lambda t, b: "200 OK", "calls nobody"), (lambda t, b: requests.get(BASE.replace("https", "none"), timeout=1), "stopped with InvalidSchema")],
    ),
    "data_of": (
        [raises_code, lambda r: r.json()["data"] if r.json()["success"] else stops(RuntimeError(r.text)), lambda r: r.json()["data"] if r.ok else stops(ValueError(r.json()["error"]))],
        [(lambda r: r.json()["data"], "KeyError, which tells nobody"), (lambda r: r.json().get("data"), "raises nothing"), (raises_status, "lacks the code"),
         (lambda r: r.json(), "whole envelope"), (only_200, "stopped with RuntimeError"), (truthy_data, "stopped with RuntimeError"), (lambda r: None, "something else"), (lambda r: ..., "no answer yet")],
    ),
    "may_have_token": (
        [lambda u, b: u.startswith(b + "/"), same_place, lambda u, b: re.match(re.escape(b) + "/", u)],
        [(lambda u, b: True, "somebody else's"), (lambda u, b: b in u, "only stands in the query"), (lambda u, b: u.startswith(b), "End the base URL with a slash"),
         (lambda u, b: u.startswith("https://api.linked.is"), "only begins like"), (lambda u, b: urlsplit(u).hostname == urlsplit(b).hostname, "not encrypted"),
         (lambda u, b: u == b + "/links", "which belongs to the API"), (lambda u, b: False, "which belongs to the API")],
    ),
    "all_slugs": (
        [lambda s, a: [link["slug"] for page in pages(s, a) for link in page], slugs_by_cursor, lambda s, a: {link["slug"] for page in pages(s, a) for link in page}],
        [(lambda s, a: [link["slug"] for link in s.get(a, timeout=10).json()["data"]], "first page only"), (first_page_for_ever, "without end"),
         (lambda s, a: [link["slug"] for link in s.get(a, params={"limit": 100}, timeout=10).json()["data"]], "first page only"),
         (lambda s, a: [link["slug"] for link in list(pages(s, a))[-1]], "last page only"), (lambda s, a: [link for page in pages(s, a) for link in page], "list of slugs"),
         (lambda s, a: 2 * [link["slug"] for page in pages(s, a) for link in page], "twice"), (lambda s, a: [link["slug"] for page in list(pages(s, a))[:-1] for link in page], "4 of 5"),
         (lambda s, a: None, "list of slugs")],
    ),
    "busiest_country": (
        ["Spain", max(STATS["countries"], key=lambda entry: entry["clicks"])["country"]],
        [(max(entry["country"] for entry in STATS["countries"]), "by the alphabet"), (9, "number of clicks"), (STATS["countries"][0], "whole entry"),
         ("Austria", "another country has more"), ("countries", "name of a field"), ("spain", "no such country"), (..., "no answer yet")],
    ),
    "causes": (
        [causes(*CODES), dict(reversed(list(causes(*CODES).items())))],
        [(causes("MISSING_TOKEN", "TOKEN_EXPIRED", "TOKEN_EXPIRED", "INVALID_TOKEN"), "revoked.*outlived its lifetime"), (causes("INVALID_TOKEN", *CODES[1:]), "was not sent.*something came"),
         (causes("MISSING_TOKEN", "TOKEN_REVOKED", *CODES[2:]), "has no code of its own"), (causes(401, *CODES[1:]), "status of all"),
         (causes("MISSING_TOKEN", "MISSING_TOKEN", *CODES[2:]), "no token came at all"), (list(CODES), "keep the dictionary"), (causes(..., *CODES[1:]), "no answer yet")],
    ),
    "worth_retrying": (
        [lambda s: s in (429, 503), lambda s: s == 429 or s >= 500, lambda s: s in {408, 429, 500, 502, 503, 504}],
        [(lambda s: s != 200, "a 401 again"), (lambda s: s >= 400, "a 401 again"), (lambda s: s in (401, 429, 503), "a 401 again"), (lambda s: s >= 402, "tries 403 again"),
         (lambda s: s == 429, "gives up at 503"), (lambda s: s >= 500, "gives up at 429"), (lambda s: s != 401, "tries 200 again"), (lambda s: False, "gives up at 429")],
    ),
    "expired": (
        [lambda r: code_of(r) == "TOKEN_EXPIRED", lambda r: not r.ok and r.json()["error"]["code"] == "TOKEN_EXPIRED", lambda r: "TOKEN_EXPIRED" in r.text],
        [(lambda r: r.status_code == 401, "takes INVALID_TOKEN"), (lambda r: "expired" in r.text, "other words"), (lambda r: r.json()["error"]["code"] == "TOKEN_EXPIRED", "stopped with KeyError"),
         (lambda r: not r.ok, "takes INVALID_TOKEN"), (lambda r: code_of(r) != "INVALID_TOKEN", "takes a good answer"), (lambda r: code_of(r) in CODES[:3:2], "another error"), (lambda r: ..., "no answer yet")],
    ),
    "rotation_order": (
        ["CADB", "c a d b", ["C", "A", "D", "B"], "C, A, D, B"],
        [("BCAD", "you revoke first"), ("ACDB", "isn't there yet"), ("CBAD", "while programs still use it"), ("CABD", "Then it's too late"), ("CDAB", "before anybody has the new one"),
         ("CAB", "each of the letters"), (..., "no answer yet")],
    ),
    "reload": (
        [reload_right, reload_override, lambda s, f: s.headers.update(Authorization="Bearer " + dotenv_values(f)["LINKED_IS_API_TOKEN"])],
        [(reload_without_override, "still sends the old token"), (reload_alone, "holds the token alone"), (reload_another_session, "keeps its session"),
         (lambda s, f: None, "no header Authorization"), (lambda s, f: s.headers.update(Authorization=f"Bearer {dotenv_values(f)}"), "f before|something else|old token"), (lambda s, f: ..., "no answer yet")],
    ),
    "rotate": (
        [rotation("generate write reload revoke"), rotation("generate write reload reload revoke")],
        [(rotation("revoke generate write reload"), "a call failed in between"), (rotation("generate write revoke reload"), "a call failed in between"), (rotation("generate reload write revoke"), "took the old token again"),
         (rotation("generate reload revoke"), "file still holds"), (rotation("generate write revoke"), "call reload"), (rotation("generate write reload"), "still active"),
         (rotation("reload"), "no new token"), (rotation("generate write reload revoke revoke-new"), "no active token left"), (rotation("generate write reload revoke revoke"), "the page says"), (lambda p, f, r: ..., "no answer yet")],
    ),
    "leak_order": (
        ["DBAC", "d, b, a, c", list("DBAC")],
        [("CDBA", "clean the history first"), ("BDAC", "as in a rotation"), ("ADBC", "you look first"), ("DCBA", "clean up last"), ("D", "each of the letters"), (..., "no answer yet")],
    ),
    "token_pattern": (
        [r"lis_mock_[0-9A-Za-z]{36}", re.compile(r"\blis_mock_[a-zA-Z\d]{36}\b"), r"lis_mock_\w{36}"],
        [(r"lis_mock_", "cries wolf"), (r"lis_mock_.{36}", "a sentence behind it"), (r"^lis_mock_\w{36}$", "stands alone"), (r"[0-9A-Za-z_]{45}", "any long word"), (r"lis_mock_[a-z]{36}", "doesn't find"),
         (r"lis_mock_\w+", "too short"), (r"lis_mock_[0-9A-Za-z]{45}", "doesn't find"), (r"lis_mock_[", "no regular expression"), (..., "no answer yet")],
    ),
    "seconds_to_wait": (
        [body_then_header, lambda r: body_seconds(r) or int(r.headers.get("Retry-After", 0)), lambda r: float(body_seconds(r) or r.headers.get("retry-after") or 0),
         lambda r: r.json()["error"]["retryAfter"] if r.status_code == 429 else int(r.headers.get("Retry-After", "0")), lambda r: body_seconds(r) if "retryAfter" in r.text else int({**r.headers}.get("Retry-After", 0)),
         lambda r: next(int(asked) for asked in (body_seconds(r) or None, r.headers.get("Retry-After"), 0) if asked is not None)],
        [(lambda r: int(r.headers.get("X-RateLimit-Reset", 0)), "is a time"), (lambda r: body_seconds(r) or r.headers.get("Retry-After", 0), "a text"), (lambda r: int(r.headers["Retry-After"]), "stopped with KeyError"),
         (lambda r: int(r.headers.get("Retry-After", 0)), "in its body only"), (body_seconds, "in the header Retry-After only"), (lambda r: int(r.headers.get("Retry-After", 0)) or body_seconds(r), "Read the body first"),
         (lambda r: max(int(r.headers.get("Retry-After", 0)), body_seconds(r)) if r.status_code == 503 else 7, "asks for 40 seconds in its body only"), (lambda r: r.json()["error"]["retryAfter"], "stopped with KeyError"),
         (lambda r: 60, "another header"), (lambda r: 0, "asks for 40 seconds"), (lambda r: body_seconds(r) or int(r.headers.get("Retry-After", 1)), "Return 0"), (lambda r: True, "something else"), (lambda r: None, "something else"), (lambda r: ..., "no answer yet")],
    ),
    "policy": (
        [Retry(**RETRY), Retry(4, status_forcelist={500, 502, 503, 504}, backoff_factor=0.5, backoff_jitter=1, retry_after_max=60), HTTPAdapter(max_retries=Retry(**RETRY)), Retry(**RETRY, raise_on_status=False),
         Retry(**RETRY, allowed_methods=["GET"]), Retry(**RETRY, backoff_max=10, connect=2), Retry(**RETRY | {"status_forcelist": range(500, 600)}), Jittery(**RETRY | {"backoff_jitter": 0})],
        [(Retry(), "doesn't try 500"), (Retry(3), "doesn't try 500"), (Retry(total=10), "doesn't try 500"), (Retry(4, status_forcelist=[500, 503]), "waits for 0.0 seconds, not about 1"),
         (Retry(**RETRY | {"status_forcelist": [401, 500, 503]}), "a 401 again"), (Retry(**RETRY | {"status_forcelist": [429, 500, 503]}), "a 429 again"), (Retry(**RETRY | {"status_forcelist": [500]}), "doesn't try 503"),
         (Retry(**RETRY | {"status_forcelist": [404, 500, 503]}), "tries 404 again"), (Retry(**RETRY | {"status_forcelist": [200, 500, 503]}), "tries 200 again"), (Retry(**RETRY | {"total": 1000}), "tries 10 times again or more"),
         (Retry(**RETRY | {"total": 3}), "tries 3 times"), (Retry(**RETRY | {"total": 0}), "tries 0 times"), (Retry(**RETRY | {"total": None}, status=4), "if nobody answers"), (Retry(**RETRY, status=0), "tries 0 times"),
         (Retry(**RETRY, allowed_methods=None), "repeats a POST"), (Retry(**RETRY, allowed_methods=["PUT"]), "doesn't try 500"), (Retry(**RETRY, respect_retry_after_header=False), "before the 60 seconds"),
         (Retry(**RETRY | {"retry_after_max": 21_600}), "waits for 21600 seconds"), (Retry(**RETRY | {"retry_after_max": 6}), "before the 60 seconds"), (Retry(**RETRY | {"backoff_jitter": 0}), "Set `backoff_jitter`"), (Retry(**RETRY | {"backoff_factor": 5}), "not about 1"),
         (Retry(**RETRY | {"backoff_factor": 0.1}), "not about 1"), (Retry(**RETRY, backoff_max=1), "not about 2|Set `backoff_jitter`"), (4, "no Retry"), (Retry, "no Retry"), (..., "no answer yet")],
    ),
    "waits": (
        [lambda n, m: [min(m, 2**i + random.random()) for i in range(n)], lambda n, m: [min(2**i + random.uniform(0, 1), m) for i in range(n)], lambda n, m: tuple(backoff(i, m - 1) + random.random() for i in range(n)),
         lambda n, m: [random.uniform(min(m, 2**i), min(m, 2**i + 1)) for i in range(n)], lambda n, m: [[m, wait][wait < m] for wait in (2**i + random.random() for i in range(n))], doubled],
        [(lambda n, m: [backoff(i, m) for i in range(n)], "Add random"), (lambda n, m: [2**i + random.random() for i in range(n)], "longer than the longest"), (lambda n, m: [backoff(i, m) + random.random() for i in range(n)], "longer than the longest"),
         (lambda n, m: [min(m, i + 1 + random.random()) for i in range(n)], "not for 4"), (lambda n, m: [min(m, 2 * i + random.random()) for i in range(n)], "only 0.* not for 1"), (lambda n, m: [min(m, 2**i + random.random() / 9) for i in range(n)], "nearly the same time"),
         (lambda n, m: [random.uniform(0, backoff(i, m)) for i in range(n)], "only 0.* not for 1"), (lambda n, m: [min(m, 2 ** (i + 1) + random.random()) for i in range(n)], "the limit is 2"), (lambda n, m: [min(m, 2**i + 2 * random.random()) for i in range(n)], "the limit is 2"),
         (lambda n, m: [min(20, 2**i + random.random()) for i in range(n)], "longer than the longest"), (lambda n, m: [min(m, 2**i + random.random()) for i in range(7)], "list with one number"), (lambda n, m: [min(m, 2**i - random.random()) for i in range(n)], "not for 1"),
         (lambda n, m: random.uniform(0, m), "list with one number"), (lambda n, m: ["1", "2", "4"] + ["8"] * (n - 3), "list with one number"), (lambda n, m: [random.uniform(0, m) for i in range(n)], "the limit is 2|not for 1"), (lambda n, m: ..., "no answer yet")],
    ),
}  # fmt: skip


@pytest.fixture
def grade(server, capsys):
    """Hand an answer to a check. Return what it prints; raise NotYet. Neither holds a token."""

    def grade(name, answer):
        if name == "lists_links" and callable(answer):
            there, there_answer = server.base_url, answer
            answer = lambda token: there_answer(token, there)  # noqa: E731
        more = {
            "header": [T],
            "busiest_country": [STATS],
            "lists_links": [server.base_url],
            "all_slugs": [server.base_url],
            "rotate": [server.base_url],
        }
        try:
            getattr(checks, name)(answer, *more.get(name, []))
        except checks.NotYet as problem:
            assert not re.search(r"lis_mock_\w", str(problem)) and T[9:15] not in str(problem)
            raise
        return capsys.readouterr().out

    return grade


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, (rights, _) in CHECKS.items() for answer in rights])
def test_a_check_accepts_what_is_right(grade, name, answer):
    assert grade(name, answer).splitlines()[-1].startswith("Right: ")


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(name, *wrong) for name, (_, wrongs) in CHECKS.items() for wrong in wrongs]
)
def test_a_check_says_what_is_wrong(grade, name, answer, words):
    with pytest.raises(checks.NotYet, match=words):
        grade(name, answer)


def test_urllib3_retries_as_the_lesson_says():
    first = Retry(backoff_factor=9, backoff_jitter=9).increment("GET", "/", response=HTTPResponse(status=503))
    assert first.get_backoff_time() == 0
    assert first.get_retry_after(HTTPResponse(headers={"Retry-After": "5"})) == 5
    assert first.get_retry_after(HTTPResponse(body=b'{"error": {"retryAfter": 5}}')) is None
    assert first.parse_retry_after("86400") == 6 * 60 * 60


def token_generated(name="Exercise", lifetime="30 days"):
    return lambda page: page.generate_token(name=name, lifetime=lifetime)


def generate_and_revoke(page):
    token = page.generate_token(name="Exercise", lifetime="30 days")
    page.revoke("Exercise")
    return token


def keep_another(page):
    page.generate_token(name="Exercise", lifetime="30 days")
    return page.generate_token(name="Other", lifetime="30 days")


def generate_again(page):
    generate_and_revoke(page)
    return page.generate_token(name="Exercise", lifetime="30 days")


@pytest.mark.parametrize(("answer", "words"), [
    (token_generated(), None), (generate_again, None),
    (token_generated(name="exercise"), "no token named Exercise"), (token_generated(lifetime="never"), "never expires"), (token_generated(lifetime="90 days"), "doesn't live for 30 days"),
    (generate_and_revoke, "is revoked"), (keep_another, "another token than the one named"), (lambda page: token_generated()(page)[:-1], "refuses what is in"),
    (lambda page: f"“{token_generated()(page)}”", "refuses what is in"), (lambda page: page.tokens(), "holds no token"), (lambda page: ..., "no answer yet"),
])  # fmt: skip
def test_the_check_of_a_generated_token(page, capsys, answer, words):
    hold(lambda: checks.generated(answer(page), page), words, capsys)


def hold(check, words, capsys):
    """Let a check accept, or say these words."""
    if words is None:
        check()
        assert capsys.readouterr().out.startswith("Right: ")
    else:
        with pytest.raises(checks.NotYet, match=words) as problem:
            check()
        assert not re.search(r"lis_mock_\w", str(problem.value))


@pytest.mark.parametrize(("answer", "words"), [
    (lambda file: load_dotenv(file, override=True), None), (lambda file: os.environ.update(dotenv_values(file)), None),
    (lambda file: (os.environ.pop("LINKED_IS_API_TOKEN"), load_dotenv(file)), None),
    (load_dotenv, "unless you tell it to override"), (lambda file: os.environ.pop("LINKED_IS_API_TOKEN"), "no token in the environment"),
    (lambda file: os.environ.update(LINKED_IS_API_TOKEN=f"Bearer {T}"), "word Bearer"), (lambda file: os.environ.update(LINKED_IS_API_TOKEN=str(file)), "another token than the file"),
])  # fmt: skip
def test_the_check_of_a_loaded_token(tmp_path, monkeypatch, capsys, answer, words):
    monkeypatch.setenv("LINKED_IS_API_TOKEN", "the-old-one")
    set_key(tmp_path / ".env", "LINKED_IS_API_TOKEN", T)
    answer(tmp_path / ".env")
    hold(lambda: checks.loaded(tmp_path / ".env"), words, capsys)


WINTER = {"url": "https://example.com/winter", "title": "Winter menu"}


@pytest.mark.parametrize(("answer", "words"), [
    (lambda s, a: s.post(a, json=WINTER).json()["data"], None), (lambda s, a: s.post(a, json={**WINTER, "clickLimit": 5}).json(), None), (lambda s, a: s.post(a, json=WINTER), None),
    (lambda s, a: s.post(a, data=WINTER).json(), "Content-Type"), (lambda s, a: s.get(a, params=WINTER | {}).json(), "INVALID_REQUEST|list of links"), (lambda s, a: s.get(a).json()["data"], "POST makes a new one"),
    (lambda s, a: s.post(a, json={"url": WINTER["url"]}).json()["data"], "another title"), (lambda s, a: s.post(a, json=WINTER | {"url": "https://example.com"}).json()["data"], "another address"),
    (lambda s, a: {"id": "clx0000000000", **WINTER}, "knows no link"), (lambda s, a: WINTER, "holds no link"), (lambda s, a: ..., "no answer yet"),
])  # fmt: skip
def test_the_check_of_a_made_link(server, page, capsys, answer, words):
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {page.generate_token()}"
    hold(lambda: checks.winter_link(answer(session, f"{server.base_url}/links"), session, server.base_url), words, capsys)


@pytest.mark.parametrize(("names", "words"), [
    (["Report script"], None), ([], "still active"), (["Server"], "did not leak"), (["Report script", "Server"], "did not leak"),
])  # fmt: skip
def test_the_check_of_a_revoked_token(page, capsys, names, words):
    for name in ("Server", "Report script"):
        page.generate_token(name=name)
    for name in names:
        page.revoke(name)
    hold(lambda: checks.revoked(page), words, capsys)


def test_each_check_was_tried_with_right_answers_and_three_wrong_ones():
    used = {name for path in SOLUTIONS for name in re.findall(r"checks\.(\w+)\(", path.read_text(encoding="utf-8"))}
    assert used == {*CHECKS, "generated", "loaded", "winter_link", "revoked", "capstone"}
    assert {name for name, (rights, wrongs) in CHECKS.items() if len(rights) < 2 or len(wrongs) < 3} == set()


# The capstone


def solution_of_the_capstone():
    """Return what the cells of the solution define."""
    names = {}
    for cell in nbformat.read(SOLUTIONS[-1], as_version=4).cells:
        if cell.cell_type == "code" and cell.id not in ("setup", "check-capstone"):
            exec(cell.source.replace("import checks\n", ""), names)
    return names


_names = solution_of_the_capstone()
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
    (SwallowsErrors, "raises the API's code and message", "returned NoneType instead of raising"),
    (SwallowsErrors, "raises if nobody answers", "returned NoneType instead of raising"),
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


class ThroughTheClient:
    """The table of facts asks for data; the client fetches it."""

    def __init__(self, server, client):
        page = SettingsPage(server.base_url)
        page.sign_up()
        page.change_plan("Business")
        token = page.generate_token()
        self.base_url, self.headers = server.base_url, {"Authorization": f"Bearer {token}"}
        time = {"set": "2027-01-15T08:00:00Z"}  # the time at which the facts were written down
        requests.post(f"{server.origin}/_mock/clock", json=time, headers=self.headers, timeout=10).raise_for_status()
        self.client = client(token, server.base_url)

    def __call__(self, method, path, body=None, **options):
        options = {"headers": self.headers, "allow_redirects": False, **options, **({} if body is None else {"json": body})}
        answer = requests.request(method, urljoin(self.base_url, path), timeout=10, **options)
        answer.is_success = answer.ok
        return answer

    def data(self, method, path, body=None):
        options = {} if body is None else {"json": body}
        return self.client.call(method, path.removeprefix("/v1"), **options)


# Those that need the application itself, or a control that is not below the base URL.
FACTS = [
    sentence
    for sentence, (_, _, prove) in test_contract.FACTS.items()
    if "data" in prove.__code__.co_names + prove.__code__.co_varnames and not {"bench", "client"} & set(prove.__code__.co_names)
    and "/_mock/" not in str(prove.__code__.co_consts)
]  # fmt: skip


@pytest.mark.parametrize("sentence", FACTS)
def test_the_facts_of_the_contract_hold_through_the_client(server, sentence):
    test_contract.FACTS[sentence][2](ThroughTheClient(server, Solution))


def test_most_facts_are_proved_through_the_client():
    assert len(FACTS) >= 15
