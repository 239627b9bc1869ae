# SPDX-License-Identifier: MPL-2.0
"""What every benchmark begins and ends with: a folder, a database in it, and what was measured on."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import table
from crossbar.documents.embedded import EmbeddedMongo


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="crossbar-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def mongod(folder: Path, *, cache_gb: float = 1.0) -> AsyncIterator[str]:
    """The URI of a database in a folder."""
    mongo = EmbeddedMongo(folder / "mongo", cache_gb=cache_gb)
    uri = await mongo.start()
    try:
        yield uri
    finally:
        await mongo.stop()


def run(measured: Callable[[Path, str], Coroutine[Any, Any, None]], *, cache_gb: float = 1.0) -> None:
    """Run a benchmark, which gets a folder and the URI of a database in it."""

    async def with_database(folder: Path) -> None:
        async with mongod(folder, cache_gb=cache_gb) as uri:
            await measured(folder, uri)

    with scratch_folder() as folder:
        asyncio.run(with_database(folder))


def machine(*more: str) -> str:
    """When, and on what, something was measured."""
    about = (time.strftime("%Y-%m-%d"), f"{os.cpu_count()} cores", f"Python {platform.python_version()}")
    return ", ".join((*about, *more))


def report(columns: Sequence[str], rows: Sequence[Sequence[str]], *more: str) -> None:
    """Print what was measured, below when and on what."""
    console = Console(width=120)
    console.print(f"{machine(*more)}\n")
    table.show(console, columns, rows)


def whole_numbers(_: click.Context, __: click.Parameter, value: str) -> list[int]:
    """The numbers of an option, with commas between them."""
    return [int(number) for number in value.split(",")]
