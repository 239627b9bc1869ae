# SPDX-License-Identifier: MPL-2.0
"""What browsers are shown: a start page, the API's documentation, the server's state, and a user interface beside them.

| path | shows |
| --- | --- |
| `/` | a browser the user interface, or without one the start page; anybody else the banner |
| `/start` | the start page |
| `/docs` | the API's documentation (Swagger UI over `/openapi.json`), where `api.describe` says so |
| `/status`, `/status.json` | the server's state, for administrators of the master account |
| `/pages/…` | what these pages load |
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from crossbar import __version__
from crossbar.config import Config
from crossbar.endpoint.dispatcher import Dispatcher
from crossbar.endpoint.rendering import Rendering
from crossbar.metrics import METRICS
from crossbar.pages.browsers import wants_page
from crossbar.pages.interface_folder import InterfaceFolder
from crossbar.pages.page_files import PREFIX, page, serve_file, show
from crossbar.pages.static_file import StaticFile
from crossbar.pages.status_data import PATH as STATUS_PATH
from crossbar.pages.status_data import StatusData
from crossbar.pages.worker_figures import telling
from crossbar.runtime import Runtime

__all__ = ["mount", "opened"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STATUS: Final = web.AppKey("status data", StatusData)
INTERFACE: Final = web.AppKey("user interface", InterfaceFolder)
BESIDE_THE_API: Final = r"/{path:(?!(?:v\d+|hooks)(?:/|$))[\s\S]+}"


def mount(app: web.Application, config: Config, banner: Handler) -> None:
    """Make the pages known to an application; `banner` answers what is no page, as if there were none."""
    docs = "yes" if config.api.describe else ""
    start = page("start.html", version=__version__, interface="yes" if config.ui.folder else "", docs=docs)
    shown = {"/start": start, "/status": page("status.html", docs=docs)}
    if docs:
        shown["/docs"] = page("docs.html")
    for path, one in shown.items():
        app.router.add_get(path, _shows(one))
        app.router.add_get(f"{path}/", _shows(one))
    app.router.add_get(PREFIX + r"/{release:\w+}/{path:[\w./-]+}", serve_file)
    app.router.add_get(STATUS_PATH, _status)
    has_interface = config.ui.folder is not None

    async def root(request: web.Request) -> web.StreamResponse:
        if not wants_page(request):
            return await banner(request)
        return await _beside(request, "", banner) if has_interface else await show(request, start)

    async def beside(request: web.Request) -> web.StreamResponse:
        return await _beside(request, request.match_info["path"], banner)

    app.router.add_get("/", root, allow_head=False)
    if has_interface:
        app.router.add_get(BESIDE_THE_API, beside)


@asynccontextmanager
async def opened(
    app: web.Application, runtime: Runtime, dispatcher: Dispatcher, rendering: Rendering
) -> AsyncIterator[None]:
    """What the pages need while the server runs."""
    app[STATUS] = StatusData(runtime, dispatcher, rendering, app[METRICS])
    config = runtime.config
    if config.ui.folder is not None:
        compress = config.server.compress_response_body
        app[INTERFACE] = InterfaceFolder(config.ui.folder, dispatcher.client_address, compress=compress)
    async with telling(app, runtime, dispatcher):
        yield


def _shows(shown: StaticFile) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await show(request, shown)

    return handle


async def _status(request: web.Request) -> web.StreamResponse:
    return await request.app[STATUS].handle(request)


async def _beside(request: web.Request, path: str, banner: Handler) -> web.StreamResponse:
    """A file of the user interface; the banner where it has none."""
    found = await request.app[INTERFACE].answer(request, path)
    return await banner(request) if found is None else found
