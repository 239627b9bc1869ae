# SPDX-License-Identifier: MPL-2.0
"""Schemas of draft 4, as the server holds requests to them, as schemas of 2020-12, which OpenAPI 3.1 speaks.

What says nothing that a client could act on is left out; KAZOO's own keywords become extensions (`x-`). A keyword that
is none of these is an error: nothing is dropped unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from crossbar.documents.schemas.library import Schema, transformed
from crossbar.documents.schemas.nodes import module_schema

KEPT: Final = frozenset(
    {
        *("type", "description", "default", "enum", "format", "pattern", "$ref", "title"),
        *("properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties"),
        *("items", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "minimum", "maximum"),
        *("oneOf", "anyOf", "allOf", "not"),
    }
)
"""Keywords that mean the same in both."""
LEFT_OUT: Final = frozenset({"$schema", "id", "_id", "patern", "name"})
"""What identifies a file, and misspellings that no validator reads."""
EXCLUSIVE: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
"""What draft 4 has for a remark on a bound, and its successor for a bound of its own."""
EXTENSIONS: Final = frozenset({"support_level", "kazoo-validation", "kazoo-regexp"})
PARTIAL: Final = "partial"
"""A schema of this part of a name has no required fields: documents as they are shown, and changes of some fields."""


def component(schema_id: str) -> str:
    """Where a schema is in a description."""
    return f"#/components/schemas/{schema_id}"


def partial_id(schema_id: str) -> str:
    """The name of the schema without required fields."""
    return f"{schema_id}.{PARTIAL}"


def converted(schema: Schema) -> Schema:
    """A whole schema, its references pointing at components."""
    return transformed(schema, lambda part: dict(_keywords(part)))


def without_required(schema: Schema) -> Schema:
    """A converted schema whose own fields may all be missing, and that may have others."""
    return {
        key: value
        for key, value in schema.items()
        if key != "required" and (key != "additionalProperties" or value is not False)
    }


def with_modules(schema_id: str, schema: Schema, ids: Iterable[str]) -> Schema:
    """A converted schema of tree nodes, which also says which modules there are, and what the data of each are."""
    beginning = module_schema(schema_id, "")
    by_module = {name.removeprefix(beginning): name for name in ids if name.startswith(beginning)}
    module = {**schema["properties"]["module"], "enum": [*by_module]}
    of_data = {name: {"$ref": component(of)} for name, of in by_module.items()}
    return {**schema, "properties": {**schema["properties"], "module": module}, "x-data-of-modules": of_data}


def references(schema: Schema) -> Iterator[str]:
    """The ids of the schemas that a converted schema names."""
    rest: list[Any] = [schema]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            if isinstance(named := part.get("$ref"), str):
                yield named.rpartition("/")[2]
            rest += part.values()
        elif isinstance(part, list):
            rest += part


def _keywords(part: Schema) -> Iterator[tuple[str, Any]]:
    for key, value in part.items():
        if key == "$ref":
            yield key, component(value)
        elif key in EXTENSIONS:
            yield f"x-{key.replace('_', '-')}", value
        elif key in EXCLUSIVE:
            if value:
                yield key, part[EXCLUSIVE[key]]
        elif key in KEPT:
            if not _is_idle(key, part):
                yield _kept(key, value), value
        elif key not in LEFT_OUT:
            raise ValueError(f"the keyword {key!r} has no counterpart in a description")


def _kept(key: str, value: Any) -> str:
    """A keyword as it is; alternatives told apart by `format` may both be true where nobody enforces formats."""
    return "anyOf" if key == "oneOf" and any("format" in alternative for alternative in value) else key


def _is_idle(key: str, part: Schema) -> bool:
    """Whether a keyword is said by another one, or is a default that the schema itself refuses since it is empty."""
    if key == "default":
        return (part[key] == {} and bool(part.get("required"))) or (part[key] == [] and bool(part.get("minItems")))
    return any(part.get(exclusive) and key == bound for exclusive, bound in EXCLUSIVE.items())
