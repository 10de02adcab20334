"""Write the API reference from the contract: an operation that changes there changes here.

Each operation gets its parameters and fields with their origin, a sample in three languages, the recorded answer to it,
and its errors. A page asks for the operations with a tag by a marker.
"""

import logging
import re

from mock_server.contract import openapi, references
from publish.field_tables import ORIGINS, not_proved, row, table
from publish.operations import operations, resolved
from publish.recorded_answers import answer, as_http, spelled
from publish.three_languages import curl, javascript, python

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.api_reference")

OPERATIONS = re.compile(r"\*The operations of (.+) are on the site\. In a clone, `make serve` shows them\.\*")
ERRORS = re.compile(r"\*The errors of every operation at (.+) are on the site\. In a clone, `make serve` shows them\.\*")
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
LIST = "*The list of operations is on the site. In a clone, `make serve` shows it.*"
HEADERS = "*The table of headers is on the site. In a clone, `make serve` shows it.*"
TABS = {"Python": ("python", python), "curl": ("bash", curl), "JavaScript": ("js", javascript)}
# Where the errors that operations share are named, by the beginning of their paths.
COMMON_ERRORS = {"/v1": "api.md", "/_mock": "controls.md"}
FOUND_IN = {"path": "In the path", "query": "In the query"}
LONG = 15  # lines of an answer; a longer one is folded


def read_the_contract_again(config):
    """Read the contract again, so that `mkdocs serve` shows a change of it."""
    openapi.cache_clear()


def write_operations(markdown, page, config, files):
    """Put what a page asks for in the place of its marker."""

    def written(found):
        if not operations(found[1]):
            log.warning("Page '%s' asks for operations of '%s'; the contract has none.", page.file.src_uri, found[1])
        level = HEADING.findall(markdown[: found.start()])[-1] + "#"
        return chapter(found[1], level)

    markdown = OPERATIONS.sub(written, markdown)
    markdown = ERRORS.sub(lambda found: error_list(common_errors(found[1])), markdown)
    return markdown.replace(LIST, operation_list()).replace(HEADERS, header_table())


def chapter(tag, level):
    """Return the fields that the operations with this tag share, then the operations, below headings of this level."""
    chosen = operations(tag)
    objects = {name: None for operation in chosen if (name := shared_object(operation.data or {}))}
    parts = [*map(object_section, objects), *map(section, chosen)]
    return "\n\n".join(f"{level} {part}" for part in parts)


def shared_object(schema):
    """Return the name of what is sent and answered alike, such as ``Link``, of which the contract has ``LinkFields``."""
    names = [reference.rpartition("/")[2] for reference in references(schema.get("items", schema))]
    objects = [name.removeprefix("New").removesuffix("Fields") for name in names]
    return next((name for name in objects if fields_of(name)), None)


def fields_of(name):
    """Return the fields that a caller may send of an object of the contract, empty for one that is only answered."""
    schema = openapi()["components"]["schemas"].get(f"{name}Fields", {})
    return schema.get("properties", {})


def object_section(name):
    """Return a heading and the table of an object's fields. Those that a caller can't send are marked."""
    properties = resolved({"$ref": f"#/components/schemas/{name}"})["properties"]
    sent = fields_of(name)
    rows = [row(field, schema, "" if field in sent else "Read only") for field, schema in properties.items()]
    note = "The examples leave out what is not set: fields that are `null` or `false`."
    return f"{name} object {{ #{name.lower()}-object }}\n\n{table('Field', rows)}\n\n{note}"


def section(operation):
    """Return the heading of an operation and all about it."""
    node = operation.node
    parts = [
        f"`{operation.method}` {operation.path} {{ #{operation.anchor} }}",
        " ".join([f"**{node['summary']}.**", *node.get("description", "").split(), origin_of(node), *token_notes(node)]),
    ]
    if operation.parameters:
        rows = [row(one["name"], one, FOUND_IN[one["in"]]) for one in operation.parameters]
        parts.append(table("Parameter", rows))
    if operation.body:
        parts.append(body_text(operation.body["schema"]))
    parts += [tab(language, *sample, operation) for language, sample in TABS.items()]
    parts += [answer_text(operation), error_text(operation)]
    return "\n\n".join(part for part in parts if part)


def origin_of(node):
    """Return who states that there is such an operation."""
    return f"Origin: {ORIGINS[node['x-origin']]}."


def token_notes(node):
    """Return what differs from the rule that each request carries a token."""
    security = node.get("security", openapi()["security"])
    return ["It takes no token."] if not security else ["A token is optional."] if {} in security else []


def body_text(schema):
    """Return what the body may hold."""
    required = resolved(schema).get("required", [])
    if name := shared_object(schema):
        needed = " and ".join(f"`{field}`" for field in required)
        rule = f"{needed} {'is' if len(required) == 1 else 'are'} required" if required else "none is required"
        return f"**Body:** fields of the [{name.lower()} object](#{name.lower()}-object); {rule}."
    options = [resolved(option) for option in schema.get("oneOf", [schema])]
    lead = "**Body:** one of these fields." if len(options) > 1 else "**Body:**"
    rows = [
        row(field, value, "Required" if field in option.get("required", []) and len(options) == 1 else "")
        for option in options
        for field, value in option["properties"].items()
    ]
    return f"{lead}\n\n{table('Field', rows)}"


def answer_text(operation):
    """Return the fields of the answer to the sample, and the answer itself."""
    response = operation.answers[operation.success]
    parts = [f"**Answer:** `{operation.success}`. {response['description']}.{not_proved(response)}"]
    data = operation.data or {}
    if name := shared_object(data):
        parts[0] += f" {'Each is a' if 'items' in data else 'It is a'} [{name.lower()} object](#{name.lower()}-object)."
    elif properties := resolved(data).get("properties"):
        parts.append(table("Field", [row(field, schema) for field, schema in properties.items()]))
    if names := [f"`{name}`" for name in response.get("headers", {}) if not name.startswith("X-RateLimit")]:
        parts[0] += f" Header: {', '.join(names)}."
    others = [
        f"`{status}`: {other['description']}.{not_proved(other)}" for status, other in operation.answers.items() if status < 400
    ]
    parts += [" ".join(["Also", *others[1:]])] if others[1:] else []
    recorded = answer(operation)
    if recorded is None or recorded["status"] != operation.success:
        log.warning("No answer %s to the sample of '%s' is recorded: make notebooks.", operation.success, operation.anchor)
    elif operation.is_redirect:
        parts.append(as_http(recorded))
    elif operation.data:
        enveloped = recorded["body"]
        if shared_object(data):
            enveloped = {**enveloped, "data": what_is_set(enveloped["data"])}
        parts.append(json_block(enveloped))
    return "\n\n".join(parts)


def what_is_set(value):
    """Return an object, or each of a list, without the fields that are null or false."""
    if isinstance(value, list):
        return [what_is_set(one) for one in value]
    return {name: inner for name, inner in value.items() if inner is not None and inner is not False}


def json_block(value):
    """Return a value as a block of JSON; a long one in a box that opens on a click."""
    text = spelled(value)
    block = f"```output\n{text}\n```"
    return block if text.count("\n") < LONG else f'??? example "Answer to the sample"\n\n{indented(block)}'


def error_text(operation):
    """Return the errors of an operation. Those that all around it share are named in one place."""
    errors = {status: response for status, response in operation.answers.items() if status >= 400}
    group = next((group for group in COMMON_ERRORS if operation.path.startswith(group) and operation.data), None)
    common = common_errors(group) if group else {}
    own = {status: response for status, response in errors.items() if common.get(status) != response}
    parts = [error_list(own)] if own else []
    if alike := [str(status) for status in common if status not in own]:
        parts.append(f"[{', '.join(alike)}, as everywhere]({COMMON_ERRORS[group]}#errors-of-every-operation)")
    return f"**Errors:** {' · '.join(parts)}" if errors else ""


def common_errors(group):
    """Return the errors that all operations below a path such as ``/v1`` share. One that answers a page counts not."""
    answers = [one.answers for one in operations() if one.path.startswith(group) and one.data]
    shared = set.intersection(*map(set, answers))
    return {status: answers[0][status] for status in sorted(shared) if status >= 400}


def error_list(errors):
    """Return errors by status: their codes, as links to what they mean, or what the contract says of one without."""
    parts = []
    for status, response in sorted(errors.items()):
        links = [f"[{code}](errors.md#{code.lower()})" for code in codes(response)]
        parts.append(f"`{status}` {' '.join(links) or response['description']}{not_proved(response)}")
    return " · ".join(parts)


def codes(response):
    """Return the codes that come with a status: an error has an example of each. A page has none."""
    return list(response.get("content", {}).get("application/json", {}).get("examples", ()))


def tab(language, syntax, write, operation):
    """Return a tab of Material with a sample."""
    return f'=== "{language}"\n\n' + indented(f"```{syntax}\n{write(operation)}\n```")


def indented(text):
    """Return lines as the inside of a tab or a box."""
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())


def operation_list():
    """Return a row for each operation of the API, with a link to its place."""
    rows = [
        f"| [`{one.method} {one.path}`](api-{one.node['tags'][0].lower()}.md#{one.anchor}) | {one.node['summary']} |"
        for one in operations()
        if one.path.startswith("/v1")
    ]
    return "\n".join(["| Operation | What it does |", "| --- | --- |", *rows])


def header_table():
    """Return a row for each header of an answer."""
    return table("Header", [row(name, header) for name, header in openapi()["components"]["headers"].items()])
