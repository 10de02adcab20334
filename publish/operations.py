"""What the contract says of an operation, in the words that the reference pages need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mock_server.contract import openapi, resolved

Node = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """An operation. ``node`` is its place in the contract, with the parameters of its path."""

    method: str
    path: str
    node: Node

    @property
    def anchor(self) -> str:
        """Its name in addresses, which stays when the path changes: that of ``makeLink`` is ``make-link``."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.node["operationId"])

    @property
    def takes_token(self) -> bool:
        """Whether it looks at a token at all."""
        return self.node.get("security") != []

    @property
    def parameters(self) -> list[Node]:
        """The parameters, those of the path first."""
        return [resolved(parameter) for parameter in self.node["parameters"]]

    @property
    def body(self) -> Node:
        """What is to be sent: ``schema`` and ``example``. Empty if nothing is."""
        return self.node.get("requestBody", {}).get("content", {}).get("application/json", {})

    @property
    def answers(self) -> dict[int, Node]:
        """The answers by status."""
        return {int(status): resolved(answer) for status, answer in self.node["responses"].items()}

    @property
    def success(self) -> int:
        """The status of the answer to the example: the first that the contract names and that is no error."""
        return next(status for status in self.answers if status < 400)

    @property
    def is_redirect(self) -> bool:
        """Whether the answer to the example leads elsewhere."""
        return self.success >= 300

    @property
    def data(self) -> Node | None:
        """The schema of ``data`` in that answer; ``None`` if it does not come in the envelope."""
        content = self.answers[self.success].get("content", {}).get("application/json", {})
        return resolved(content.get("schema", {})).get("properties", {}).get("data")

    @property
    def tells(self) -> str:
        """What that answer is about: ``"data"``, ``"address"`` or ``"text"``. If it holds a secret, only the ``"status"``."""
        if self.data and any(one.get("format") == "password" for one in resolved(self.data).get("properties", {}).values()):
            return "status"
        return "address" if self.is_redirect else "text" if self.data is None else "data"

    @property
    def path_values(self) -> dict[str, str | int]:
        """The example values for what is in braces in the path."""
        return self._examples("path")

    @property
    def example_path(self) -> str:
        """The path with example values in it."""
        return self.path.format(**self.path_values)

    @property
    def example_query(self) -> dict[str, str | int]:
        """The parameters that the example sends."""
        return self._examples("query")

    @property
    def example_body(self) -> dict[str, str | int]:
        """The body that the example sends, empty if it sends none."""
        return self.body.get("example", {})

    def _examples(self, place: str) -> dict[str, str | int]:
        chosen = [one for one in self.parameters if one["in"] == place and "examples" in one["schema"]]
        return {one["name"]: one["schema"]["examples"][0] for one in chosen}


def operations(tag: str | None = None) -> list[Operation]:
    """Return the operations that have this tag, all of them without one, in the order of the contract."""
    return [
        Operation(method.upper(), path, {**node, "parameters": item.get("parameters", []) + node.get("parameters", [])})
        for path, item in openapi()["paths"].items()
        for method, node in item.items()
        if method != "parameters" and tag in (None, *node["tags"])
    ]
