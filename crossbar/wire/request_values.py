# SPDX-License-Identifier: MPL-2.0
"""What a request asks for besides its data: options, the verb, the credential.

Source: `cb_context:req_value`, `api_util:get_http_verb`, `api_util:get_auth_token`, `api_util:maybe_set_pretty_print`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from aiohttp import hdrs
from multidict import istr

from crossbar.errors import JSON
from crossbar.wire.query import NO_QUERY, Query
from crossbar.wire.text import clean

_X_AUTH_TOKEN = istr("X-Auth-Token")
_X_PRETTY_PRINT = istr("X-Pretty-Print")
_X_REQUEST_ID = istr("X-Request-ID")
_LONGEST_REQUEST_ID = 128

Headers = Mapping[str, str]


def is_true(value: object) -> bool:
    """Loosely true: `true` or `"true"`, nothing else."""
    return value is True or value == "true"


def is_false(value: object) -> bool:
    """Loosely false: `false` or `"false"`, nothing else."""
    return value is False or value == "false"


class Values:
    """The options of one request, looked up in `data` (if an object), the query string, then the envelope."""

    __slots__ = ("_data", "_envelope", "_nothing", "query")

    def __init__(self, data: JSON = None, query: Query = NO_QUERY, envelope: Mapping[str, JSON] | None = None) -> None:
        self._data: Mapping[str, JSON] = data if isinstance(data, dict) else {}
        self.query = query
        self._envelope: Mapping[str, JSON] = envelope if envelope is not None else {}
        self._nothing = not (self._data or query.pairs or self._envelope)

    def get(self, name: str) -> JSON:
        """The first value given that is not null; None without one."""
        if self._nothing:
            return None
        value = self._data.get(name)
        if value is None:
            value = self.query.first.get(name)
            if value is None:
                value = self._envelope.get(name)
        return value

    def text(self, name: str) -> str | None:
        """The first value if it is a text with at least one character."""
        value = self.get(name)
        return value if isinstance(value, str) and value else None

    def envelope_first(self, name: str) -> JSON:
        """The lookup of `action` on channels and conferences: envelope, then data."""
        value = self._envelope.get(name)
        return self._data.get(name) if value is None else value

    def is_true(self, name: str) -> bool:
        """Whether an option is loosely true."""
        return is_true(self.get(name))

    def is_false(self, name: str) -> bool:
        """Whether an option is loosely false."""
        return is_false(self.get(name))

    def verb(self, method: str) -> str:
        """The verb to act on: `verb` of the request, upper-cased, else the HTTP method."""
        verb = self.text("verb")
        return verb.upper() if verb else method


class PresentedCredential(NamedTuple):
    """What the caller presented.

    `token` is a JWT, `basic` the base64 text after `Basic`, `bearer` the id of a stored token document, `unusable` an
    `Authorization` of another scheme.
    """

    kind: Literal["token", "basic", "bearer", "unusable"]
    value: str

    @property
    def echo(self) -> str | None:
        """What the answer repeats as `auth_token`: never a password."""
        return self.value if self.kind in ("token", "bearer") else None


def credential(headers: Headers, values: Values) -> PresentedCredential | None:
    """The first of `X-Auth-Token`, `auth_token`, `Authorization`, `authorization`; None without any."""
    token = headers.get(_X_AUTH_TOKEN) or values.text("auth_token")
    if token:
        return PresentedCredential("token", clean(token))
    authorization = headers.get(hdrs.AUTHORIZATION) or values.text("authorization")
    if not authorization:
        return None
    scheme, _, value = clean(authorization).strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "basic" if value:
            return PresentedCredential("basic", value)
        case "bearer" if value:
            return PresentedCredential("bearer", value)
        case _:
            return PresentedCredential("unusable", "")


def pretty_print(headers: Headers, values: Values) -> bool:
    """Whether the answer is to be indented."""
    return is_true(headers.get(_X_PRETTY_PRINT)) or values.is_true("pretty_print")


def line_end(headers: Headers) -> bytes:
    """What ends a JSON answer: nothing, but a line end for `curl`, whose prompt would come behind the last brace."""
    return b"\n" if headers.get(hdrs.USER_AGENT, "").startswith("curl/") else b""


def presented_request_id(headers: Headers) -> str | None:
    """`X-Request-ID`, to be echoed; None if it is absent or no plain text of a sensible length."""
    given = headers.get(_X_REQUEST_ID)
    if given and len(given) <= _LONGEST_REQUEST_ID and given.isascii() and given.isprintable():
        return given
    return None
