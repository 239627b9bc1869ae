# SPDX-License-Identifier: MPL-2.0
"""The requests of a web interface, and the documents it writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.harness import Api

Document = dict[str, Any]

MADE_BY = {"version": "4.3.0", "ui": "monster-ui", "origin": "voip"}


@dataclass
class Ui:
    """The web interface of one account: it marks what it writes, and stops at what is refused."""

    api: Api
    _times: count[int] = field(default_factory=count)

    async def get(self, path: str, **query: Any) -> Any:
        """The data of a GET that no cache answers."""
        answer = await self.api.get(path, query={**query, "_": str(next(self._times))})
        assert (answer.status, answer.envelope["status"]) == (200, "success"), answer.envelope
        return answer.data

    async def put(self, path: str, data: Document) -> Document:
        """A new document, as the server has it."""
        return await self._send("PUT", path, data)

    async def post(self, path: str, data: Document) -> Document:
        """A whole document in place of the one before."""
        return await self._send("POST", path, data)

    async def patch(self, path: str, data: Document) -> Document:
        """Some fields of a document."""
        return await self._send("PATCH", path, data)

    async def delete(self, path: str) -> Document:
        """A document less. The interface sends a body with this, too."""
        gone = await self._send("DELETE", path, {})
        assert gone["_read_only"] == {"deleted": True}
        return gone

    async def change(self, path: str, alter: Callable[[Document], None]) -> Document:
        """Read a document, alter it and send all of it back, with what was added for reading."""
        document = await self.get(path)
        alter(document)
        return await self.post(path, document)

    async def _send(self, verb: str, path: str, data: Document) -> Document:
        answer = await self.api.request(verb, path, {**data, "ui_metadata": MADE_BY})
        assert (answer.status, answer.envelope["status"]) == (201 if verb == "PUT" else 200, "success"), answer.envelope
        document: Document = answer.data
        return document


def action(module: str, data: Document | None = None, **children: Document) -> Document:
    """A step of a callflow."""
    return {"module": module, "data": data or {}, "children": children}


def callflow(numbers: list[str], flow: Document, **fields: Any) -> Document:
    """A callflow as the interface writes it."""
    return {"contact_list": {"exclude": False}, "numbers": numbers, "flow": flow, **fields}
