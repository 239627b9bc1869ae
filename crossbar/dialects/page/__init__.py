# SPDX-License-Identifier: MPL-2.0
"""The page at `/api`: which interfaces there are, what each can do, and a way to try it; nothing comes from outside."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from aiohttp import web

from crossbar.dialects.refusals import json_answer
from crossbar.pages.static_file import ASK_AGAIN, StaticFile, content_type_of

PARTS: Final = ("page.js", "page.css")
APIS: Final = (("wazo-auth", "/api/auth/0.1"), ("wazo-confd", "/api/confd/1.1"), ("xivo-restapi", "/1.0"))
POLICY: Final = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; base-uri 'none'"


def mount_page(app: web.Application) -> None:
    """Make the page and its parts known to an application."""
    for path in ("/api", "/api/"):
        app.router.add_get(path, _page)
    app.router.add_get("/api/catalog/index.json", _catalog)
    for name in PARTS:
        app.router.add_get(f"/api/{name}", _part)


async def _page(request: web.Request) -> web.Response:
    return await _file("page.html").answer(request, keep=ASK_AGAIN, headers={"Content-Security-Policy": POLICY})


async def _part(request: web.Request) -> web.Response:
    return await _file(request.path.rpartition("/")[2]).answer(request, keep=ASK_AGAIN)


async def _catalog(request: web.Request) -> web.Response:
    origin = f"{request.scheme}://{request.host}"
    apis = [{"title": title, "url": f"{origin}{prefix}/api/api.yml"} for title, prefix in APIS]
    return json_answer({"apis": apis}, headers={"Access-Control-Allow-Origin": "*"})


@cache
def _file(name: str) -> StaticFile:
    return StaticFile(files(__package__).joinpath(name).read_bytes(), content_type_of(name))
