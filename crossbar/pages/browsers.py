# SPDX-License-Identifier: MPL-2.0
"""Who is a browser that wants to be shown a page."""

from __future__ import annotations

from aiohttp import hdrs, web

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})


def wants_page(request: web.Request) -> bool:
    """Whether a request names HTML among what it accepts; `*/*` alone, as programs send it, does not."""
    if request.method != hdrs.METH_GET:
        return False
    for entry in request.headers.get(hdrs.ACCEPT, "").split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name in PAGE_TYPES and not any(_is_refusal(parameter) for parameter in parameters):
            return True
    return False


def _is_refusal(parameter: str) -> bool:
    key, _, value = parameter.partition("=")
    try:
        return key.strip() == "q" and float(value) == 0
    except ValueError:
        return False
