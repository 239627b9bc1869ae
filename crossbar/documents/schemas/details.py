# SPDX-License-Identifier: MPL-2.0
"""How a validation error looks on the wire: its field, its code and its details.

Source: `kz_json_schema:error_to_jobj`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jsonschema import ValidationError

Detail = dict[str, Any]


def field_name(path: Iterable[Any]) -> str:
    """A path as the name of a field: parts joined by dots, dots inside a part written `%2E`."""
    return ".".join(str(part).replace(".", "%2E") for part in path)


def code_and_detail(error: ValidationError) -> tuple[str, Detail]:
    """The code and the detail object of an error of the reference validator."""
    keyword = str(error.validator)
    if keyword in _DESCRIBED:
        return _DESCRIBED[keyword](error)
    return _GENERIC.get(keyword, keyword), {"message": "failed to validate", "value": error.instance}


def _about(message: str, error: ValidationError, **more: Any) -> Detail:
    return {"message": message, **more, "value": error.instance}


def _additional_items(error: ValidationError) -> tuple[str, Detail]:
    text = "Strict checking of data is enabled; only include schema-defined items"
    return "additionalItems", _about(text, error)


def _additional_properties(error: ValidationError) -> tuple[str, Detail]:
    text = "Strict checking of data is enabled; only include schema-defined properties"
    return "additionalProperties", _about(text, error)


def _enum(error: ValidationError) -> tuple[str, Detail]:
    return "enum", _about("Value not found in enumerated list of values", error, target=error.validator_value)


def _extension(error: ValidationError) -> tuple[str, Detail]:
    return "error", _about(error.message, error)


def _format(error: ValidationError) -> tuple[str, Detail]:
    text = "Field is not in the correct format"
    return "wrong_format", {**_about(text, error), "format": error.validator_value}


def _length(error: ValidationError) -> tuple[str, Detail]:
    """Which bound is told depends on the length in bytes, whichever bound was broken."""
    schema: Any = error.schema
    least, most = schema.get("minLength"), schema.get("maxLength")
    size = len(str(error.instance).encode("utf-8", "replace"))
    too_short = most is None or (least is not None and size < least)
    code, target = ("minLength", least) if too_short else ("maxLength", most)
    text = "at least" if too_short else "not be more than"
    message = f"String must {'be ' if too_short else ''}{text} {target} characters"
    return code, _about(message, error, target=target, cause=error.instance)


def _bound(code: str, text: str) -> Callable[[ValidationError], tuple[str, Detail]]:
    """Describes errors of a keyword whose value stands for `{}` in the text."""

    def describe(error: ValidationError) -> tuple[str, Detail]:
        target = error.validator_value
        return code, _about(text.format(target), error, target=target)

    return describe


def _required(error: ValidationError) -> tuple[str, Detail]:
    return "required", _about("Field is required but missing", error)


def _schema(error: ValidationError) -> tuple[str, Detail]:
    return "schema", {"message": error.message, "schema": error.instance}


def _type(error: ValidationError) -> tuple[str, Detail]:
    types: Any = error.validator_value
    target = types if isinstance(types, str) else ", ".join(types)
    return "type", _about(f"Value did not match type(s): {target}", error, target=target)


def _unique_items(error: ValidationError) -> tuple[str, Detail]:
    return "uniqueItems", _about("List of items is not unique", error)


_DESCRIBED: dict[str, Callable[[ValidationError], tuple[str, Detail]]] = {
    "additionalItems": _additional_items,
    "additionalProperties": _additional_properties,
    "enum": _enum,
    "format": _format,
    "kazoo-regexp": _extension,
    "kazoo-validation": _extension,
    "maxItems": _bound("maxItems", "The list is more than {} items"),
    "maxLength": _length,
    "maximum": _bound("maximum", "Value must be at most {}"),
    "minItems": _bound("minItems", "The list must have at least {} items"),
    "minLength": _length,
    "minimum": _bound("minimum", "Value must be at least {}"),
    "pattern": _bound("pattern", "Failed to match pattern '{}'"),
    "required": _required,
    "schema": _schema,
    "stability_level": _extension,
    "type": _type,
    "uniqueItems": _unique_items,
}

_GENERIC = {
    "anyOf": "any_schemas_not_valid",
    "maxProperties": "too_many_properties",
    "minProperties": "too_few_properties",
    "multipleOf": "not_multiple_of",
    "not": "not_schema_valid",
    "oneOf": "not_one_schema_valid",
}
