# SPDX-License-Identifier: MPL-2.0
"""The pages that come with the server, and the files they load: all from this package, nothing from outside.

A page names the files it loads below `{{files}}`, an address with a digest of all of them: browsers keep them for ever,
and load those of another release anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import web

from crossbar.pages.static_file import ASK_AGAIN, FOR_EVER, StaticFile, content_type_of

PREFIX: Final = "/pages"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
_PLACE: Final = re.compile(r"\{\{([\w.-]+)\}\}")


@cache
def shipped() -> Mapping[str, StaticFile]:
    """Every file that pages load, by its path below `PREFIX/<digest>/`."""
    folder = files(__package__).joinpath("files")
    found: dict[str, StaticFile] = {}
    for path, file in _below(folder, ""):
        if not path.endswith(".html"):
            found[path] = StaticFile(file.read_bytes(), content_type_of(path))
    return found


def _below(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        found += _below(entry, f"{prefix}{entry.name}/") if entry.is_dir() else [(f"{prefix}{entry.name}", entry)]
    return found


@cache
def address() -> str:
    """Where the files of this release are."""
    whole = hashlib.sha256()
    for path, file in sorted(shipped().items()):
        whole.update(f"{path} {file.etag}\n".encode())
    return f"{PREFIX}/{whole.hexdigest()[:16]}"


def page(name: str, **values: str) -> StaticFile:
    """A page with its parts (`{{part.html}}`) and values (`{{name}}`) filled in."""

    def filled(match: re.Match[str]) -> str:
        place = match[1]
        if place == "files":
            return address()
        return _PLACE.sub(filled, _text(place)) if place.endswith(".html") else escape(values[place])

    return StaticFile(_PLACE.sub(filled, _text(name)).encode(), "text/html; charset=utf-8")


def _text(name: str) -> str:
    return files(__package__).joinpath("files", name).read_text(encoding="utf-8")


async def show(request: web.Request, shown: StaticFile) -> web.Response:
    """A page as the answer to a request."""
    return await shown.answer(request, keep=ASK_AGAIN, headers=HEADERS)


async def serve_file(request: web.Request) -> web.Response:
    """A file that a page loads."""
    file = shipped().get(request.match_info["path"])
    if file is None:
        raise web.HTTPNotFound
    current = request.path.startswith(f"{address()}/")
    return await file.answer(request, keep=FOR_EVER if current else ASK_AGAIN)
