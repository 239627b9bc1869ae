# SPDX-License-Identifier: MPL-2.0
"""Headers of an answer.

Source: `api_util:get_cors_headers`, `api_util:is_cors_request`, `api_resource:generate_etag`, `api_resource:expires`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from aiohttp import hdrs
from multidict import CIMultiDict, istr

JSON_TYPE: Final = "application/json"
"""Exactly this, without a charset: clients compare the whole value."""

LONG_AGO: Final = "Fri, 01 Jan 1999 00:00:00 GMT"
"""`expires` of a GET, unless an endpoint has its own."""

_X_REQUEST_ID: Final = istr("X-Request-ID")
_ALLOWED_HEADERS: Final = (
    "content-type, depth, user-agent, x-http-method-override, x-file-size, x-requested-with, if-modified-since, "
    "x-file-name, cache-control, x-auth-token, x-kazoo-cluster-id, if-match, authorization"
)
_EXPOSED_HEADERS: Final = "content-type, x-auth-token, x-request-id, x-kazoo-cluster-id, location, etag, etag"
_LONGEST_METHOD: Final = 20


def is_cors(headers: Mapping[str, str]) -> bool:
    """Whether a request is a cross-origin one."""
    return (
        hdrs.ORIGIN in headers
        or hdrs.ACCESS_CONTROL_REQUEST_METHOD in headers
        or hdrs.ACCESS_CONTROL_REQUEST_HEADERS in headers
    )


def answer_headers(
    request_id: str,
    *,
    content_type: str | None = JSON_TYPE,
    language: str = "en",
    cors: Mapping[str, str] | None = None,
    etag: str | None = None,
    expires: str | None = None,
    location: str | None = None,
) -> CIMultiDict[str]:
    """The headers of one answer.

    `content_type` is None where there is no body, `cors` comes from `cors_headers`, `etag` is the bare revision (it
    is quoted here).
    """
    headers = CIMultiDict(_USUAL if cors is None else cors)
    headers[_X_REQUEST_ID] = request_id
    if content_type is not None:
        headers[hdrs.CONTENT_TYPE] = content_type
    headers[hdrs.CONTENT_LANGUAGE] = language
    if etag is not None:
        headers[hdrs.ETAG] = f'"{etag}"'
    if expires is not None:
        headers[hdrs.EXPIRES] = expires
    if location is not None:
        headers[hdrs.LOCATION] = location
    return headers


def cors_headers(allowed: tuple[str, ...], requested: str | None = None) -> Mapping[str, str]:
    """The headers every answer has, with the CORS set for an endpoint that allows these methods.

    `requested` is `Access-Control-Request-Method`; a method the endpoint lacks is named first.
    """
    methods = ("OPTIONS", *allowed)
    if requested and requested not in methods and len(requested) <= _LONGEST_METHOD and requested.isalpha():
        methods = (requested, *methods)
    return _cors(methods)


_USUAL: Final[Mapping[str, str]] = {hdrs.SERVER: "Cowboy", hdrs.VARY: "accept-language, accept"}


@lru_cache(maxsize=1024)
def _cors(methods: tuple[str, ...]) -> Mapping[str, str]:
    return {
        **_USUAL,
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(methods),
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _ALLOWED_HEADERS,
        hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED_HEADERS,
        hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
    }
