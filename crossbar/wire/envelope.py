# SPDX-License-Identifier: MPL-2.0
"""Answers as bytes: the envelope around the data, or around an error.

Source: `api_util:create_default_resp_envelope`, `api_util:create_resp_content`, `kz_nodes:node_encoded`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from crossbar import clock
from crossbar.errors import JSON, CrossbarError, Empty
from crossbar.wire.json_text import json_text

AUTOMATIC: Final = "automatic"
"""`revision` of an answer to PUT or POST that is a list, and of log-ins."""

_CALLBACK_NAME: Final = re.compile(r"[A-Za-z_$][\w$.]{0,127}", re.ASCII)


class Exchange(NamedTuple):
    """What every answer repeats about its request.

    `auth_token` is the credential presented, or the new one of a log-in; `tokens` (consumed, remaining) of the
    caller's bucket; the server's version is told to authenticated callers only.
    """

    request_id: str
    auth_token: str | None = None
    authenticated: bool = False
    tokens: tuple[int, int] = (0, 100)


class PageInfo(NamedTuple):
    """Paging keys of a listing: items in this page, opaque keys of this and the next page."""

    page_size: int
    start_key: str | None = None
    next_start_key: str | None = None


class Envelopes:
    """Renders the envelopes of one node."""

    def __init__(self, node_name: str, version: str) -> None:
        digest = hashlib.md5(node_name.encode(), usedforsecurity=False).digest()
        self.node = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self._node = b',"node":"%s"' % self.node.encode()
        self._node_and_version = b'%s,"version":%s' % (self._node, orjson.dumps(version))
        self._second = 0
        self._timestamp = b""

    def success(
        self,
        data: bytes | None,
        exchange: Exchange,
        *,
        revision: str | None = None,
        page: PageInfo | None = None,
        metadata: JSON = None,
        extra: Mapping[str, JSON] | None = None,
    ) -> bytes:
        """A success envelope.

        `data` is ready JSON text; None leaves the key out. `extra` are an endpoint's own top-level keys.
        """
        parts = [b'{"status":"success"'] if data is None else [b'{"data":', data, b',"status":"success"']
        if revision is not None:
            parts += (b',"revision":', orjson.dumps(revision))
        if page is not None:
            parts.append(_paging(page))
        parts += self._about(exchange)
        if metadata is not None:
            parts += (b',"metadata":', orjson.dumps(metadata))
        if extra:
            parts += (b",", orjson.dumps(extra)[1:-1])
        parts.append(b"}")
        return b"".join(parts)

    def error(self, error: CrossbarError, exchange: Exchange) -> bytes:
        """An error envelope; nothing for an error that is answered without a body."""
        if isinstance(error, Empty):
            return b""
        return b"".join(
            (
                b'{"data":',
                json_text(error.data),
                b',"status":"error","error":"%d","message":' % error.status,
                json_text(error.message),
                *self._about(exchange),
                b"}",
            )
        )

    def _about(self, exchange: Exchange) -> list[bytes]:
        request_id, auth_token, authenticated, (consumed, remaining) = exchange
        parts = [] if auth_token is None else [b',"auth_token":', orjson.dumps(auth_token)]
        parts += (
            b',"request_id":',
            orjson.dumps(request_id),
            self._node_and_version if authenticated else self._node,
            self._now(),
            b',"tokens":{"consumed":%d,"remaining":%d}' % (consumed, remaining),
        )
        return parts

    def _now(self) -> bytes:
        second = int(clock.unix_now())
        if second != self._second:
            self._timestamp = b',"timestamp":"%s"' % clock.iso_timestamp().encode()
            self._second = second
        return self._timestamp


def pretty(body: bytes) -> bytes:
    """The same JSON, indented."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)


def jsonp(body: bytes, callback: str) -> bytes:
    """`callback({…});`, or the body as it is if the name is none a script could call."""
    return b"%s(%s);" % (callback.encode(), body) if _CALLBACK_NAME.fullmatch(callback) else body


def _paging(page: PageInfo) -> bytes:
    page_size, start_key, next_start_key = page
    text = b',"page_size":%d' % page_size
    if start_key is not None:
        text += b',"start_key":' + orjson.dumps(start_key)
    if next_start_key is not None:
        text += b',"next_start_key":' + orjson.dumps(next_start_key)
    return text
