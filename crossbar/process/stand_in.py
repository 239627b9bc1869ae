# SPDX-License-Identifier: MPL-2.0
"""What answers on the server's ports while no worker does."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict

from crossbar import __version__
from crossbar.config import Config
from crossbar.errors import CrossbarError
from crossbar.ids import new_id
from crossbar.process.serving import Listener, tls_context
from crossbar.wire.envelope import Envelopes, Exchange
from crossbar.wire.expectation import answer_expectations
from crossbar.wire.headers import answer_headers

RETRY_AFTER_S: Final = "5"


@asynccontextmanager
async def standing_in(listeners: Sequence[Listener], config: Config, reason: Callable[[], str]) -> AsyncIterator[None]:
    """Answer 503 to everything until the block ends; `/healthz` says what is wrong."""
    envelopes = Envelopes(socket.gethostname(), __version__)

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "failing", "reason": reason()}, status=503, headers=_leaving({}))

    async def refuse(_: web.Request) -> web.Response:
        request_id = new_id()
        body = envelopes.error(
            CrossbarError(503, "no_worker", {"message": "no worker serves; /healthz says why"}),
            Exchange(request_id),
        )
        return web.Response(status=503, body=body, headers=_leaving(answer_headers(request_id)))

    app = web.Application()
    app.router.add_get("/healthz", health)
    app.router.add_route("*", r"/{path:[\s\S]*}", refuse)
    answer_expectations(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    try:
        await runner.setup()
        for listener in listeners:
            context = tls_context(config.tls) if listener.tls else None
            # A copy, as the end of the site closes its socket while the workers' goes on.
            await web.SockSite(runner, listener.socket.dup(), ssl_context=context).start()
        yield
    finally:
        await runner.cleanup()


def _leaving(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Headers that send the client to a worker next time."""
    return CIMultiDict({**headers, hdrs.CONNECTION: "close", hdrs.RETRY_AFTER: RETRY_AFTER_S})
