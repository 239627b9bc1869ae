# SPDX-License-Identifier: MPL-2.0
"""What history, audit, dry runs and named tokens cost: `python -m benchmarks.history`, also run by `make bench`.

Two servers on one `mongod`, each with a database of its own: one keeps versions, the other (`no history`) does not.
Requests and figures are those of `python -m benchmarks`. The last rows create documents once more where the index that
the audit trail reads is gone (`no history, no index`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import click
from pymongo import AsyncMongoClient
from rich.progress import Progress

from benchmarks import frame, wrk
from benchmarks.operations import operations
from benchmarks.seed import Account, seed
from benchmarks.servers import Server, crossbar

COLUMNS = ("operation", "server", "requests/s", "p50 ms", "p99 ms", "CPU µs server", "CPU µs mongod", "errors")
KEEPS, FORGETS, BARE = "history", "no history", "no history, no index"
DATABASES = {KEEPS: "bench-history", FORGETS: "bench-no-history"}
WRITES = ("create", "update", "PATCH")


async def named_token(server: Server, account: Account) -> str:
    """A new token of the account's first user."""
    url, headers = f"{server.url}/v2/accounts/{account.id}/tokens", {"X-Auth-Token": account.tokens[0]}
    async with (
        aiohttp.ClientSession() as session,
        session.put(url, json={"data": {"name": "bench"}}, headers=headers) as answer,
    ):
        token: str = (await answer.json())["data"]["token"]
        return token


def _load(name: str, method: str, requests: Sequence[wrk.Request], folder: Path) -> wrk.Load:
    return wrk.Load.of(method, requests, folder / f"{name.replace(' ', '-').replace(',', '')}.txt")


async def _loads(server: Server, accounts: Sequence[Account], folder: Path) -> dict[str, wrk.Load]:
    """The rows of a server, in the order in which they are measured."""
    rows = {row.name: row.loads["crossbar"] for row in operations(accounts, ["crossbar"], folder)}
    loads = {name: rows[name] for name in ("GET one", *WRITES)}
    if folder.name == KEEPS:
        renames = [line.split("\t") for line in rows["PATCH"].file.read_text().splitlines()]
        patches = [wrk.Request(path, token, body) for path, token, body in renames]
        dry = [replace(one, path=f"{one.path}?dry_run=true") for one in patches]
        loads["PATCH, dry run"] = _load("PATCH, dry run", "PATCH", dry, folder)
        past = [wrk.Request(f"{one.path}/history", one.token) for one in patches]
        loads["history of one"] = _load("history of one", "GET", past, folder)
        pages = [wrk.Request(f"/v2/accounts/{one.id}/audit", one.tokens[0]) for one in accounts]
        loads["audit, page of 50"] = _load("audit, page of 50", "GET", pages, folder)
        tokens = {one.id: await named_token(server, one) for one in accounts}
        reads = [wrk.Request(one.path, tokens[one.path.split("/")[3]]) for one in patches]
        loads["GET one, named token"] = _load("GET one, named token", "GET", reads, folder)
    return loads


async def measure(folder: Path, uri: str, seconds: float, rounds: int) -> None:
    """Seed, measure, print."""
    database = [int((folder / "mongo" / "mongod.pid").read_text())]
    results: dict[tuple[str, str], list[wrk.Measured]] = {}
    async with AsyncExitStack() as stack:
        started: dict[str, Server] = {}
        loads: dict[str, dict[str, wrk.Load]] = {}
        for name, keep in ((KEEPS, "30"), (FORGETS, "0")):
            options = {"CROSSBAR_HISTORY__KEEP_DAYS": keep}
            server = await stack.enter_async_context(
                crossbar(uri, DATABASES[name], folder / f"data {name}", 1, options)
            )
            with Progress(transient=True) as progress:
                accounts = await seed(server, uri, [], progress)
            started[name], loads[name] = server, await _loads(server, accounts, folder / name)
            await wrk.run(loads[name]["create"], server, [], 1, 32)
        for _ in range(rounds):
            for row in loads[KEEPS]:
                for name in (name for name in started if row in loads[name]):
                    found = await wrk.run(loads[name][row], started[name], database, seconds, 32)
                    results.setdefault((row, name), []).append(found)
        async with AsyncMongoClient(uri) as client:
            await client[DATABASES[FORGETS]]["documents"].drop_index("a_m")
        for _ in range(rounds):
            for row in WRITES:
                found = await wrk.run(loads[FORGETS][row], started[FORGETS], database, seconds, 32)
                results.setdefault((row, BARE), []).append(found)
    rows = []
    for (row, name), runs in sorted(results.items(), key=lambda one: [*loads[KEEPS]].index(one[0][0])):
        one = wrk.median(runs)
        rows.append([
            row, name, f"{one.rate:,.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}",
            f"{one.cpu:,.0f}", f"{one.database_cpu:,.0f}", str(one.errors),
        ])  # fmt: skip
    frame.report(COLUMNS, rows, "1 worker, 32 connections")


@click.command()
@click.option("--seconds", default=4.0, show_default=True, help="How long each run takes.")
@click.option("--rounds", default=3, show_default=True, help="How often each is repeated.")
def main(seconds: float, rounds: int) -> None:
    """Print the table."""

    async def measured(folder: Path, uri: str) -> None:
        for name in DATABASES:
            (folder / name).mkdir()
        await measure(folder, uri, seconds, rounds)

    frame.run(measured)


if __name__ == "__main__":
    main()
