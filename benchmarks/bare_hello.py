# SPDX-License-Identifier: MPL-2.0
"""The floor under everything: aiohttp answering `hello`, nothing else.

Usage: python -m benchmarks.bare_hello PORT WORKERS
"""

from __future__ import annotations

import sys

from aiohttp import web

from benchmarks.processes import serve


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def build() -> web.Application:
    app = web.Application()
    app.router.add_get("/", hello)
    return app


if __name__ == "__main__":
    serve(build, int(sys.argv[1]), int(sys.argv[2]))
