"""`make bench`: the server against two bare applications, in one run on one machine.

Three servers share one `mongod`: a bare aiohttp `hello`, a bare aiohttp over the driver (`bare_driver.py`), and this
server with its whole protocol on. Rounds are interleaved, so that a noisy neighbour disturbs all alike; printed are
the medians of the rounds: requests a second, p50, p99, CPU microseconds of the server a request, and ratios.

Needs `wrk` (Debian's package of that name).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
from pymongo import MongoClient
from rich.console import Console
from rich.progress import Progress

from benchmarks import samples
from crossbar.documents.embedded import EmbeddedMongo

HERE = Path(__file__).parent
DEVICES = 1000
PASSWORD = "benchmark password"
COLUMNS = ["operation", "server", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "ratio to bare", "errors"]
PORTS = {"hello": 8101, "bare": 8102, "crossbar": 8103}


@dataclass(frozen=True)
class Measured:
    """One run of wrk."""

    rate: float
    p50: float
    p99: float
    cpu: float
    errors: int


@dataclass(frozen=True)
class Target:
    """A request to repeat: what wrk's script needs, as environment variables."""

    port: int
    method: str
    paths: list[str]
    bodies: list[str]
    headers: dict[str, str]


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / ticks


def descendants(pid: int) -> list[int]:
    """A process and all its children, but not the database."""
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if "mongod" not in Path(f"/proc/{child}/comm").read_text():
            found += descendants(int(child))
    return found


def run_wrk(target: Target, pids: list[int], seconds: float, connections: int) -> Measured:
    """Repeat the target's requests and measure both sides."""
    with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
        file.write("\n".join([*target.paths, "", *target.bodies]).encode())
        file.flush()
        script = str(HERE / "load.lua")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", "-s", script]
        before = cpu_seconds(pids)
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{target.port}", "--", target.method, file.name,
             *(f"{name}: {value}" for name, value in target.headers.items())],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        used = cpu_seconds(pids) - before
    figures = orjson.loads(done.stdout.rpartition("JSON ")[2])
    return Measured(
        figures["requests"] / figures["seconds"],
        figures["p50"],
        figures["p99"],
        used / max(figures["requests"], 1) * 1e6,
        figures["errors"],
    )


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A server process, killed at the end with its children."""
    # The log is written as in service, to where it disturbs nobody.
    with tempfile.TemporaryFile() as log:
        variables = {**os.environ, **(environment or {})}
        process = subprocess.Popen([sys.executable, *command], env=variables, stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            for pid in reversed(descendants(process.pid)):
                os.kill(pid, 15)
            process.wait()


def wait_for(port: int) -> None:
    """Until a server takes connections."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


@dataclass(frozen=True)
class Operation:
    """One row of the table: a request to the bare application (if it has it) and one to the server."""

    name: str
    bare: Target | None
    crossbar: Target


@contextmanager
def servers(workers: int, uri: str, data: Path) -> Iterator[dict[str, list[int]]]:
    """All three servers, up; their processes by name."""
    environment = {
        "CROSSBAR_DATABASE__URI": uri,
        "CROSSBAR_DATABASE__NAME": f"bench{workers}",
        "CROSSBAR_BUCKETS__TOKEN_COSTS": "0",
        "CROSSBAR_ADMIN_PASSWORD": PASSWORD,
        "CROSSBAR_LOG__LEVEL": "info",
    }
    count = str(workers)
    serve = ("-m", "crossbar", "serve", "--create-admin", "--data", str(data), "--workers", count)
    with (
        running("-m", "benchmarks.bare_hello", str(PORTS["hello"]), count) as hello,
        running("-m", "benchmarks.bare_driver", str(PORTS["bare"]), count, uri) as bare,
        running(*serve, "--port", str(PORTS["crossbar"]), environment=environment) as crossbar,
    ):
        for port in PORTS.values():
            wait_for(port)
        root = f"http://127.0.0.1:{PORTS['crossbar']}"
        while not _answers(f"{root}/readyz"):
            time.sleep(0.05)
        processes = {"hello": hello, "bare": bare, "crossbar": crossbar}
        yield {name: descendants(process.pid) for name, process in processes.items()}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def call(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """One request to the server; the envelope."""
    url = f"http://127.0.0.1:{PORTS['crossbar']}/v2{path}"
    data = None if body is None else orjson.dumps({"data": body})
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return orjson.loads(response.read())


def operations(uri: str, workers: int) -> list[Operation]:
    """Seed both databases with the same devices, log in, and say what to measure."""
    with MongoClient[dict[str, Any]](uri) as client:
        account_id = client[f"bench{workers}"].documents.find_one({"a": "accounts"})["doc"]["pvt_account_id"]  # type: ignore[index]
        login = {
            "credentials": hashlib.md5(f"admin:{PASSWORD}".encode(), usedforsecurity=False).hexdigest(),
            "account_name": "Master",
        }
        token = call("PUT", "/user_auth", login)["auth_token"]
        headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
        chance = random.Random(1)
        bare = client.bare.devices
        bare.delete_many({})
        ids = []
        for number in range(DEVICES):
            device = samples.device(number, chance)
            stored = call("PUT", f"/accounts/{account_id}/devices", device, headers)["data"]
            ids.append(stored["id"])
            bare.insert_one({**stored, "_id": stored["id"], "account": account_id})
    bare_root, root = f"/accounts/{account_id}/devices", f"/v2/accounts/{account_id}/devices"
    new = [_body(_unnamed(number, chance)) for number in range(500)]
    changes = [_body({"name": f"Renamed {number}"}) for number in range(500)]

    def pair(name: str, method: str, suffixes: list[str], bodies: list[str]) -> Operation:
        return Operation(
            name,
            Target(PORTS["bare"], method, [bare_root + end for end in suffixes], bodies, {}),
            Target(PORTS["crossbar"], method, [root + end for end in suffixes], bodies, headers),
        )

    each = [f"/{device_id}" for device_id in ids]
    port = PORTS["crossbar"]
    return [
        pair("GET one", "GET", each, []),
        pair("list of 50", "GET", [""], []),
        pair("create", "PUT", [""], new),
        pair("update", "POST", each, new),
        pair("PATCH", "PATCH", each, changes),
        Operation("log-in", None, Target(port, "PUT", ["/v2/user_auth"], [_body(login)], {})),
        Operation("refused (401)", None, Target(port, "GET", [root], [], {})),
    ]


def _unnamed(number: int, chance: random.Random) -> dict[str, Any]:
    """A device that no other is in conflict with, however often it is sent."""
    device = samples.device(number, chance)
    del device["mac_address"], device["sip"]["username"]
    return device


def _body(data: Any) -> str:
    return orjson.dumps({"data": data}).decode()


def measure(
    workers: int, uri: str, data: Path, *, only: str, seconds: float, rounds: int, connections: int
) -> list[list[str]]:
    """The rows of one table."""
    results: dict[tuple[str, str], list[Measured]] = {}
    with servers(workers, uri, data) as pids:
        todo = [operation for operation in operations(uri, workers) if only in operation.name]
        hello = Target(PORTS["hello"], "GET", ["/"], [], {})
        with Progress(transient=True) as progress:
            task = progress.add_task(f"{workers} worker(s)", total=rounds * (2 * len(todo) + 1))
            for _ in range(rounds):
                runs = [("hello", "hello", hello)]
                for operation in todo:
                    runs += [(operation.name, "bare", operation.bare)] if operation.bare else []
                    runs.append((operation.name, "crossbar", operation.crossbar))
                for name, server, target in runs:
                    measured = run_wrk(target, pids[server], seconds, connections)
                    results.setdefault((name, server), []).append(measured)
                    progress.advance(task)
    return [_row(name, server, runs, results.get((name, "bare"))) for (name, server), runs in results.items()]


def _row(name: str, server: str, runs: list[Measured], bare: list[Measured] | None) -> list[str]:
    rate = statistics.median(run.rate for run in runs)
    ratio = ""
    if server == "crossbar" and bare:
        ratio = f"{rate / statistics.median(run.rate for run in bare):.2f}"
    figures = [statistics.median(getattr(run, key) for run in runs) for key in ("p50", "p99", "cpu")]
    errors = sum(run.errors for run in runs) if name != "refused (401)" else 0
    return [
        name, server, f"{rate:,.0f}", f"{figures[0]:.1f}", f"{figures[1]:.1f}", f"{figures[2]:.0f}", ratio, str(errors),
    ]  # fmt: skip


@click.command()
@click.option("--seconds", default=4.0, help="How long each run takes.")
@click.option("--rounds", default=3, help="How often each is repeated.")
@click.option("--connections", default=32)
@click.option("--only", default="", help="Measure only operations whose name contains this.")
@click.option("--workers", "counts", default="1,2", help="Worker counts to measure.")
def main(seconds: float, rounds: int, connections: int, counts: str, only: str) -> None:
    """Print one table for each number of workers."""
    if shutil.which("wrk") is None:
        raise click.ClickException("wrk is needed: apt-get install wrk")
    console = Console(width=120)
    folder = Path(tempfile.mkdtemp(prefix="crossbar-bench-"))
    try:
        asyncio.run(
            _measured(console, folder, counts, only=only, seconds=seconds, rounds=rounds, connections=connections)
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _measured(console: Console, folder: Path, counts: str, **settings: Any) -> None:
    mongo = EmbeddedMongo(folder / "mongo", cache_gb=1.0)
    uri = await mongo.start()
    try:
        version = platform.python_version()
        console.print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {version}, single-node replica set")
        for count in map(int, counts.split(",")):
            rows = await asyncio.to_thread(measure, count, uri, folder / f"data{count}", **settings)
            console.print(f"\n{count} worker(s), {settings['connections']} connections\n")
            for row in [COLUMNS, ["---"] * len(COLUMNS), *rows]:
                console.print("| " + " | ".join(row) + " |", soft_wrap=True)
    finally:
        await mongo.stop()


if __name__ == "__main__":
    main()
