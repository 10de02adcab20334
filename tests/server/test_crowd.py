"""Two hundred accounts at once for two minutes or more: no error, nobody sees another's things, memory stays, revoked is revoked."""

import asyncio
import json
import random
import re
import sys
import time
from contextlib import closing
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from tools.running import PATIENCE, MockServer, run_async

WARM_UP = 10  # rounds of each account: what the server keeps a limited number of is full by then
WATCHED = 60  # seconds after it
ACCOUNTS = 200
PAUSE = 0.15  # seconds between two calls: no account gets near the 1,000 calls a minute of its plan
CALLERS = 2  # programs that go on calling while their token is revoked
CALLS = 10  # of each of them until it is revoked: three of them without a pause may reach 1,000 calls while that takes its time
MOST_GROWTH = 6 * 1024  # KiB after the warm-up: some 100,000 calls follow, so 100 bytes a call would show
TOKEN_SIZE = 1  # KiB: a revoked token stays in its account's list for good

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the server's memory from /proc"),
]


class Client:
    """A program or a browser with a connection of its own. Secrets are kept in here: no failing assertion prints them."""

    def __init__(self, port, token=None):
        self.port, self.token, self.cookie = port, token, None
        self.writer, self.used = None, 0

    async def connect(self):
        """Open a connection, or take the one that was used just now."""
        if time.monotonic() - self.used > 3:
            self.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.used = time.monotonic()

    def close(self):
        if self.writer:
            self.writer.close()

    async def ask(self, method, path, body=b"", content_type="application/json"):
        """Send a request; return status, headers and body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"Content-Type: {content_type}"] if body else []
        lines += [f"Authorization: Bearer {self.token}"] if self.token else []
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        await self.connect()
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        body = await self.reader.readexactly(int(headers["content-length"]))
        self.used = time.monotonic()
        return int(head[0].split()[1]), headers, body

    async def call(self, method, path, body=None, status=200):
        """Call the API as a program does; return the data."""
        await asyncio.sleep(PAUSE)
        answered, _, text = await self.ask(method, path, b"" if body is None else json.dumps(body).encode())
        answer = json.loads(text)
        assert (answered, answer["success"]) == (status, status < 400), f"{method} {path}: {answer.get('error')}"
        return answer.get("data")

    async def submit(self, path, **fields):
        """Send a form of the page as a browser does; return when it is answered."""
        page = await self.page()
        fields["form_token"] = re.search('name="form_token" value="(.*?)"', page)[1]
        status, headers, _ = await self.ask("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")
        assert (status, urljoin(path, headers.get("location", ""))) == (303, "/settings/api"), path
        self.take_cookie(headers)

    async def page(self):
        """Return Settings > API as HTML, or the page for signing up before that is done."""
        status, headers, body = await self.ask("GET", "/settings/api" if self.cookie else "/signup")
        assert status == 200
        self.take_cookie(headers)
        return body.decode()

    def take_cookie(self, headers):
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].partition(";")[0]


class Learner:
    """An account, and what its owner knows must be in it."""

    def __init__(self, name, port, counts):
        self.name, self.port, self.counts = name, port, counts
        self.links = {}  # by id, oldest first
        self.tokens = {}  # name → state, oldest first
        self.warm = asyncio.Event()

    async def live(self, over):
        with closing(Client(self.port)) as self.browser, closing(Client(self.port)) as self.program:
            await self.browser.submit("/signup", email=f"{self.name}@example.com", password="a long password")
            round = 0
            while not over.is_set():
                round += 1
                await self.generate_token(f"{self.name} {round}")
                if round == 1:
                    await self.program.call("POST", "/_mock/plan", {"plan": "Business"})
                    self.demo = await self.program.call("GET", "/v1/links")
                    self.links = {link["id"]: link for link in self.demo[::-1]}
                await self.work_with_links(round)
                await self.work_with_a_profile(round)
                await self.revoke_token(f"{self.name} {round}")
                if round == WARM_UP:
                    self.warm.set()
            self.counts["rounds"] += round

    async def generate_token(self, name):
        await self.browser.submit("/settings/api/tokens", name=name, lifetime="never")
        self.tokens[name] = "active"
        self.program.token = re.search('id="token">(.*?)<', await self.browser.page())[1]
        await self.check_tokens()

    async def check_tokens(self):
        rows = re.findall('data-label="Name">(.*?)<.*?class="state">(.*?)<', await self.browser.page(), re.DOTALL)
        assert rows == [*self.tokens.items()][::-1]

    async def work_with_links(self, round):
        for number in range(5):
            url = f"https://example.com/{self.name}/{round}/{number}"
            link = await self.program.call("POST", "/v1/links", {"url": url, "title": self.name}, status=201)
            assert (link["url"], link["title"], link["id"] in self.links) == (url, self.name, False)
            self.links[link["id"]] = link
        await self.check_links()
        changed = await self.program.call("PATCH", f"/v1/links/{link['id']}", {"title": f"{self.name} changed"})
        assert changed == {**link, "title": f"{self.name} changed"}
        status, headers, _ = await self.program.ask("GET", f"/s/{link['slug']}")  # a visitor
        assert (status, headers.get("location")) == (302, url)
        self.links[link["id"]] = {**changed, "clicks": 1}
        assert await self.program.call("GET", f"/v1/links/{link['id']}") == self.links[link["id"]]
        stats = await self.program.call("GET", f"/v1/links/{link['id']}/stats")
        assert (stats["totalClicks"], stats["uniqueVisitors"]) == (1, 1)
        overview = await self.program.call("GET", "/v1/analytics/overview")
        clicks = sum(link["clicks"] for link in self.links.values())
        assert (overview["totalLinks"], overview["totalClicks"]) == (len(self.links), clicks)
        await self.check_links()
        for link in [*self.links.values()][len(self.demo) :]:
            await self.program.call("DELETE", f"/v1/links/{link['id']}")
            del self.links[link["id"]]
        await self.program.call("GET", f"/v1/links/{link['id']}", status=404)
        await self.check_links()

    async def check_links(self):
        assert await self.program.call("GET", "/v1/links?limit=100") == [*self.links.values()][::-1]

    async def work_with_a_profile(self, round):
        values = {"displayName": self.name, "slug": f"{self.name}-{round}"}
        profile = await self.program.call("POST", "/v1/profiles", values, status=201)
        path = f"/v1/profiles/{profile['id']}"
        block = await self.program.call("POST", f"{path}/blocks", {"title": self.name}, status=201)
        assert await self.program.call("GET", f"{path}/blocks") == [block] and block["title"] == self.name
        changed = await self.program.call("PATCH", path, {"bio": self.name})
        assert changed == {**profile, **values, "bio": self.name}
        assert (await self.program.call("GET", "/v1/profiles"))[0] == changed
        await self.program.call("DELETE", path)
        assert [profile["slug"] for profile in await self.program.call("GET", "/v1/profiles")] == ["cafe-example"]

    async def revoke_token(self, name):
        self.revoked, self.answered = None, asyncio.Event()  # when the answer was here
        async with asyncio.TaskGroup() as callers:
            calls = [callers.create_task(self.call_until_refused()) for _ in range(CALLERS)]
            await asyncio.sleep(random.uniform(0, 0.02))
            await self.browser.submit(f"/settings/api/tokens/{len(self.tokens)}/revoke")
            self.revoked = time.monotonic()
            self.answered.set()
            self.tokens[name] = "revoked"
            calls.append(callers.create_task(self.call_until_refused()))
        for began, status in [one for task in calls for one in task.result()]:
            self.counts["before" if began < self.revoked else "after"] += 1
            assert status in ((200, 401) if began < self.revoked else (401,)), (
                f"a call that began {began - self.revoked:.4f} s after the revocation was answered with {status}"
            )
        await self.check_tokens()

    async def call_until_refused(self):
        """Call with the token until three calls began after it was revoked; return when each began, and its status."""
        calls = []
        with closing(Client(self.port, self.program.token)) as program:
            await program.connect()
            while sum(began > (self.revoked or began) for began, _ in calls) < 3:
                if len(calls) == CALLS:
                    await self.answered.wait()
                began = time.monotonic()
                status, _, body = await program.ask("GET", "/v1/links?limit=100")
                calls.append((began, status))
                if status == 200:
                    assert json.loads(body)["data"] == self.demo
                else:
                    assert json.loads(body)["error"]["code"] == "INVALID_TOKEN"
        return calls


async def crowd(server):
    """Let everybody live; return by how much the server's memory grew after the warm-up, in KiB, and what was counted."""
    counts = {"rounds": 0, "before": 0, "after": 0}
    learners = [Learner(f"learner-{number}", urlsplit(server.origin).port, counts) for number in range(ACCOUNTS)]
    over = asyncio.Event()
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as lives:
        for learner in learners:
            lives.create_task(learner.live(over))
        for learner in learners:
            await learner.warm.wait()
        warm, tokens = memory(server), sum(len(learner.tokens) for learner in learners)
        await asyncio.sleep(WATCHED)
        over.set()
    counts["tokens"] = sum(len(learner.tokens) for learner in learners) - tokens
    return memory(server) - warm, counts


def memory(server):
    """Return how much memory the server's process holds, in KiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def test_two_hundred_accounts_at_once(tmp_path):
    with MockServer("--quiet", database=str(tmp_path / "mock.db")) as server:
        ready = server.log()
        growth, counts = run_async(crowd(server))
        print(f"memory grew by {growth} KiB; {counts}")
        assert server.log() == ready, "the server has complained"
    assert server.process.returncode == 0
    assert min(counts["before"], counts["after"]) > ACCOUNTS
    assert growth < MOST_GROWTH + TOKEN_SIZE * counts["tokens"]
