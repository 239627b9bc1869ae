# SPDX-License-Identifier: MPL-2.0
"""Hypothesis strategies for documents that mostly fit a schema, and often almost do."""

from typing import Any

from hypothesis import strategies as st

from crossbar.documents.schemas.library import Library, shipped_folder
from crossbar.documents.schemas.nodes import NODES, module_schema

LIBRARY = Library(shipped_folder())
IDS = list(LIBRARY.ids)
MODULES = {
    node: [i.removeprefix(module_schema(node, "")) for i in IDS if i.startswith(module_schema(node, ""))]
    for node in NODES
}

TRICKY = st.text(alphabet="ab09_-.@ \n\r\u2028\u00e9\u0661", max_size=6)
TEXTS = st.sampled_from(
    [
        "",
        "x",
        "1",
        "12.6",
        "true",
        "false",
        "abc",
        "a@b.c",
        "10.0.0.1",
        "::1",
        "en-US",
        "a" * 32,
        "a" * 32 + "\n",
        "a" * 40,
        "é" * 20,
        "é",
        "http://example.com/",
        "http://localhost/",
        "2024-02-29T00:00:00Z",
        "(",
        "zone",
        "custom_channel_vars.x",
    ]
)
NUMBERS = st.sampled_from([-1, 0, 1, 2, 5, 10, 50, 300, 8000, 10_801, 2**40, 0.5, 1.0, 2.5, -0.5, 12.6])
JUNK = st.one_of(
    TEXTS,
    NUMBERS,
    st.booleans(),
    st.none(),
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [1, "1"]),
    st.builds(lambda: {"a": 1}),
)
DEPTH = 5


@st.composite
def documents(draw: st.DrawFn, schema_id: str) -> dict[str, Any]:
    """A document for the schema, or something like it; always an object."""
    made = draw_value(draw, LIBRARY.prepared(schema_id), 0, schema_id)
    return made if isinstance(made, dict) else {}


def draw_value(draw: st.DrawFn, schema: dict[str, Any], depth: int, owner: str = "") -> Any:
    if depth > DEPTH or draw(st.integers(0, 19)) == 0:
        return draw(JUNK)
    if "x-node" in schema:
        return draw_value(draw, LIBRARY.prepared(schema["x-node"]), depth, schema["x-node"])
    if "$ref" in schema and draw(st.integers(0, 3)) != 3:
        return draw_value(draw, LIBRARY.prepared(schema["$ref"]), depth)
    branches = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    made = draw_value(draw, draw(st.sampled_from(branches)), depth + 1) if branches else draw_plain(draw, schema, depth)
    if isinstance(made, dict):
        made.update(draw_members(draw, schema, depth))
        if owner in NODES:
            made.update(draw_module(draw, owner, depth))
    return made


def draw_plain(draw: st.DrawFn, schema: dict[str, Any], depth: int) -> Any:
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = draw(st.sampled_from(kind))
    if kind == "object":
        return {}
    if kind == "array":
        size = draw(st.integers(0, 3))
        return [draw_value(draw, schema.get("items", {}), depth + 1) for _ in range(size)]
    simple = {
        "string": st.one_of(TEXTS, TRICKY, st.just("s" * schema.get("minLength", 1))),
        "integer": st.one_of(NUMBERS, st.just(schema.get("minimum", 7)), st.sampled_from(["7", "x"])),
        "number": st.one_of(NUMBERS, st.sampled_from(["7", "7.5"])),
        "boolean": st.one_of(st.booleans(), st.sampled_from(["true", "no"])),
        "null": st.none(),
    }
    return draw(simple[kind])


def draw_members(draw: st.DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
    made = {}
    for name, part in schema.get("properties", {}).items():
        chance = 9 if name in schema.get("required", ()) else 3
        if draw(st.integers(0, 9)) < chance:
            made[name] = draw_value(draw, part, depth + 1)
    others = [*schema.get("patternProperties", {}).values()]
    if isinstance(schema.get("additionalProperties"), dict):
        others.append(schema["additionalProperties"])
    if others or draw(st.integers(0, 9)) == 0:
        for name in draw(st.lists(st.one_of(TEXTS, TRICKY), max_size=3)):
            made.setdefault(name, draw_value(draw, draw(st.sampled_from(others or [{}])), depth + 1))
    return made


def draw_module(draw: st.DrawFn, node: str, depth: int) -> dict[str, Any]:
    module = draw(st.sampled_from(MODULES[node]))
    return {"module": module, "data": draw_value(draw, LIBRARY.prepared(module_schema(node, module)), depth + 1)}
