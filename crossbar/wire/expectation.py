# SPDX-License-Identifier: MPL-2.0
"""The header `Expect`: `100-continue` is met, anything else refused with 417.

aiohttp repeats in its refusal what the client sent, and fails where that is no UTF-8. It takes another handler only
where a route is made, which whoever makes one would have to think of; so all are given it when they are there.
"""

from __future__ import annotations

from aiohttp import HttpVersion11, hdrs, web


def answer_expectations(app: web.Application) -> None:
    """Let all routes of an application answer `Expect`; called when they are all there."""
    for route in app.router.routes():
        route._expect_handler = _meet


async def _meet(request: web.Request) -> None:
    if request.version != HttpVersion11:
        return
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise web.HTTPExpectationFailed
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # the answer itself has not begun
