# SPDX-License-Identifier: MPL-2.0
"""Where the time of a worker goes: flame graphs by py-spy, taken while requests of one kind are sent."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from benchmarks import wrk
from benchmarks.operations import Operation
from benchmarks.servers import Server, ended_with_us

KINDS = ("GET one", "list of 50", "create", "update")


def find_py_spy() -> str:
    """The program. ClickException, which says how to install it, if there is none."""
    found = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if found is None:
        raise click.ClickException(f"--profile needs py-spy: {sys.executable} -m pip install py-spy")
    return found


async def profile(
    todo: Iterable[Operation], server: Server, folder: Path, *, workers: int, seconds: float, connections: int
) -> list[Path]:
    """One flame graph of one worker for each kind of request; of threads that hold the interpreter."""
    made = []
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    for operation in todo:
        if operation.name not in KINDS:
            continue
        file = folder / f"{operation.name.replace(' ', '-')}-{workers}.svg"
        place = ["--pid", str(server.workers()[0]), "--output", str(file), "--duration", f"{max(seconds, 1):.0f}"]
        options = ["--gil", "--nonblocking", "--rate", "200", "--format", "flamegraph"]
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            find_py_spy(), "record", *place, *options, stdin=quiet, stdout=quiet, stderr=quiet
        )
        with ended_with_us(process):
            # The load goes on a little longer than the recording, which takes a moment to begin.
            await wrk.run(operation.loads[server.name], server, [], seconds + 2, connections)
            await process.wait()
        if file.exists():
            made.append(file)
    return made
