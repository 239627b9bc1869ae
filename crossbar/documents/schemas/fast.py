"""The fast verdict: `jsonschema-rs` says whether a value is valid.

Its "valid" is final. Its "invalid" is not: the reference decides then, and says why. So it may be stricter than the
reference in a corner, but never laxer; the places where it would be are taken care of here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from crossbar.documents.schemas import checks
from crossbar.documents.schemas.formats import FORMATS
from crossbar.documents.schemas.library import Library, Schema, parts, pointed, transformed
from crossbar.documents.schemas.plan import Accept
from crossbar.documents.schemas.values import is_among


def verdict(library: Library, schema: Schema) -> Accept:
    """Compile a prepared schema."""
    definitions = {name: _suited(library.prepared(name), library) for name in _reachable(library, schema)}
    validator = jsonschema_rs.Draft4Validator(
        {**_suited(schema, library), "definitions": definitions},
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


def _reachable(library: Library, schema: Schema) -> set[str]:
    seen: set[str] = set()
    rest = [schema]
    while rest:
        part = rest.pop()
        rest.extend(parts(part))
        if "$ref" in part and part["$ref"] not in seen:
            seen.add(part["$ref"])
            rest.append(library.prepared(part["$ref"]))
    return seen


def _suited(schema: Schema, library: Library) -> Schema:
    return transformed(pointed(schema, "#/definitions/{}".format), lambda part: dict(_keywords(part, library)))


def _keywords(schema: Schema, library: Library) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key == "format" and value not in FORMATS:
            continue
        if key == "pattern":
            yield key, _pattern(value)
        elif key == "patternProperties":
            yield key, {_pattern(pattern): part for pattern, part in value.items()}
        elif key == "enum" and any(isinstance(item, float | int | dict | list) for item in value):
            yield "x-enum", value
        elif key == "kazoo-validation" and value.removesuffix(".module") in checks.NODES:
            yield "enum", _modules(value.removesuffix(".module"), library)
        else:
            yield key, value


def _pattern(pattern: str) -> str:
    """PCRE's `$` also stands before a final newline; the engine's does not."""
    return f"{pattern[:-1]}\\n?$" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern


def _modules(node: str, library: Library) -> list[str]:
    """The modules a node may have: asking Python for each node would cost more than all the rest."""
    prefix = checks.module_schema(node, "")
    return [schema_id.removeprefix(prefix) for schema_id in library.ids if schema_id.startswith(prefix)]


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
