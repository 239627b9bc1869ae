# SPDX-License-Identifier: MPL-2.0
"""The folder of a built user interface, such as MonsterUI, served beside the API."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from crossbar.endpoint.client_address import ClientAddress
from crossbar.pages import interface_config
from crossbar.pages.static_file import ASK_AGAIN, StaticFile, content_type_of

INDEX: Final = "index.html"
LARGEST_KEPT: Final = 4 * 2**20
"""Bytes of a file that is read whole; larger ones are sent from the disk."""
MOST_KEPT: Final = 64 * 2**20
"""Bytes of files that a worker keeps in memory."""
ONE_DAY: Final = "public, max-age=86400"
SELDOM_CHANGED: Final = ("image/", "font/", "audio/", "video/")


class FoundFile(NamedTuple):
    """A file as it is now: when it was changed, and how many bytes it has."""

    path: Path
    changed: int
    size: int


class InterfaceFolder:
    """Answers with the files of one folder; what changes there is served at once."""

    def __init__(self, folder: Path, addresses: ClientAddress, *, compress: bool) -> None:
        self._folder = folder.resolve()
        self._addresses = addresses
        self._compress = compress
        self._kept: OrderedDict[FoundFile, StaticFile] = OrderedDict()
        """Those asked for last, at the end those asked for just now."""

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse | None:
        """The file at a path below the folder; None where there is none that may be seen."""
        if path == interface_config.PATH:
            return await self._config(request)
        found = await asyncio.to_thread(self._find, path)
        if found is None:
            return None
        kind = content_type_of(found.path.name)
        keep = ONE_DAY if kind.startswith(SELDOM_CHANGED) else ASK_AGAIN
        if found.size > LARGEST_KEPT:
            headers = {"Cache-Control": keep, "Content-Type": kind, "X-Content-Type-Options": "nosniff"}
            return web.FileResponse(found.path, headers=headers)
        return await (await self._contents(found)).answer(request, keep=keep, compress=self._compress)

    def _find(self, path: str) -> FoundFile | None:
        """A file that lies in the folder, links followed; nothing whose name begins with a dot."""
        names = [name for name in path.split("/") if name] or [INDEX]
        if any(name.startswith(".") or "\0" in name or "\\" in name for name in names):
            return None
        try:
            found = self._folder.joinpath(*names).resolve()
            if found.is_dir():
                found = (found / INDEX).resolve()
            if not (found.is_relative_to(self._folder) and found.is_file()):
                return None
            state = found.stat()
        except OSError:  # a name that is too long, or a folder that we may not look into
            return None
        return FoundFile(found, state.st_mtime_ns, state.st_size)

    async def _contents(self, found: FoundFile) -> StaticFile:
        """What stands in a file, from memory where it is the same as before."""
        file = self._kept.pop(found, None)
        if file is None:
            body = await asyncio.to_thread(found.path.read_bytes)
            file = StaticFile(body, content_type_of(found.path.name))
        self._kept[found] = file
        while len(self._kept) > 1 and sum(kept.size for kept in self._kept.values()) > MOST_KEPT:
            self._kept.popitem(last=False)
        return file

    async def _config(self, request: web.Request) -> web.Response:
        found = await asyncio.to_thread(self._find, interface_config.PATH)
        text = None if found is None else (await self._contents(found)).body.decode(errors="replace")
        if text is None or interface_config.is_module(text):
            text = interface_config.interface_config(text, self._addresses.origin(request))
        file = StaticFile(text.encode(), content_type_of(interface_config.PATH))
        return await file.answer(request, keep="no-store", compress=self._compress)
