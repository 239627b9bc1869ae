# SPDX-License-Identifier: MPL-2.0
"""What lists of CDRs cost in an account that has few, and in one that has a million.

    python -m benchmarks.cdrs --sizes 10000,1000000

Both accounts are in one database of one server; the operations are interleaved, each is one request at a time over a
kept connection. Printed are the medians, and the most memory that the server process took while it answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import orjson
from rich.console import Console
from rich.progress import Progress

from benchmarks import frame, servers
from benchmarks.seed_cdrs import seed
from crossbar import clock
from trials.installation import PASSWORD

DATABASE = "bench-cdrs"
DAY = 86_400
LONGEST_IDLE = 5.0
"""Seconds after which the server may have closed a connection that nobody used."""
RARE_CALLER = "+14155550042"
COLUMNS = ("operation", "CDRs", "median ms", "slowest ms", "rows", "peak RSS MB")


class Client:
    """One kept connection to the server on a port, as one user of one account."""

    def __init__(self, port: int, account_id: str = "", token: str = "") -> None:
        self.port = port
        self.account_id = account_id
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._used = 0.0
        self._headers = {"Content-Type": "application/json", "X-Auth-Token": token}

    def send(self, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None) -> bytes:
        """The body of a successful answer."""
        body = None if data is None else orjson.dumps({"data": data})
        if time.monotonic() - self._used > LONGEST_IDLE:
            self._connection.close()
        self._connection.request(method, f"/v2{path}", body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        raw = response.read()
        self._used = time.monotonic()
        if response.status not in (200, 201, 204):
            raise RuntimeError(f"{method} {path}: {response.status} {raw[:300]!r}")
        return raw

    def data(self, path: str, **query: Any) -> Any:
        """The `data` of a GET below the account."""
        return orjson.loads(self.send("GET", f"/accounts/{self.account_id}{path}?{urlencode(query)}"))["data"]

    def sheet(self, path: str, **query: Any) -> list[bytes]:
        """The rows of a CSV below the account."""
        query["accept"] = "csv"
        raw = self.send("GET", f"/accounts/{self.account_id}{path}?{urlencode(query)}")
        return raw.split(b"\r\n")[1:-1]


def login(port: int, name: str, account_id: str = "") -> Client:
    """A client of the administrator of the account of this name."""
    credentials = hashlib.md5(f"admin:{PASSWORD}".encode(), usedforsecurity=False).hexdigest()
    answer = orjson.loads(Client(port).send("PUT", "/user_auth", {"credentials": credentials, "account_name": name}))
    return Client(port, account_id or answer["data"]["account_id"], answer["auth_token"])


def new_account(master: Client, size: int) -> Client:
    """An account of its own, whose administrator is no reseller."""
    name = f"with {size}"
    created = orjson.loads(
        master.send("PUT", f"/accounts/{master.account_id}", {"name": name, "realm": f"with{size}.example.com"})
    )
    account_id = created["data"]["id"]
    admin = {
        "first_name": "Ada",
        "last_name": "Admin",
        "username": "admin",
        "password": PASSWORD,
        "priv_level": "admin",
    }
    master.send("PUT", f"/accounts/{account_id}/users", admin)
    return login(master.port, name, account_id)


@dataclass(frozen=True)
class Operation:
    """A request; `run` returns how many rows it gave."""

    name: str
    run: Callable[[Client], int]


def operations() -> list[Operation]:
    """What is measured, in the order of the table."""
    now = clock.now()
    yesterday = {"created_from": now - 2 * DAY, "created_to": now - DAY}
    return [
        Operation("page of 50", lambda client: len(client.data("/cdrs"))),
        Operation("page of 50, two days back", lambda client: len(client.data("/cdrs", **yesterday))),
        Operation(
            "filtered page, rare caller",
            lambda client: len(client.data("/cdrs", filter_caller_id_number=RARE_CALLER)),
        ),
        Operation(
            "filtered page, hangup cause",
            lambda client: len(client.data("/cdrs", filter_hangup_cause="CALL_REJECTED")),
        ),
        Operation(
            "filtered page, no index, one day",
            lambda client: len(client.data("/cdrs", filter_user_agent="Phone T42 66.84.0.7", **yesterday)),
        ),
        Operation("page of 50 interactions", lambda client: len(client.data("/cdrs/interaction"))),
        Operation("legs of an interaction", _legs),
        Operation("CSV of a day", lambda client: len(client.sheet("/cdrs", **yesterday))),
        Operation("CSV of a day's interactions", lambda client: len(client.sheet("/cdrs/interaction", **yesterday))),
        Operation("CSV of all in 31 days", lambda client: len(client.sheet("/cdrs"))),
        Operation("list without pages, 31 days", lambda client: len(client.data("/cdrs", paginate="false"))),
    ]


def _legs(client: Client) -> int:
    return len(client.data(f"/cdrs/legs/{_known(client)}"))


def _known(client: Client, known: dict[str, str] = {}) -> str:  # noqa: B006 - remembered on purpose
    """The interaction of the account's newest call."""
    if client.account_id not in known:
        known[client.account_id] = client.data("/cdrs", page_size=1)[0]["interaction_id"]
    return known[client.account_id]


def peak_memory(pids: list[int]) -> float:
    """The most memory that one of the processes took since the last `forget_peak`, in MB."""
    return max(_status(pid, "VmHWM") for pid in pids) / 1024


def forget_peak(pids: list[int]) -> None:
    """Begin to measure anew (`man 5 proc`, clear_refs)."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def measure(clients: dict[int, Client], todo: list[Operation], pids: list[int], rounds: int) -> Iterator[list[str]]:
    """The rows of the table."""
    for operation in todo:
        took: dict[int, list[float]] = {size: [] for size in clients}
        peak: dict[int, float] = dict.fromkeys(clients, 0.0)
        rows: dict[int, int] = {}
        for number in range(rounds + 1):
            for size, client in clients.items():
                forget_peak(pids)
                begun = time.perf_counter()
                rows[size] = operation.run(client)
                if number:  # the first one warms up
                    took[size].append((time.perf_counter() - begun) * 1000)
                    peak[size] = max(peak[size], peak_memory(pids))
        for size in clients:
            yield [
                operation.name,
                f"{size:,}",
                f"{statistics.median(took[size]):.1f}",
                f"{max(took[size]):.1f}",
                f"{rows[size]:,}",
                f"{peak[size]:.0f}",
            ]


@click.command()
@click.option(
    "--sizes", default="10000,1000000", callback=frame.whole_numbers, show_default=True, help="CDRs of each account."
)
@click.option("--rounds", default=9, show_default=True, help="How often each request is repeated.")
@click.option("--only", default="", help="Measure only operations whose name contains this.")
@click.option("--cache-gb", default=1.0, show_default=True, help="Cache of the database.")
def main(sizes: list[int], rounds: int, only: str, cache_gb: float) -> None:
    """Seed, measure, print."""
    todo = [operation for operation in operations() if only in operation.name]
    frame.run(
        lambda folder, uri: _measured(folder, uri, sizes, todo, rounds=rounds, cache_gb=cache_gb), cache_gb=cache_gb
    )


async def _measured(
    folder: Path, uri: str, sizes: list[int], todo: list[Operation], *, rounds: int, cache_gb: float
) -> None:
    console = Console(width=120)
    nothing_remembered = {"CROSSBAR_DATABASE__MEMORY_MB": "0"}  # each request is repeated
    async with servers.crossbar(uri, DATABASE, folder / "data", 1, nothing_remembered) as server:
        master = await asyncio.to_thread(login, server.port, "Master")
        clients = {size: await asyncio.to_thread(new_account, master, size) for size in sizes}
        for size, client in clients.items():
            await seed(uri, DATABASE, client.account_id, size)
        console.print(f"{frame.machine('1 worker', f'single-node replica set with {cache_gb:g} GB of cache')}\n")
        for row in (COLUMNS, ["---"] * len(COLUMNS)):
            console.print("| " + " | ".join(row) + " |", soft_wrap=True)
        pids = servers.descendants(server.pid)
        with Progress(transient=True, console=console) as progress:
            task = progress.add_task("measuring", total=len(todo) * len(sizes))
            measured = measure(clients, todo, pids, rounds)
            while row := await asyncio.to_thread(next, measured, None):
                progress.advance(task)
                console.print("| " + " | ".join(row) + " |", soft_wrap=True)


if __name__ == "__main__":
    main()
