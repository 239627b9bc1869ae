# SPDX-License-Identifier: MPL-2.0
"""The fields of a schema as a table for people: path, type, what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crossbar.documents.schemas.library import Schema

MOST_CHOICES = 12
"""Of more values a table names the first ones alone."""


def field_table(schema: Schema) -> str:
    """The fields of a draft-04 schema, at any depth, as a Markdown table; nothing where it names none."""
    rows = list(_rows(schema, ""))
    if not rows:
        return ""
    head = ["| field | type | what it is |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def _rows(schema: Schema, above: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        path = f"{above}{name}"
        yield f"| `{path}`{' (required)' if name in required else ''} | {_type(part)} | {_about(part)} |"
        yield from _rows(part, f"{path}.")
        items = part.get("items")
        if isinstance(items, dict):
            yield from _rows(items, f"{path}[].")
    for pattern, part in schema.get("patternProperties", {}).items():
        path = f"{above}/{pattern}/".replace("|", r"\|")
        yield f"| `{path}` | {_type(part)} | {_about(part)} |"
        yield from _rows(part, f"{path}.")


def _type(part: Schema) -> str:
    if isinstance(reference := part.get("$ref"), str):
        return f"as schema `{reference}`"
    if alternatives := part.get("oneOf") or part.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(alternative) for alternative in alternatives))
    kind = part.get("type", "anything")
    named = " or ".join(kind) if isinstance(kind, list) else str(kind)
    items = part.get("items")
    return f"{named} of {_type(items)}" if isinstance(items, dict) else named


def _about(part: Schema) -> str:
    said = " ".join(str(part.get("description", "")).split())
    return "; ".join(filter(None, (said, *_limits(part)))).replace("|", r"\|")


def _limits(part: Schema) -> Iterator[str]:
    if choices := part.get("enum"):
        named = ", ".join(f"`{_shown(choice)}`" for choice in choices[:MOST_CHOICES])
        yield f"one of {named}{' …' if len(choices) > MOST_CHOICES else ''}"
    for key, words in (
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
        ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"),
        ("minItems", "at least {} of them"),
        ("pattern", "like `{}`"),
        ("format", "format `{}`"),
    ):
        if key in part:
            yield words.format(part[key])
    if part.get("default") not in (None, {}, []):
        yield f"without: `{_shown(part['default'])}`"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
