# SPDX-License-Identifier: MPL-2.0
"""Values laid over defaults, and what remains of them without the defaults.

Source: `kapps_config_doc.erl` (`config_with_defaults`, `diff_from_default`), `kz_json:diff`.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from crossbar.documents.document import merge
from crossbar.errors import JSON
from crossbar.runtime import Runtime


def system_defaults(runtime: Runtime, category: str) -> dict[str, Any]:
    """What a category of settings is where nothing is stored: its schema's defaults, then the server's files."""
    schema_id = f"system_config.{category}"
    schema = runtime.schemas.get(schema_id)
    if schema is None:
        return {}
    values, _ = runtime.schemas.errors(schema_id, {})
    for key, value in runtime.settings.given(category).items():
        first, *rest = key.split(".")
        if first in schema.get("properties", {}):
            nested = reduce(lambda inner, step: {step: inner}, reversed(rest), value)
            values = merge(values, {first: nested})
    return values


def complete_defaults(runtime: Runtime, category: str) -> dict[str, Any]:
    """The defaults of a category at every depth, those under objects that are absent too."""
    return merge(runtime.schemas.defaults(f"system_config.{category}"), system_defaults(runtime, category))


def difference(values: dict[str, JSON], defaults: dict[str, JSON]) -> dict[str, JSON]:
    """The part of `values` that `defaults` do not say already."""
    different: dict[str, JSON] = {}
    for key, value in values.items():
        default = defaults.get(key)
        if isinstance(value, dict) and isinstance(default, dict):
            if rest := difference(value, default):
                different[key] = rest
        elif key not in defaults or value != default:
            different[key] = value
    return different
