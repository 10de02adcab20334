"""The whole measurement, from an empty folder to the last figure."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

from bench import account, growth, peers, storms
from bench.account import Accounts
from bench.load import Script, check_wrk
from bench.process import CORES, LOAD_CORES, CannotMeasure, Server
from bench.report import Results
from bench.rounds import Case, measure_cases, show, starts
from bench.targets import GET, MEMORY, OURS, POST, REFUSED
from mock_server import tokens

COMPARED_AT = 16  # connections, where our server is compared with itself
MOST_ROUNDS = 3  # for what takes long and varies little


def measure(options: argparse.Namespace) -> Results:
    """Measure everything that was asked for. Raises CannotMeasure."""
    if not sys.platform.startswith("linux"):
        raise CannotMeasure("This needs Linux: it reads processor times from /proc and pins processes to cores.")
    results = Results()
    has_wrk = is_there(check_wrk, results)
    has_peers = not options.skip_peers and is_there(peers.install, results)
    os.sched_setaffinity(0, LOAD_CORES)  # wrk inherits it
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        accounts = fill(folder)
        with ExitStack() as stack:
            servers = [peers.ours(OURS, folder / "bench.db", accounts.reader), peers.bare(folder)]
            if has_peers:
                peers.write_contract(folder, *recorded(folder))
                servers += [peers.prism(folder), peers.mockoon(folder)]
            for server in servers:
                stack.callback(server.stop)
            results.starts = starts(servers, min(options.rounds, MOST_ROUNDS))
            verify(servers, accounts, folder)
            if has_wrk:
                measure_reads(options, results, folder, servers, accounts)
                measure_writes(options, results, folder, servers, accounts)
            measure_bursts(options, results, servers, accounts)
        measure_logins(options, results, folder, accounts)
        if options.growth and has_wrk:
            results.growth = growth.measure(folder, min(options.rounds, MOST_ROUNDS), options.seconds)
    return results


def is_there(find: Callable[[], None], results: Results) -> bool:
    """Tell whether what a part of the measurement needs is there or could be installed. If not, note what is left out."""
    try:
        find()
    except CannotMeasure as error:
        results.left_out.append(str(error))
        return False
    return True


def fill(folder: Path) -> Accounts:
    """Put two databases with the accounts into the folder, and the answers that all servers must give."""
    with peers.ours(OURS, folder / "bench.db") as server:
        accounts = account.open_accounts(server)
        (folder / "listed.json").write_bytes(account.listed(server, accounts.reader))
        (folder / "made.json").write_bytes(account.make_link(server, accounts.writer))
    shutil.copy(folder / "bench.db", folder / "logins.db")
    return accounts


def recorded(folder: Path) -> tuple[bytes, bytes]:
    """Return the answers to GET and POST that our server gave."""
    return (folder / "listed.json").read_bytes(), (folder / "made.json").read_bytes()


def verify(servers: list[Server], accounts: Accounts, folder: Path) -> None:
    """See that all servers answer alike, or the comparison is worth nothing. Raises CannotMeasure."""
    listed, made = map(json.loads, recorded(folder))
    for server in servers:
        if json.loads(account.listed(server, accounts.reader)) != listed:
            raise CannotMeasure(f"{server.name} answers GET with other content than ours did.")
        answer = json.loads(account.make_link(server, accounts.writer))
        # Ours makes a link, so its id and its time are new ones; the others repeat the recorded answer.
        if answer != made and (server.name != OURS or answer["data"].keys() != made["data"].keys()):
            raise CannotMeasure(f"{server.name} answers POST with other content than ours did.")


def measure_reads(options: argparse.Namespace, results: Results, folder: Path, servers: list[Server], accounts: Accounts) -> None:
    """Measure GET on all servers, and the refusals of ours; then memory."""
    reading = Script(folder, "GET", accounts.reader)
    refused = Script(folder, "GET-refused", tokens.mint(), is_refused=True)  # well-formed, and nobody's
    cases = []
    for connections in options.connections:
        cases += [Case(server, GET, reading, connections) for server in servers]
        if connections == COMPARED_AT:
            cases.append(Case(servers[0], REFUSED, refused, connections))
    results.runs |= measure_cases(cases, options.rounds, options.seconds)
    results.memory[GET] = {server.name: server.memory() for server in servers}


def measure_writes(
    options: argparse.Namespace, results: Results, folder: Path, servers: list[Server], accounts: Accounts
) -> None:
    """Measure POST on all servers, and on ours without a file; then memory."""
    writing = Script(folder, "POST", accounts.writer, account.NEW_LINK)
    with peers.ours(MEMORY, ":memory:") as without_file:
        writer = account.open_accounts(without_file).writer
        writing_to_memory = Script(folder, "POST-memory", writer, account.NEW_LINK)
        cases = []
        for connections in options.connections:
            for server in servers:
                prepare = (lambda: account.reset(servers[0], accounts.writer)) if server is servers[0] else None
                cases.append(Case(server, POST, writing, connections, prepare))
            if connections == COMPARED_AT:
                prepare = lambda: account.reset(without_file, writer)  # noqa: E731
                cases.append(Case(without_file, POST, writing_to_memory, connections, prepare))
        results.runs |= measure_cases(cases, options.rounds, options.seconds)
        results.memory[POST] = {server.name: server.memory() for server in [*servers, without_file]}


def measure_bursts(options: argparse.Namespace, results: Results, servers: list[Server], accounts: Accounts) -> None:
    """Measure many new connections at once."""
    for number in range(options.rounds):
        for server in servers:
            show(f"burst {number + 1} of {options.rounds}: {server.name}")
            milliseconds, failed = storms.new_connections(server, accounts.reader, 200)
            if failed:
                raise CannotMeasure(f"{server.name} failed {failed} of 200 connections at once.")
            results.bursts.setdefault(server.name, []).append(milliseconds)
    for number in range(min(options.rounds, MOST_ROUNDS)):
        for server in servers:
            show(f"larger burst {number + 1}: {server.name}")
            _, failed = storms.new_connections(server, accounts.reader, 1000)
            results.failures.setdefault(server.name, []).append(failed)
    show("")


def measure_logins(options: argparse.Namespace, results: Results, folder: Path, accounts: Accounts) -> None:
    """Measure how a rush of logins slows down a reader. The server gets all cores, as it does in use."""
    with peers.ours(OURS, folder / "logins.db", accounts.reader, CORES) as server:
        for number in range(min(options.rounds, 2)):
            show(f"logins, round {number + 1}")
            times, seconds = storms.reads_during_logins(server, accounts, 200)
            results.reads_during_logins.append(quantiles(times, n=100)[98])
            results.logins.append(seconds)
    show("")
