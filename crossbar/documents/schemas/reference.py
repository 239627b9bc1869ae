# SPDX-License-Identifier: MPL-2.0
"""The reference: `jsonschema`, with KAZOO's meaning where that is not draft 4's, finds every error of a value.

Differences from draft 4: neighbours of `$ref` count; values are told apart by type; patterns are PCRE; four formats
are enforced; the extension keywords of `checks` exist. Source: jesse's `jesse_validator_draft4`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from jsonschema import Draft4Validator, ValidationError, validators

from crossbar.documents.schemas import checks, patterns
from crossbar.documents.schemas.library import Library, Schema
from crossbar.documents.schemas.schema_values import are_unique, is_among
from crossbar.documents.schemas.string_formats import FORMATS

Errors = Iterator[ValidationError]
Find = Callable[[Schema, Any], Errors]
Fast = Callable[[Schema], Callable[[Any], bool]]
"""The fast verdict on values under a part of a prepared schema."""
MANY: Final = 64
"""Of more values under one schema only those are looked at that the fast verdict does not accept."""


def _nothing(_value: Any) -> bool:
    return False


def _nothing_fast(_schema: Schema) -> Callable[[Any], bool]:
    return _nothing


def finder(library: Library, fast: Fast = _nothing_fast) -> Find:
    """A function that finds the errors of a value under a prepared schema of this library, in KAZOO's order.

    Of many values under one schema those that the `fast` verdict accepts are passed over. Among the errors is an
    `x-node` for each tree node, which no schema has among alternatives.
    """

    def reference(validator: Any, name: str, value: Any, _schema: Schema) -> Errors:
        yield from validator.descend(value, library.prepared(name))

    def items(validator: Any, wanted: Any, value: Any, schema: Schema) -> Errors:
        if isinstance(wanted, dict) and isinstance(value, list) and len(value) > MANY:
            accepts = fast(wanted)
            for index, item in enumerate(value):
                if not accepts(item):
                    yield from validator.descend(item, wanted, path=index)
        else:
            yield from Draft4Validator.VALIDATORS["items"](validator, wanted, value, schema)

    def additional_properties(validator: Any, allowed: Any, value: Any, schema: Schema) -> Errors:
        many = isinstance(allowed, dict) and isinstance(value, dict) and len(value) > MANY
        return _additional_properties(validator, allowed, value, schema, fast(allowed) if many else _nothing)

    def pattern_properties(validator: Any, by_pattern: Schema, value: Any, _schema: Schema) -> Errors:
        return _pattern_properties(validator, by_pattern, value, fast)

    keywords: dict[str, Any] = {
        **Draft4Validator.VALIDATORS,
        **_KEYWORDS,
        "$ref": reference,
        "items": items,
        "additionalProperties": additional_properties,
        "patternProperties": pattern_properties,
    }
    validator_class = validators.create(
        meta_schema=Draft4Validator.META_SCHEMA,
        validators=keywords,
        type_checker=Draft4Validator.TYPE_CHECKER,
        applicable_validators=_in_turn,
    )

    def find(schema: Schema, value: Any) -> Errors:
        errors: Errors = validator_class(schema).iter_errors(value)
        return errors

    return find


_LAST = frozenset({"kazoo-regexp", "kazoo-validation", "stability_level"})


def _in_turn(schema: Any) -> list[tuple[str, Any]]:
    """Keywords in alphabetical order, as the files are; the extensions after all others."""
    return sorted(schema.items(), key=lambda keyword: (keyword[0] in _LAST, keyword[0]))


def _additional_properties(
    validator: Any, allowed: Any, value: Any, schema: Schema, accepts: Callable[[Any], bool]
) -> Errors:
    if not isinstance(value, dict) or allowed is True:
        return
    named = schema.get("properties", {})
    by_pattern = schema.get("patternProperties", {})
    for name in value:
        if name in named or any(patterns.matches(pattern, name) for pattern in by_pattern):
            continue
        if allowed is False:
            yield ValidationError("extra member", path=(name,))
        elif not accepts(value[name]):
            yield from validator.descend(value[name], allowed, path=name)


def _enum(_validator: Any, values: list[Any], value: Any, _schema: Schema) -> Errors:
    if not is_among(value, values):
        yield ValidationError("not in the list")


def _format(_validator: Any, name: str, value: Any, _schema: Schema) -> Errors:
    if isinstance(value, str) and name in FORMATS and not FORMATS[name](value):
        yield ValidationError("wrong format")


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Schema) -> Errors:
    if isinstance(value, str) and not patterns.matches(pattern, value):
        yield ValidationError("no match")


def _pattern_properties(validator: Any, by_pattern: Schema, value: Any, fast: Fast) -> Errors:
    if isinstance(value, dict):
        accepts = {pattern: fast(part) for pattern, part in by_pattern.items()} if len(value) > MANY else {}
        for name in value:
            for pattern, part in by_pattern.items():
                if patterns.matches(pattern, name) and not accepts.get(pattern, _nothing)(value[name]):
                    yield from validator.descend(value[name], part, path=name)


def _required(_validator: Any, names: list[str], value: Any, _schema: Schema) -> Errors:
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield ValidationError("missing", path=(name,), instance=name)


def _unique_items(_validator: Any, wanted: bool, value: Any, _schema: Schema) -> Errors:
    if wanted and isinstance(value, list) and not are_unique(value):
        yield ValidationError("not unique")


def _check(_validator: Any, name: str, value: Any, _schema: Schema) -> Errors:
    for text, missing in checks.complaints(name, value):
        if missing is None:
            yield ValidationError(text)
        else:
            yield ValidationError(text, validator="schema", instance=missing)


def _regexp(_validator: Any, wanted: bool, value: Any, _schema: Schema) -> Errors:
    text = checks.regexp_complaint(value) if wanted else None
    if text is not None:
        yield ValidationError(text)


def _stability(_validator: Any, level: str, _value: Any, _schema: Schema) -> Errors:
    text = checks.stability_complaint(level)
    if text is not None:
        yield ValidationError(text)


def _node(_validator: Any, _name: str, _value: Any, _schema: Schema) -> Errors:
    yield ValidationError("to be looked at by itself")


_KEYWORDS: dict[str, Any] = {
    "enum": _enum,
    "format": _format,
    "kazoo-regexp": _regexp,
    "kazoo-validation": _check,
    "pattern": _pattern,
    "required": _required,
    "stability_level": _stability,
    "uniqueItems": _unique_items,
    "x-node": _node,
}
