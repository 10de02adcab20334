"""``python -m mock_server.assistant``, as an assistant uses it: over stdio, tool by tool."""

import json
import sys
from pathlib import Path
from typing import get_args

import pytest
import requests
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from mock_server import assistant
from mock_server.contract import openapi
from tools.running import PATIENCE, ROOT, is_answered, run_async, wait_until


class Tools:
    """What an assistant has at hand. ``said`` is all that the tools have returned."""

    def __init__(self, client):
        self.client = client
        self.said = ""

    async def __call__(self, name, **arguments):
        result = await self.client.call_tool(name, arguments)
        text = "".join(part.text for part in result.content)
        self.said += text + json.dumps(result.structured_content)
        if result.is_error:
            raise RuntimeError(text)
        told = result.structured_content
        return told["result"] if told.keys() == {"result"} else told


async def a_session():
    """Test a program as an assistant does, and return what there is to see after it."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "mock_server.assistant"], cwd=ROOT)
    async with Client(stdio_client(command)) as client:
        tools = Tools(client)
        with pytest.raises(RuntimeError, match="Call start first"):
            await tools("reset")
        started = await tools("start")
        assert await tools("start") == started
        file, base_url = Path(started["token_file"]), started["base_url"]
        token = file.read_text().strip()  # noqa: ASYNC240
        headers = {"Authorization": f"Bearer {token}"}

        def program(body):
            return requests.post(f"{base_url}/links", headers=headers, json=body, timeout=PATIENCE)

        await tools("order_fault", fault="lost-answer", method="POST", path="/v1/links")
        await tools("order_fault", fault="503", calls=2, seconds=7, add=True)
        with pytest.raises(requests.ConnectionError):
            program({"url": "https://example.com/twice"})
        assert program({"url": f"https://example.com/{token}"}).headers["Retry-After"] == "7"
        arrived = (await tools("list_requests", method="POST"))["requests"]
        assert [one["status"] for one in arrived] == [503, 201] and "twice" in arrived[1]["body"]
        assert (await tools("call", method="GET", path="/links"))["status"] == 503
        listed = await tools("call", method="GET", path="/links?limit=1")
        assert listed["body"]["data"][0]["url"] == "https://example.com/twice"
        assert (await tools("set_clock", time="2030-01-01"))["now"] == "2030-01-01T00:00:00Z"
        assert (await tools("set_plan", plan="Pro"))["perMinute"] == 300
        assert (await tools("set_limiter", enabled=False))["enabled"] is False
        await tools("forget_requests")
        assert (await tools("list_requests"))["requests"] == []
        await tools("reset")
        account = await tools("call", method="POST", path="/../_mock/accounts")
        assert account["status"] == 201  # a way round, on which no token comes out either
        with pytest.raises(RuntimeError, match="path: must be"):
            await tools("order_fault", fault="503", path="")
        with pytest.raises(RuntimeError):
            await tools("call", method="GET", path="links")
    return tools.said, token, file, int(base_url.removesuffix("/v1").rpartition(":")[2])


def test_an_assistant_starts_it_orders_faults_and_reads_what_arrived():
    said, token, file, port = run_async(a_session())
    assert "lis_mock_[hidden]" in said and token[9:] not in said
    assert not said.replace("lis_mock_[hidden]", "").count("lis_mock_")
    wait_until(lambda: not file.exists() and not is_answered(port))


def test_an_assistant_reads_the_contract():
    everything = assistant.contract()
    assert len(everything) == sum(name != "parameters" for item in openapi()["paths"].values() for name in item)
    (made,) = assistant.contract("makeLink")
    assert made["path"] == "/v1/links" and "$ref" not in json.dumps(made)
    assert {one["path"] for one in assistant.contract("Analytics")} == {"/v1/links/{id}/stats", "/v1/analytics/overview"}


def test_the_tools_take_what_the_controls_take():
    schemas = openapi()["components"]["schemas"]
    for name, values in {"FaultKind": assistant.Fault, "Method": assistant.Method}.items():
        assert schemas[name]["enum"] == list(get_args(values))
