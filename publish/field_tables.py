"""What the contract says of a parameter, a header or a field, as a row of a table."""

import json
from itertools import groupby

from publish.operations import resolved

# What a reader of a table sees of `x-origin`; docs/reference/api.md explains it.
ORIGINS = {"seed": "authentication page", "public-docs": "docs page", "assumed": "assumed"}
LIMITS = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items"))


def row(name, node, remark=""):
    """Return the cells for a parameter, a header or a field: its name, what it is, who says so."""
    node = resolved(node)
    what = meaning(node, resolved(node.get("schema", node)))
    what = f"*{remark}.* {what}" if remark else what
    return f"`{name}`", what, ORIGINS[node["x-origin"]]


def meaning(node, schema):
    """Return type, limits and description; behind them, a line for each field within."""
    lines = [" ".join(sentence(text) for text in (kind(schema), node.get("description")) if text) + not_proved(node)]
    for name, field in resolved(schema.get("items", schema)).get("properties", {}).items():
        inner = resolved(field)
        origin = "" if inner["x-origin"] == node["x-origin"] else f" Origin: {ORIGINS[inner['x-origin']]}."
        lines.append(f"`{name}`: {meaning(inner, inner)}{origin}")
    return "<br>".join(lines)


def not_proved(node):
    """Return the mark of what could be wrong unnoticed; nothing for anything else. ``make proof`` holds the marks."""
    return " ([not proved](api.md#not-proved))" if node.get("x-not-proved") else ""


def sentence(text):
    """Return a text with a capital letter in front and a full stop behind."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def kind(schema):
    """Return what a value may be, in words: ``"text, 1 to 200 characters, or null"``."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        words = [f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in values]
    elif "title" in schema:
        words = [schema["title"]]
    else:
        word = next((one for one in types if one != "null"), "")
        words = [{"date-time": "time"}.get(schema.get("format"), {"array": "list"}.get(word, word))]
        words += [f"`{schema['pattern']}`"] if "pattern" in schema else []
        words += [f"such as `{schema['examples'][0]}`"] if word == "string" and "examples" in schema else []
    words += limits(schema)
    words += [f"default `{schema['default']}`"] if "default" in schema else []
    words += ["or `null`"] if "null" in types and words != [""] else ["`null`"] if "null" in types else []
    return ", ".join(word for word in words if word)


def limits(schema):
    """Return the least and the most that a value may be."""
    found = []
    for least, most, unit in LIMITS:
        low, high = schema.get(least), schema.get(most)
        if high is not None:
            found.append(f"{low:,} to {high:,}{unit}" if low is not None else f"up to {high:,}{unit}")
        elif low is not None:
            found.append(f"{low:,} or more{unit}")
    return found


def table(first, rows):
    """Return a table of three columns, which fits a telephone. Neighbours that differ in name only share a row."""
    lines = [f"| {first} | What it is | Origin |", "| --- | --- | --- |"]
    for (what, origin), alike in groupby(rows, key=lambda row: row[1:]):
        lines.append(f"| {'<br>'.join(name for name, *_ in alike)} | {what} | {origin} |")
    return "\n".join(lines)
