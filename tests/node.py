# SPDX-License-Identifier: MPL-2.0
"""Programs for Node in the suite: what is not here is fetched once from npm, and lies in pytest's cache."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

FETCHING = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000", "--loglevel=error")
PATIENCE_S = 120


async def cached(config: pytest.Config, name: str, version: str, fetch: Callable[[Path], Awaitable[None]]) -> Path:
    """The folder of a package, which `fetch` puts into the folder `package` of one where nothing is.

    Skips the test where Node or npm is missing.
    """
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        pytest.skip(f"{' and '.join(missing)} not found; {name} needs Node 18 or newer")
    if (cache := getattr(config, "cache", None)) is None:
        pytest.skip(f"{name} is kept in pytest's cache, which is switched off")
    unpacked = cache.mkdir(name) / version
    if not unpacked.is_dir():
        with tempfile.TemporaryDirectory(dir=unpacked.parent) as folder:
            await fetch(Path(folder))
            try:
                (Path(folder) / "package").rename(unpacked)
            except OSError:  # another process of the tests was faster
                assert unpacked.is_dir()
    return unpacked


async def run(command: list[str], folder: Path, sent: bytes = b"", **environment: str) -> tuple[int, bytes, str]:
    """Status, standard output and standard error of a program."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | environment
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            printed, said = await process.communicate(sent)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, printed, said.decode(errors="replace")


async def npm(*arguments: str, folder: Path) -> None:
    """Have npm fetch something into a folder; skips the test where it cannot."""
    status, _, said = await run(["npm", *arguments, *FETCHING], folder)
    if status != 0:
        pytest.skip(f"npm cannot fetch it: {said.strip().partition(chr(10))[0]}")
