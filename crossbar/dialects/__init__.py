# SPDX-License-Identifier: MPL-2.0
"""Dialects: the same documents in the languages of other phone systems, XiVO's and Wazo's.

A dialect is a thin translation above Crossbar's own resources: a declaration says which of its properties lives where,
and whatever it changes goes through the life cycle that Crossbar's endpoints go through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from crossbar.dialects import wazo_auth, xivo10, xivo11
from crossbar.dialects.callers import Callers
from crossbar.dialects.description import describe
from crossbar.dialects.dialect_dispatcher import Dialect, DialectDispatcher
from crossbar.dialects.granted import GROUP_SHAPE, POLICY_SHAPE
from crossbar.dialects.page import mount_page
from crossbar.dialects.shapes import SHAPES as LINE_SHAPES
from crossbar.dialects.shapes import extended
from crossbar.dialects.wazo_auth.sessions import REFRESH_SHAPE, TOKEN_SHAPE, Sessions
from crossbar.endpoint.dispatcher import Dispatcher
from crossbar.runtime import Runtime

__all__ = ["DIALECTS", "SHAPES", "extended", "mount", "open_dispatchers"]

SHAPES: Final = (*LINE_SHAPES, POLICY_SHAPE, GROUP_SHAPE, TOKEN_SHAPE, REFRESH_SHAPE)
"""How documents are kept that only dialects know."""
DIALECTS: Final[tuple[Dialect, ...]] = (xivo10.DIALECT, xivo11.DIALECT, wazo_auth.DIALECT)
DISPATCHERS: Final = web.AppKey("dialects", dict[str, DialectDispatcher])


def mount(app: web.Application) -> None:
    """Make the paths of all dialects, and of the page about them, known to an application."""
    mount_page(app)
    for dialect in DIALECTS:
        for prefix in dialect.prefixes:
            handler = _handler(dialect.name)
            app.router.add_route("*", prefix, handler)
            app.router.add_route("*", prefix + r"/{path:[\s\S]*}", handler)


for _dialect in DIALECTS:
    describe(_dialect)


def open_dispatchers(app: web.Application, runtime: Runtime, dispatcher: Dispatcher) -> None:
    """What answers them, once the runtime is there."""
    callers = Callers(Sessions(runtime))
    app[DISPATCHERS] = {dialect.name: DialectDispatcher(runtime, dialect, dispatcher, callers) for dialect in DIALECTS}


def _handler(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await request.app[DISPATCHERS][name].handle(request)

    return handle
