"""The page at `/api`: which interfaces there are, what each can do, and a way to try it; nothing comes from outside."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from aiohttp import web

from crossbar.dialects.refusals import json_answer

TYPES: Final = {"page.js": "text/javascript", "page.css": "text/css"}
APIS: Final = (("wazo-auth", "/api/auth/0.1"), ("wazo-confd", "/api/confd/1.1"), ("xivo-restapi", "/1.0"))
POLICY: Final = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; base-uri 'none'"


def mount_page(app: web.Application) -> None:
    """Make the page and its parts known to an application."""
    for path in ("/api", "/api/"):
        app.router.add_get(path, _page)
    app.router.add_get("/api/catalog/index.json", _catalog)
    for name in TYPES:
        app.router.add_get(f"/api/{name}", _part)


async def _page(_: web.Request) -> web.Response:
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=_read("page.html"), content_type="text/html", charset="utf-8", headers=headers)


async def _part(request: web.Request) -> web.Response:
    name = request.path.rpartition("/")[2]
    return web.Response(body=_read(name), content_type=TYPES[name], charset="utf-8")


async def _catalog(request: web.Request) -> web.Response:
    origin = f"{request.scheme}://{request.host}"
    apis = [{"title": title, "url": f"{origin}{prefix}/api/api.yml"} for title, prefix in APIS]
    return json_answer({"apis": apis}, headers={"Access-Control-Allow-Origin": "*"})


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()
