# SPDX-License-Identifier: MPL-2.0
"""Tree nodes: the steps of a callflow and the actions of a metaflow.

A node is `{module, data, children: {key: node}}`; its `data` follows the schema named after its `module`. Trees come
as deep and as large as clients make them, so this one shape is not left to recursion through the schemas: nodes are
completed, and if need be explained, one by one. Source: `callflows.action`, `metaflow`, and
`kz_json_schema_extensions` for what their `kazoo-validation` means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

NODES: Mapping[str, str] = {"callflows.action": "callflow", "metaflow": "metaflow"}
"""Schemas of nodes, and what clients call such a node's tree."""

Path = tuple[Any, ...]
"""Member names and indexes on the way to a value."""


_ABSENT = object()


def module_schema(node: str, module: str) -> str:
    """The id of the schema for the `data` of a node with this `module`."""
    return f"{NODES[node]}s.{module}"


class Walk:
    """The nodes of one document while it is being completed."""

    __slots__ = ("modules", "waiting")

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Any]] = []
        """What is still to be completed, with its schema's id. It waits here so that depth costs no stack."""
        self.modules: list[dict[str, Any]] = []
        """`{schema id: data}` for each completed node."""


def completion(
    node: str, complete_data: Callable[[str], Callable[[Any, Walk], Any] | None]
) -> Callable[[Any, Walk], Any]:
    """A function that completes a node in place.

    `complete_data` gives the one that completes `data` of a schema, None when there is no such schema.
    """
    known: dict[str, tuple[str, Callable[[Any, Walk], Any]]] = {}

    def look_up(module: str) -> tuple[str, Callable[[Any, Walk], Any]]:
        schema_id = module_schema(node, module)
        found = complete_data(schema_id)
        if found is None:
            return schema_id, lambda data, _walk: data
        known[module] = schema_id, found
        return known[module]

    def complete(value: Any, walk: Walk) -> Any:
        if value.__class__ is not dict:
            return value
        children = value.get("children")
        if children.__class__ is dict:
            children = value["children"] = children.copy()
            for name, child in children.items():
                if child.__class__ is dict and name.strip("\n"):  # the name matches `.+`
                    children[name] = own = child.copy()
                    walk.waiting.append((node, own))
        data = value.get("data", _ABSENT)
        if data.__class__ is dict:
            data = data.copy()
        elif data is _ABSENT:
            data = {}
        value["data"] = data
        module = value.get("module")
        if module.__class__ is str and data.__class__ is dict:
            schema_id, fill = known.get(module) or look_up(module)
            fill(data, walk)
            walk.modules.append({schema_id: data})
        return value

    return complete


def inside(node: str, value: Any, path: Path) -> Iterator[tuple[str, Any, Path]]:
    """A node's children and its data, each with its schema's id and its path."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get("module"), str) and "data" in value:
        yield module_schema(node, value["module"]), value["data"], (*path, "data")
    children = value.get("children")
    if isinstance(children, dict):
        for name, child in children.items():
            if name.strip("\n"):
                yield node, child, (*path, "children", name)
