# SPDX-License-Identifier: MPL-2.0
"""Values as pairs of a form or of a query string. Source: KAZOO `kz_http_util:json_to_querystring`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from crossbar.errors import JSON


def form_pairs(value: JSON, name: str = "") -> Iterator[tuple[str, str]]:
    """An object as pairs: `a[b]=c` for what lies deeper, `a[]=c` for each item of a list, `true` and `false`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from form_pairs(inner, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from form_pairs(inner, f"{name}[]")
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def form_text(value: JSON) -> str:
    """An object as the text of a form."""
    return urlencode(list(form_pairs(value)))
