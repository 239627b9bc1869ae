# SPDX-License-Identifier: MPL-2.0
"""Conditional requests: `If-Match` and `If-None-Match`.

Source: `api_resource:generate_etag` and the precondition steps of `cowboy_rest`. Dates play no part, because no answer
has a `Last-Modified`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs

from crossbar.errors import Empty

IF_MATCH_TEXT: Final = "The revision that is to be changed, or `*`; with another one nothing happens"
IF_NONE_MATCH_TEXT: Final = "The revision that the caller has already"


def is_conditional(headers: Mapping[str, str]) -> bool:
    """Whether there is anything to check."""
    return hdrs.IF_MATCH in headers or hdrs.IF_NONE_MATCH in headers


def check_preconditions(headers: Mapping[str, str], method: str, etag: str | None) -> bool:
    """Judge a request against the bare `etag` (the revision) of what stands at its path, None if there is none.

    True means that the client has this version already: answer 304. Raises an empty 412.
    """
    match, none_match = headers.get(hdrs.IF_MATCH), headers.get(hdrs.IF_NONE_MATCH)
    if match is not None and (method == "PUT" or etag is None or not _names(match, etag)):
        raise Empty(412, "precondition failed")
    if none_match is None:
        return False
    reads = method in ("GET", "HEAD")
    if etag is None:
        if reads:
            raise Empty(412, "precondition failed")
        return False
    if not _names(none_match, etag):
        return False
    if not reads:
        raise Empty(412, "precondition failed")
    return True


def _names(header: str, etag: str) -> bool:
    """Whether a list of entity tags (`"1-ab"`, `W/"1-ab"`, also without quotes) or `*` includes this one."""
    return any(tag.strip().removeprefix("W/").strip('"') in (etag, "*") for tag in header.split(","))
