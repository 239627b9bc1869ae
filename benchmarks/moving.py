# SPDX-License-Identifier: MPL-2.0
"""What it costs to move an account: to a file and from there, and straight from an API.

    python -m benchmarks.moving --documents 100000

The account has users, devices, voicemail boxes, callflows and CDRs, and a message with its sound in one box of a
hundred. Each command runs once, as a process of its own, beside a server with one worker on the same database; the
other installation is an empty database of the same `mongod`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import frame, samples, servers
from benchmarks.cdrs import Client, login, new_account
from benchmarks.pour import pour
from crossbar import app, clock
from crossbar.config import Config
from crossbar.documents.document import Document
from crossbar.documents.document_types import CALLFLOW, DEVICE, USER, VMBOX
from crossbar.resources.calls.voicemail.domain.voicemail_message import TYPE as MESSAGE
from crossbar.resources.records.domain.cdr import cdr_of
from crossbar.runtime import Runtime

SOURCE, TARGET = "bench-moving", "bench-moved"
COLUMNS = ("command", "seconds", "documents/s", "peak RSS MB", "told")
SOUND = os.urandom(60_000)
"""A message of half a minute."""
SHARES = {USER: 10, DEVICE: 30, VMBOX: 5, CALLFLOW: 15, "cdr": 40}
"""Per cent of the documents, by type."""
RARE = 100
"""One box in so many has a message."""


@dataclass(frozen=True)
class Ran:
    """A command that was run: how long it took, how much memory, and what it said last."""

    seconds: float
    megabytes: float
    told: str


def documents(account_id: str, document_type: str, count: int) -> Iterator[Document]:
    """Documents of a type as interfaces make them."""
    chance, now = random.Random(count), clock.now()
    for number in range(count):
        one = f"{document_type}{number:08}"
        if document_type == "cdr":
            legs = samples.call_legs(account_id, number, now - number % clock.DAY - 3600, chance)
            yield cdr_of(account_id, {**legs[0], "id": f"{clock.year_month(now)}-{one}"})
            continue
        fields = {
            DEVICE: lambda n: samples.device(n, chance),
            USER: lambda n: {"first_name": "U", "last_name": str(n), "username": f"u{n}", "priv_level": "user"},
            VMBOX: lambda n: {"name": f"Box {n}", "mailbox": str(10_000 + n), "owner_id": f"{USER}{n:08}"},
            CALLFLOW: lambda n: {
                "name": f"Flow {n}",
                "numbers": [str(100_000 + n)],
                "flow": {"module": "user", "data": {"id": f"{USER}{n:08}"}, "children": {}},
            },
        }[document_type](number)
        private = {"pvt_type": document_type, "pvt_account_id": account_id, "pvt_created": now, "pvt_modified": now}
        yield Document(account_id, document_type, one, {**fields, **private, "pvt_vsn": "1"})


async def _fill(runtime: Runtime, account_id: str, count: int) -> None:
    for document_type, percent in SHARES.items():
        share = count * percent // 100
        await pour(runtime.store, documents(account_id, document_type, share), share, document_type)
    for number in range(0, count * SHARES[VMBOX] // 100, RARE):
        message = _message(account_id, number)
        await runtime.store.insert(message)
        await runtime.attachments.put(message, f"{message.id}.mp3", "audio/mp3", SOUND)


def _message(account_id: str, number: int) -> Document:
    now = clock.now()
    message_id = f"{clock.year_month(now)}-message{number:08}"
    metadata = {"timestamp": now, "folder": "new", "media_id": message_id, "length": 30_000, "caller_id_name": "C"}
    about = {"source_id": f"{VMBOX}{number:08}", "metadata": metadata, "media_source": "recording"}
    private = {"pvt_type": MESSAGE, "pvt_account_id": account_id, "pvt_created": now, "pvt_modified": now}
    return Document(account_id, MESSAGE, message_id, {**about, **private})


async def _crossbar(uri: str, database: str, data: Path, *arguments: str) -> Ran:
    """Run a command to its end."""
    variables = {
        **{key: value for key, value in os.environ.items() if not key.startswith("CROSSBAR_")},
        "CROSSBAR_DATABASE__URI": uri,
        "CROSSBAR_DATABASE__NAME": database,
        "CROSSBAR_LOG__LEVEL": "error",
    }
    command = [sys.executable, "-m", "crossbar", *arguments, "--data", str(data)]
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command, env=variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    peak = 0
    reading = asyncio.ensure_future(process.communicate())
    while not reading.done():
        peak = max(peak, _resident(process.pid))
        await asyncio.wait([reading], timeout=0.2)
    output, _ = reading.result()
    if process.returncode not in (0, 2):
        raise RuntimeError(f"{' '.join(command)} failed")
    lines = [line for line in output.decode().splitlines() if line.startswith(("Wrote", "Created"))]
    return Ran(time.monotonic() - began, peak / 2**20, lines[-1].partition(" to ")[0] if lines else "")


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError):
        return 0


async def _measure(folder: Path, uri: str, count: int) -> None:
    rows = []
    data = {name: folder / name for name in (SOURCE, TARGET, "third")}
    file = folder / "account"
    async with servers.crossbar(uri, SOURCE, data[SOURCE], 1) as server:
        master = login(server.port, "Master")
        account = new_account(master, count)
        config = Config.load(None, {}, {"database.name": SOURCE, "server.data": str(data[SOURCE])})
        async with app.open_runtime(config, uri) as runtime:
            await _fill(runtime, account.account_id, count)
        for database in (TARGET, "third"):
            first = ("--account", "Target", "--realm", "target.test", "--user", "admin", "--password", "hush-hush")
            await _crossbar(uri, database, data[database], "init", *first)
        source = ("--from", server.url, "--account", account.account_id, "--api-key", _api_key(account))
        runs = (
            ("export", SOURCE, ("export", "--account", account.account_id, str(file))),
            ("import FILE", TARGET, ("import", str(file))),
            ("import FILE again", TARGET, ("import", str(file))),
            ("import --from", "third", ("import", *source)),
            ("import --from again", "third", ("import", *source)),
        )
        for name, database, arguments in runs:
            ran = await _crossbar(uri, database, data[database], *arguments)
            rows.append([name, f"{ran.seconds:.1f}", f"{count / ran.seconds:,.0f}", f"{ran.megabytes:.0f}", ran.told])
    size = file.stat().st_size / 2**20
    frame.report(COLUMNS, rows, f"{count:,} documents", f"a file of {size:.1f} MB")


def _api_key(account: Client) -> str:
    return str(account.data("/api_key")["api_key"])


@click.command()
@click.option("--documents", "count", default=100_000, show_default=True, help="Documents of the account.")
def main(count: int) -> None:
    """Move an account in each way, and print what it took."""
    frame.run(lambda folder, uri: _measure(folder, uri, count))


if __name__ == "__main__":
    main()
