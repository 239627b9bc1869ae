# SPDX-License-Identifier: MPL-2.0
"""Serving a bare application from one or several processes, as the server itself does: uvloop, one shared port."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable

import uvloop
from aiohttp import web


def serve(build: Callable[[], Awaitable[web.Application]], port: int, workers: int) -> None:
    """Serve until killed; the first process forks the others."""
    for _ in range(workers - 1):
        if os.fork() == 0:
            break

    async def run() -> None:
        runner = web.AppRunner(await build(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_port=True).start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)
        await asyncio.Event().wait()

    uvloop.run(run())
