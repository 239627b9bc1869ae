# SPDX-License-Identifier: MPL-2.0
"""A refusal in a dialect's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from crossbar.errors import JSON
from crossbar.wire.json_text import json_text


class Refusal(Exception):
    """An answer of 400 and above: `body` is its JSON, None for an empty body."""

    def __init__(self, status: int, body: JSON = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class WrongValue(Exception):
    """A value that a property does not take; the text is the dialect's."""


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=json_text(body), status=status, headers=dict(headers or {}), content_type="application/json"
    )


def empty_answer(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer without a body, and without the type of one."""
    response = web.Response(status=status, headers=dict(headers or {}))
    if status != 204:
        response.headers["Content-Length"] = "0"
    response.headers.popall("Content-Type", None)
    return response
