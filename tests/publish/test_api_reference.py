"""The API reference says what the contract says, and its samples do what it says, in all three languages."""

import ast
import contextlib
import io
import json
import os
import re
import subprocess
from types import SimpleNamespace

import pytest
import requests

from mock_server import contract as served
from mock_server.__main__ import parser
from mock_server.clock import Clock, parse_iso
from mock_server.database import Database
from mock_server.envelope import ApiError
from mock_server.store import Store
from publish import api_reference, recorded_answers, reference
from publish.operations import operations, resolved
from publish.three_languages import curl, javascript, python
from tests.publish.test_samples import calls_of
from tools import hold_against_contract as contract
from tools.debian import need
from tools.leaks import assert_without
from tools.running import PATIENCE, ROOT, MockServer, learner_environment

PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
OPERATIONS = {operation.anchor: operation for operation in operations()}
RECORDED = recorded_answers.recorded()
LANGUAGES = {"Python": python, "curl": curl, "JavaScript": javascript}


def written(path):
    """Return a page as the build writes it."""
    text = path.read_text(encoding="utf-8")
    for write in (reference.write_tables, api_reference.write_operations):
        text = write(text, SimpleNamespace(file=SimpleNamespace(src_uri=path.name)), None, None)
    return text


def whole_reference():
    return "\n".join(map(written, PAGES))


@pytest.fixture(scope="module")
def text():
    """All pages of the reference, as the build writes them."""
    return whole_reference()


def section(anchor, text):
    """Return what a page says of an operation or an object."""
    heading = re.search(rf"^(#+) .*{{ #{anchor} }}$", text, re.MULTILINE)
    return re.split(rf"^#{{1,{len(heading[1])}}} ", text[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0]


# What the contract says is on a page


@pytest.mark.parametrize("anchor", OPERATIONS)
def test_an_operation_is_on_a_page_with_all_its_parts(anchor, text):
    operation = OPERATIONS[anchor]
    times = text.count(f"`{operation.method}` {operation.path} {{ #{anchor} }}")
    assert times == 1, f"Show the tag {operation.node['tags'][0]} on one page of docs/reference/, by its marker."
    part = section(anchor, text)
    assert operation.node["summary"] in part and f"Origin: {api_reference.ORIGINS[operation.node['x-origin']]}." in part
    for parameter in operation.parameters:
        assert_row(part, parameter["name"], parameter)
    for schema in (operation.body.get("schema"), operation.data):
        if name := schema and api_reference.shared_object(schema):
            assert f"(#{name.lower()}-object)" in part
            part += section(f"{name.lower()}-object", text)
        for field, node in fields(schema or {}):
            assert_row(part, field, node)
    for required in resolved(operation.body.get("schema", {})).get("required", []):
        assert f"`{required}` and" in part or f"`{required}` is" in part or f"`{required}` are" in part or "*Required.*" in part
    shared = api_reference.common_errors("/v1") | api_reference.common_errors("/_mock")
    for status, response in operation.answers.items():
        assert f"`{status}`" in part or (status in shared and re.search(rf"\[[0-9, ]*{status}.*as everywhere\]", part))
        for header in response.get("headers", {}):
            assert header in text
    for write in LANGUAGES.values():
        assert indented(write(operation)) in part


def fields(schema, name=""):
    """Return name and schema of each field, those within others too."""
    schema = resolved(schema)
    schema = resolved(schema.get("items", schema))
    for option in [resolved(option) for option in schema.get("oneOf", [schema])]:
        for field, node in option.get("properties", {}).items():
            yield field, resolved(node)
            yield from fields(node)


def assert_row(text, name, node):
    """Fail if no line of a table has the name and who says so; a field in another carries its origin if it differs."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and f"`{name}`" in line]
    origin = api_reference.ORIGINS[node["x-origin"]]
    assert any(line.endswith(f"| {origin} |") or f"Origin: {origin}." in line for line in lines), f"{name}: {lines}"


def indented(code):
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines())


def test_each_page_asks_for_operations_that_are_there_and_none_is_left_out(text):
    asked = [tag for path in PAGES for tag in api_reference.OPERATIONS.findall(path.read_text(encoding="utf-8"))]
    tags = {tag["name"] for tag in served.openapi()["tags"]}
    assert tags - {*asked} == set(), (
        f"Show these tags on a page of docs/reference/, by a marker: {api_reference.OPERATIONS.pattern}"
    )
    assert len(asked) == len({*asked} & tags), f"A page shows a tag that is not there, or is there twice: {sorted(asked)}"
    assert not [line for line in text.splitlines() if "on the site. In a clone" in line]


def test_each_error_of_an_operation_leads_to_its_anchor(text):
    """MkDocs checks the anchors as well; here a code that has none fails without a build."""
    errors = written(ROOT / "docs" / "reference" / "errors.md")
    for code in set(re.findall(r"errors\.md#([a-z]+_\w+)", text)):
        assert f"{{ #{code} }}" in errors or f"### {code.upper()}" in errors, code


def test_the_contract_has_no_text_that_yaml_cut_off_at_a_comma():
    def nothings(node, path=""):
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for name, child in children:
            yield from [f"{path}/{name}"] if child is None and name != "const" else nothings(child, f"{path}/{name}")

    assert not list(nothings(served.openapi()))


# What changes in the contract changes on a page


@pytest.fixture
def openapi():
    """The contract, to be changed by a test."""
    served.openapi.cache_clear()
    yield served.openapi()
    served.openapi.cache_clear()


def links(openapi, method="get"):
    return openapi["paths"]["/v1/links"][method]


def link_field(openapi, name):
    return openapi["components"]["schemas"]["Link"]["properties"][name]


def rename(node, old, new):
    node[new] = node.pop(old)


CHANGES = {
    "a field gets another name": (lambda api: rename(api["components"]["schemas"]["Link"]["properties"], "clicks", "hits"), "`hits`"),
    "a field is new": (lambda api: api["components"]["schemas"]["Profile"]["properties"].update(theme={"type": "string", "x-origin": "assumed"}), "`theme`"),
    "a field within a field is new": (
        lambda api: api["components"]["schemas"]["Stats"]["properties"]["countries"]["items"]["properties"].update(flag={"type": "string", "x-origin": "assumed"}),
        "`flag`: String. Origin: assumed.",
    ),
    "a field gets another type": (lambda api: link_field(api, "clickLimit").update(type="string"), "`clickLimit` | String"),
    "a field gets another limit": (lambda api: link_field(api, "clickLimit").update(maximum=77), "1 to 77"),
    "a field gets another origin": (lambda api: link_field(api, "id").update({"x-origin": "assumed"}), "`. | assumed |"),
    "a field is not proved": (lambda api: link_field(api, "id").update({"x-not-proved": True}), "([not proved](api.md#not-proved)) | docs page"),
    "an error is not proved": (lambda api: links(api)["responses"]["429"].update({"x-not-proved": True}), "([not proved](api.md#not-proved))"),
    "a field gets another text": (lambda api: link_field(api, "url").update(description="Whither"), "Whither."),
    "a field may no longer be sent": (lambda api: api["components"]["schemas"]["LinkFields"]["properties"].pop("title"), "| `title` | *Read only.*"),
    "another field is required": (lambda api: api["components"]["schemas"]["NewLink"]["required"].append("title"), "`url` and `title` are required"),
    "a choice is new": (lambda api: api["components"]["schemas"]["PlanName"]["enum"].append("Gold"), "`Gold`"),
    "a parameter is new": (lambda api: links(api)["parameters"].append({"name": "tag", "in": "query", "x-origin": "assumed", "schema": {"type": "string"}}), "| `tag` | *In the query.* String. | assumed |"),
    "a parameter gets another default": (lambda api: api["components"]["parameters"]["limit"]["schema"].update(default=33), "default `33`"),
    "an error is new": (lambda api: links(api, "post")["responses"].update({"409": {"description": "Taken", "x-origin": "assumed"}}), "`409` Taken"),
    "an error of one operation goes": (lambda api: links(api, "post")["responses"].pop("413"), None),
    "an error of every operation goes from one": (lambda api: links(api)["responses"].pop("503"), "[400, 401, 429, 500, as everywhere]"),
    "an operation is new": (lambda api: api["paths"].update({"/v1/things": {"get": {**links(api), "operationId": "listThings"}}}), "`GET` /v1/things { #list-things }"),
    "an operation goes": (lambda api: api["paths"]["/v1/links/{id}"].pop("delete"), None),
    "an operation moves": (lambda api: rename(api["paths"], "/v1/analytics/overview", "/v1/overview"), "`GET` /v1/overview { #read-overview }"),
    "an operation takes another method": (lambda api: rename(api["paths"]["/v1/links/{id}"], "patch", "put"), "`PUT` /v1/links/{id} { #change-link }"),
    "an operation gets another summary": (lambda api: links(api).update(summary="Show the links"), "**Show the links.**"),
    "an operation gets another text": (lambda api: links(api).update(description="Oldest first."), "Oldest first."),
    "an operation gets another origin": (lambda api: links(api).update({"x-origin": "assumed"}), "leads to the next page. Origin: assumed."),
    "an operation takes no token": (lambda api: links(api).update(security=[]), "It takes no token."),
    "an answer gets another status": (lambda api: rename(links(api, "post")["responses"], "201", "200"), "**Answer:** `200`. The link that was made."),
    "an example sends something else": (lambda api: links(api, "post")["requestBody"]["content"]["application/json"].update(example={"url": "https://example.com/new"}), '"url": "https://example.com/new"'),
    "a header is new": (lambda api: api["components"]["headers"].update(ETag={"x-origin": "assumed", "schema": {"type": "string"}}), "| `ETag` | String. | assumed |"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_in_the_contract_changes_on_a_page(change, openapi, text):
    make, sign = CHANGES[change]
    make(openapi)
    changed = whole_reference()
    assert changed != text
    assert sign is None or changed.count(sign) > text.count(sign)


def test_the_page_of_the_settings_knows_every_variable_that_is_read():
    text = written(ROOT / "docs" / "reference" / "settings.md")
    read = set()
    sources = [ROOT / "Makefile", ROOT / "mkdocs.yml", ROOT / "conftest.py", ROOT / ".env.example"]
    for path in [*sources, *(ROOT / "mock_server").rglob("*.py"), *(ROOT / "docs" / "samples").glob("*.[!tv]*")]:
        code = path.read_text(encoding="utf-8")
        read.update(re.findall(r"environ(?:\.get\(|\[)[\"'](\w+)|getenv\([\"'](\w+)|\"(\w+)\" not in os\.environ", code))
        read.update(re.findall(r"^([A-Z_]+) \?=()()|\$\(([A-Z_]*OPTIONS)\)|!ENV \[(\w+)|^(?:# )?([A-Z_]+)=", code, re.MULTILINE))
        for names in re.findall(r"const \{ ([A-Z_a-z=\" ,0-9]+) \} = process\.env", code):
            read.update((name,) for name in re.findall(r"[A-Z_]{4,}", names))
    names = {name for found in read for name in found if name} - {"IPYTHONDIR"}  # IPython's own, set by the tests
    assert {"LINKED_IS_API_TOKEN", "LINKED_IS_BASE_URL", "LINKED_IS_CLASS_CODE", "PORT", "NO_COLOR", "SITE_URL"} < names
    assert not [name for name in names if f"| `{name}` |" not in text]


def test_the_page_of_the_command_line_has_every_option_and_every_task():
    text = written(ROOT / "docs" / "reference" / "command-line.md")
    options = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", parser().format_help().partition("options:")[2]))
    assert options == set(re.findall(r"`(--?[a-z][a-z-]*)[` ]", text)) and len(options) > 8
    listed = subprocess.check_output(["make", "help"], cwd=ROOT, text=True).splitlines()
    for name, does in (line.removeprefix("make ").split(maxsplit=1) for line in listed):
        assert f"| `make {name}` | {does} |" in text
    assert len(listed) == text.count("| `make ")


# The answers that the pages show


@pytest.mark.parametrize("name", recorded_answers.names())
def test_the_mock_server_gives_each_answer_that_is_recorded(name):
    assert recorded_answers.record(name) == RECORDED.get(name), "Run `make notebooks`, then read what has changed."


def test_each_error_is_recorded_and_nothing_else():
    assert RECORDED.keys() ^ {*recorded_answers.names()} == set(), "Run `make notebooks`: it records what is new."
    assert {error.code for error in ApiError.__subclasses__()} < RECORDED.keys()


@pytest.mark.parametrize("anchor", [anchor for anchor, operation in OPERATIONS.items() if operation.data])
def test_an_answer_on_a_page_is_one_of_the_contract(anchor, text):
    assert anchor in RECORDED, "Run `make notebooks`: it records the answer."
    operation, body = OPERATIONS[anchor], RECORDED[anchor]["body"]
    answer = operation.answers[operation.success]
    contract.validate(answer["content"]["application/json"]["schema"], body, anchor)
    shown = json.loads(re.search(r"^ *```output\n(.+?)^ *```", section(anchor, text), re.DOTALL | re.MULTILINE)[1])
    assert shown == body or shown == {**body, "data": without_unset(body["data"])}


def without_unset(data):
    if isinstance(data, list):
        return [without_unset(one) for one in data]
    return {name: value for name, value in data.items() if value is not None and value is not False}


# The samples

BATCH = """
import { readFileSync } from "node:fs";
const printed = {};
const { log } = console;
for (const { name, code, token } of JSON.parse(readFileSync(0, "utf8"))) {
  process.env.LINKED_IS_API_TOKEN = token;
  console.log = (value) => (printed[name] = value);
  await import(`data:text/javascript,${encodeURIComponent(code)}`);
}
log(JSON.stringify(printed));
"""


def run_python(samples, base_url, monkeypatch):
    monkeypatch.setenv("LINKED_IS_BASE_URL", base_url)
    printed = {}
    for name, (code, token) in samples.items():
        monkeypatch.setenv("LINKED_IS_API_TOKEN", token)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(code, name, "exec"), {"__name__": "__main__"})
        printed[name] = output.getvalue().removesuffix("\n")
        if OPERATIONS[name].tells in ("data", "status"):
            printed[name] = ast.literal_eval(printed[name])
    return printed


def run_curl(samples, base_url, monkeypatch):
    need("bash", "curl")
    parts = [f"LINKED_IS_API_TOKEN='{token}'\n{code}\nprintf '\\0%d\\0' $?\n" for code, token in samples.values()]
    outputs = ended(["bash", "-s"], "".join(parts), base_url).split("\0")
    assert set(outputs[1::2]) == {"0"}, outputs
    printed = dict(zip(samples, outputs[::2], strict=False))
    enveloped = {name for name in samples if OPERATIONS[name].tells == "data"}
    assert all(json.loads(printed[name])["success"] is True for name in enveloped)
    for name, text in printed.items():
        tells = OPERATIONS[name].tells
        printed[name] = (
            json.loads(text)["data"] if tells == "data" else int(text) if tells == "status" else text.removesuffix("\n")
        )
    return printed


def run_javascript(samples, base_url, monkeypatch):
    need("node")
    batch = [{"name": name, "code": code, "token": token} for name, (code, token) in samples.items()]
    return json.loads(ended(["node", "--input-type=module", "--eval", BATCH], json.dumps(batch), base_url))


def ended(command, given, base_url):
    """Run a command to its end, and return what it printed."""
    environment = {**os.environ, **learner_environment(base_url)}
    done = subprocess.run(command, input=given.encode(), env=environment, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0 and not done.stderr, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode()


RUN = {"Python": run_python, "curl": run_curl, "JavaScript": run_javascript}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    """A mock server, and for each sample the token of a new account, as the one whose answers the pages show."""
    path = str(tmp_path_factory.mktemp("reference") / "mock-server.db")
    database = Database(path)
    store = Store(database, Clock(lambda: parse_iso(recorded_answers.NOW)))
    tokens = {}
    for language in LANGUAGES:
        for anchor in OPERATIONS:
            account = store.add_account(f"{anchor}-{language.lower()}@example.com", "")
            store.freeze_clock(account, True)
            tokens[language, anchor] = store.generate_token(account, "Sample", None)
    database.close()
    with MockServer(database=path) as server:
        yield server, tokens


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sample_gets_the_answer_that_its_page_shows(language, accounts, monkeypatch):
    server, tokens = accounts
    samples = {anchor: (LANGUAGES[language](operation), tokens[language, anchor]) for anchor, operation in OPERATIONS.items()}
    first_calls(server, tokens[language, "list-requests"])
    printed = RUN[language](samples, server.base_url, monkeypatch)
    assert printed.keys() == OPERATIONS.keys()
    for anchor, operation in OPERATIONS.items():
        output = json.dumps(printed[anchor])
        assert_without(tokens[language, anchor], output)
        told = json.loads(output.replace(f"{anchor}-{language.lower()}@example.com", recorded_answers.EMAIL))
        assert comparable(told) == comparable(to_tell(operation)), anchor
        if operation.tells == "data":
            schema = operation.answers[operation.success]["content"]["application/json"]["schema"]
            contract.validate(schema, {"success": True, "data": told}, anchor)
        if operation.path.startswith("/v1"):
            assert calls_of(server, tokens[language, anchor]) == [(operation.method, operation.success)], anchor


def first_calls(server, token):
    headers = {"Authorization": f"Bearer {token}"}
    for call in recorded_answers.BEFORE:
        requests.request(call.method, server.origin + call.path, headers=headers, timeout=PATIENCE)


def to_tell(operation):
    """Return what a program should print of the answer on the page; of one that no page shows, what comes now."""
    if operation.tells == "data":
        return RECORDED[operation.anchor]["body"]["data"]
    if operation.tells == "status":
        return RECORDED[operation.anchor]["status"]
    if operation.is_redirect:
        return RECORDED[operation.anchor]["headers"]["Location"]
    return recorded_answers.ask_for(operation.anchor)[2].decode()


def comparable(told):
    """Leave out what may differ: the headers that each program adds, and the accounts on the board of a class."""
    if isinstance(told, dict) and "requests" in told:
        return {**told, "requests": [{**call, "headers": None} for call in told["requests"]]}
    return re.sub("<body.*", "", told, flags=re.DOTALL) if isinstance(told, str) else told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_end_of_windows_behind_the_token_does_no_harm(language, accounts, monkeypatch):
    server, tokens = accounts
    operation, token = OPERATIONS["list-links"], tokens[language, "list-links"]
    samples = {"list-links": (LANGUAGES[language](operation), f"{token}\r")}
    assert RUN[language](samples, server.base_url, monkeypatch)["list-links"] == to_tell(operation)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_fails_when_the_api_does(language, accounts, monkeypatch):
    server, _ = accounts
    samples = {"read-link": (LANGUAGES[language](OPERATIONS["read-link"]), "no-such-token")}
    with pytest.raises((requests.HTTPError, AssertionError)) as failure:
        RUN[language](samples, server.base_url, monkeypatch)
    assert "401" in str(failure.value) or "INVALID_TOKEN" in str(failure.value)


def test_each_sample_has_a_timeout_and_keeps_the_token_off_the_command_line():
    for operation in OPERATIONS.values():
        assert "timeout=10" in python(operation) and "AbortSignal.timeout(10_000)" in javascript(operation)
        assert "--max-time 10 " in curl(operation) and "TOKEN" not in curl(operation).partition("<<<")[0]
