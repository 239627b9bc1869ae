# SPDX-License-Identifier: MPL-2.0
"""Programs that work on files for us, each within its time and its size.

What a client sent may make any program hang, grow or crash; here it does so in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_READ_BYTES: Final = 64 * 1024
_LONGEST_COMPLAINT: Final = 2_000


class ToolError(Exception):
    """The program failed, took too long or produced too much; the text says which."""


class ToolMissing(ToolError):
    """There is no program for the work; the text is fit for a client."""


async def run(command: Sequence[str], contents: bytes, *, seconds: float, largest: int) -> bytes:
    """Feed `contents` to a program and return what it prints, at most `largest` bytes in `seconds`.

    The program sees nothing of our environment but the search path. Raises ToolError; the process is gone then.
    """
    name = os.path.basename(command[0])  # noqa: PTH119 - a word of a command line
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{name} cannot be started: {error.strerror}") from error
    try:
        async with asyncio.timeout(seconds):
            _, printed, complaint = await asyncio.gather(
                _feed(process, contents), _printed(process, largest), _complaint(process)
            )
            status = await process.wait()
    except TimeoutError:
        raise ToolError(f"{name} took more than {seconds:g} s") from None
    finally:
        if process.returncode is None:
            _kill(process)
            await process.communicate()  # waiting alone never ends while something printed is unread
    if len(printed) > largest:
        raise ToolError(f"{name} produced more than {largest} bytes")
    if status:
        raise ToolError(f"{name} failed ({status}): {complaint}")
    return printed


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a program and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _feed(process: asyncio.subprocess.Process, contents: bytes) -> None:
    """Hand over the contents; a program may well stop listening before the end."""
    if process.stdin is not None and not process.stdin.is_closing():
        with suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(contents)
            await process.stdin.drain()
        process.stdin.close()


async def _printed(process: asyncio.subprocess.Process, largest: int) -> bytes:
    """What the program prints; as soon as that is more than `largest` bytes the program ends."""
    printed = bytearray()
    while process.stdout is not None and (chunk := await process.stdout.read(_READ_BYTES)):
        if len(printed) <= largest:
            printed += chunk
            if len(printed) > largest:
                _kill(process)
    return bytes(printed)


async def _complaint(process: asyncio.subprocess.Process) -> str:
    """The end of what the program had to say, for the log."""
    said = b""
    while process.stderr is not None and (chunk := await process.stderr.read(_READ_BYTES)):
        said = (said + chunk)[-_LONGEST_COMPLAINT:]
    return said.decode("utf-8", "replace").strip()
