# SPDX-License-Identifier: MPL-2.0
"""Examples of data that fit a schema: its defaults and choices, and plain values where it has none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

Schema = dict[str, Any]
Find = Callable[[str], Schema]
"""The schema that a reference names."""

SAMPLE_ID: Final = "4f1c02d4a9b84d7c8e2f6b1a3c5d7e9f"
TEXTS: Final = (
    *("Example", "example", "1001", "+12025550100", "ada@example.com", "https://example.com/", "192.0.2.1"),
    *("en-us", "en-US", "US", "2026-03-01 09:00", SAMPLE_ID, "1" * 40, "202603-" + SAMPLE_ID, "12025550100-x"),
    *("example.com", "2001:db8::1", "ftp://example.com/", "local", "_", "a"),
)
"""What a text may be, the plainest first."""
BY_NAME: Final = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "ada",
    "account_name": "Example Ltd",
    "credentials": "5f4dcc3b5aa765d61d8327deb882cf99",
    "password": "correct horse battery staple",
    "email": "ada@example.com",
    "language": "en-us",
    "timezone": "Europe/London",
    "realm": "example.com",
    "host": "example.com",
    "domain": "example.com",
    "server": "sip.example.com",
    "url": "https://example.com/",
    "uri": "https://example.com/",
    "number": "+12025550100",
    "numbers": "+12025550100",
    "extension": "1001",
    "mailbox": "1001",
    "pin": "1001",
    "device_type": "sip_device",
    "hook": "channel_create",
    "mac_address": "00:15:65:00:00:01",
    "id": SAMPLE_ID,
}
"""The end of a field's name, in whole words → what stands in it."""
BY_FORMAT: Final = {"email": "ada@example.com", "uri": "https://example.com/", "ipv4": "192.0.2.1",
                    "ipv6": "2001:db8::1", "regex": "^[0-9]+$"}  # fmt: skip
DEEPEST: Final = 6
MOST: Final = 4
"""So many fields are shown of an object that requires none."""
NOTHING: Final = object()


class Sampler:
    """Makes examples; `find` leads to the schemas that others name."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def of(self, schema: Schema, depth: int = 0, name: str = "") -> Any:
        """An example of a value under a schema, of a field of this name."""
        schema = self._whole(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("default") not in (None, [], {}):
            return schema["default"]
        if schema.get("enum"):
            return schema["enum"][0]
        for key in ("oneOf", "anyOf"):
            if schema.get(key):
                beside = {name: value for name, value in schema.items() if name != key}
                return self.of({**beside, **self._whole(schema[key][0])}, depth, name)
        return self._of_type(schema, depth, name)

    def _whole(self, schema: Schema) -> Schema:
        """A schema together with what it names."""
        while isinstance(schema.get("$ref"), str):
            named = self._find(schema["$ref"])
            schema = {**named, **{key: value for key, value in schema.items() if key != "$ref"}}
        for part in schema.get("allOf", ()):
            schema = {**self._whole(part), **schema}
        return schema

    def _of_type(self, schema: Schema, depth: int, name: str) -> Any:
        kind = schema.get("type", "object" if schema.keys() & {"properties", "required"} else "string")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth, name)
            case "integer" | "number":
                return _number(schema)
            case other:
                return True if other == "boolean" else _text(schema, name)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: dict[str, Schema] = schema.get("properties", {})
        wanted = [name for name in properties if name in schema.get("required", ())]
        if not depth:
            plain = [name for name in properties if name != "id" and self._is_plain(properties[name])]
            wanted += [name for name in plain if name not in wanted][: max(0, MOST - len(wanted))]
        if depth > DEEPEST:
            wanted = []
        made = {name: self.of(properties[name], depth + 1, name) for name in wanted}
        for name in schema.get("required", ()):
            made.setdefault(name, "example")
        if len(made) < schema.get("minProperties", 0):
            made |= self._named_by_pattern(schema, depth)
        return made

    def _named_by_pattern(self, schema: Schema, depth: int) -> dict[str, Any]:
        for pattern, part in schema.get("patternProperties", {}).items():
            name = next((text for text in TEXTS if re.search(pattern, text)), "example")
            return {name: self.of(part, depth + 1)}
        more = schema.get("additionalProperties")
        return {"example": self.of(more, depth + 1)} if isinstance(more, dict) else {}

    def _is_plain(self, schema: Schema) -> bool:
        """Whether a field says something by itself: it has a default or choices, or is a text or a number."""
        whole = self._whole(schema)
        if "x-support-level" in whole and whole["x-support-level"] != "supported":
            return False
        items = whole.get("items")
        of_texts = isinstance(items, dict) and items.get("type") == "string"
        return of_texts or bool(whole.get("enum")) or whole.get("type") in ("string", "integer", "boolean")

    def _array(self, schema: Schema, depth: int, name: str) -> list[Any]:
        items = schema.get("items")
        if not isinstance(items, dict) or (depth > 1 and not schema.get("minItems")) or depth > DEEPEST:
            return []
        return [self.of(items, depth + 1, name)]


def _number(schema: Schema) -> int | float:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    highest = schema.get("maximum", lowest)
    return lowest if lowest <= highest else highest  # type: ignore[no-any-return]


def _text(schema: Schema, name: str) -> str:
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    for words, text in BY_NAME.items():
        if f"_{name}".endswith(f"_{words}") and _fits(schema, text):
            return text
    return next((text for text in TEXTS if _fits(schema, text)), "x" * schema.get("minLength", 1))


def _fits(schema: Schema, text: str) -> bool:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", len(text))
    return shortest <= len(text) <= longest and re.search(schema.get("pattern", ""), text) is not None
