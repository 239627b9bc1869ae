# SPDX-License-Identifier: MPL-2.0
"""The fast verdict: `jsonschema-rs` says whether a value is valid.

Its "valid" is final. Its "invalid" is not: the reference decides then, and says why. So it may be stricter than the
reference in a corner, but never laxer; the places where it would be are taken care of here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import jsonschema_rs

from crossbar.documents.schemas import checks
from crossbar.documents.schemas.library import Library, Schema, pointed, transformed
from crossbar.documents.schemas.nodes import NODES, module_schema
from crossbar.documents.schemas.plan import Accept
from crossbar.documents.schemas.schema_values import is_among
from crossbar.documents.schemas.string_formats import FORMATS

_ANY_CHARACTER: Final = re.compile(r"\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]|\.", re.DOTALL)
"""Finds `.`; an escaped one and those in a character class are passed over with what they are part of."""


def verdict(library: Library, schema: Schema, *, whole: bool = False) -> Accept:
    """Compile a prepared schema. `whole` includes the tree nodes in it, whose `data` is `modules_verdict`'s."""
    definitions = {
        name: _suited(library.prepared(name), whole=whole) for name in library.reachable(schema, nodes=whole)
    }
    return _accepts({**_suited(schema, whole=whole), "definitions": definitions})


def modules_verdict(library: Library) -> Accept:
    """The verdict on a list of `{schema id: data of a node}`: one call, however many nodes."""
    prefixes = tuple(module_schema(node, "") for node in NODES)
    known = {schema_id: {"$ref": schema_id} for schema_id in library.ids if schema_id.startswith(prefixes)}
    return verdict(library, {"items": {"additionalProperties": False, "properties": known}}, whole=True)


def _accepts(schema: Schema) -> Accept:
    validator = jsonschema_rs.Draft4Validator(
        schema,
        formats=FORMATS,
        validate_formats=True,
        keywords={"kazoo-validation": _Check, "kazoo-regexp": _Regexp, "x-enum": _Enum},
        offline=True,
    )

    def accepts(value: Any) -> bool:
        try:
            return validator.is_valid(value)
        except ValueError:  # what cannot be JSON at all
            return False

    return accepts


def _suited(schema: Schema, *, whole: bool) -> Schema:
    change = partial(_changed, whole=whole)
    return pointed(transformed(schema, change), "#/definitions/{}".format)


def _changed(schema: Schema, *, whole: bool) -> Schema:
    return dict(_keywords(schema, whole=whole))


def _keywords(schema: Schema, *, whole: bool) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key == "pattern":
            yield key, _pattern(value)
        elif key == "patternProperties":
            yield key, {_pattern(pattern): part for pattern, part in value.items()}
        elif key == "enum" and any(isinstance(item, float | int | dict | list) for item in value):
            yield "x-enum", value
        elif key == "x-node":
            if whole:
                yield "$ref", value
        elif not _is_idle(key, value, whole=whole):
            yield key, value


def _is_idle(key: str, value: Any, *, whole: bool) -> bool:
    """Formats nobody enforces, and checks of a node's members where `modules_verdict` sees to them."""
    if key == "kazoo-validation":
        node, _, member = value.rpartition(".")
        return node in NODES and (whole or member == "data")
    return key == "format" and value not in FORMATS


def _pattern(pattern: str) -> str:
    """What a PCRE pattern is in the engine's terms: `$` also stands before a final newline, `.` is all but `\\n`."""
    pattern = _ANY_CHARACTER.sub(lambda token: "[^\\n]" if token[0] == "." else token[0], pattern)
    return f"{pattern[:-1]}\\n?$" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern


class _Check:
    def __init__(self, _schema: Schema, name: str, _path: list[str | int]) -> None:
        self._name = name

    def validate(self, value: Any) -> None:
        for text, _ in checks.complaints(self._name, value):
            raise ValueError(text)


class _Regexp:
    def __init__(self, _schema: Schema, _wanted: bool, _path: list[str | int]) -> None:
        pass

    def validate(self, value: Any) -> None:
        text = checks.regexp_complaint(value)
        if text is not None:
            raise ValueError(text)


class _Enum:
    """Numbers of an `enum` are told apart by type (1 is not 1.0), which the engine does not do."""

    def __init__(self, _schema: Schema, values: list[Any], _path: list[str | int]) -> None:
        self._values = values

    def validate(self, value: Any) -> None:
        if not is_among(value, self._values):
            raise ValueError("not in the list")
