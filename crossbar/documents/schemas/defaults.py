# SPDX-License-Identifier: MPL-2.0
"""The defaults of a schema at every depth, those under objects that are absent too.

Source: `kz_json_schema:default_object`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crossbar.documents.document import merge

Schema = dict[str, Any]


def nested_defaults(
    schema: Schema, find: Callable[[str], Schema | None], above: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the properties of a schema are where nothing is said; an object without any default is left out.

    `find` gives the schema of an id; `above` are the references that led here, which are not followed again.
    """
    found: dict[str, Any] = {}
    for name, declared in schema.get("properties", {}).items():
        reference = declared.get("$ref")
        if reference in above:
            continue
        inner = (find(reference) or {}) if reference else declared
        below = nested_defaults(inner, find, (*above, reference) if reference else above)
        default = declared.get("default", inner.get("default"))
        if isinstance(default, dict):
            found[name] = merge(below, default)
        elif default is not None or below:
            found[name] = below if default is None else default
    return found
