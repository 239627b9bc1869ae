# SPDX-License-Identifier: MPL-2.0
"""The schema files: where they are, what they say, and how they look when taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson

import crossbar
from crossbar.documents.schemas.nodes import NODES

Schema = dict[str, Any]
"""A JSON Schema (draft 4), or a part of one."""

MAPS = ("definitions", "patternProperties", "properties")
"""Keywords that hold schemas by name."""
LISTS = ("allOf", "anyOf", "oneOf")
"""Keywords that hold lists of schemas."""
SINGLES = ("additionalItems", "additionalProperties", "items", "not")
"""Keywords that may hold one schema."""

_LOCAL = "#/definitions/"


def shipped_folder() -> Path:
    """The folder of the schema files: inside the installed package, or beside it in a checkout."""
    package = Path(crossbar.__file__).parent
    installed = package / "_schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


class Library:
    """The schemas of one folder (`<id>.json`). A file is read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in sorted(folder.glob("*.json"), key=attrgetter("stem"))}
        self._texts: dict[str, bytes] = {}
        self._prepared: dict[str, Schema] = {}

    @property
    def ids(self) -> Mapping[str, object]:
        """The ids, sorted, as keys."""
        return self._files

    def document(self, schema_id: str) -> Schema | None:
        """A fresh copy of a schema as it stands in its file, with `id` in place of `_id`."""
        if schema_id not in self._files:
            return None
        if schema_id not in self._texts:
            self._texts[schema_id] = self._files[schema_id].read_bytes()
        document: Schema = orjson.loads(self._texts[schema_id])
        document.pop("_id", None)
        return {"id": schema_id, **document}

    def prepared(self, name: str) -> Schema:
        """A schema as validators use it; `name` is an id, or `id:definition` for a local definition.

        References hold such names. Those to tree nodes are gone, because nodes are validated one by one.
        `kazoo-validation` holds the name of its check.
        """
        if name not in self._prepared:
            schema_id, _, definition = name.partition(":")
            document = self.document(schema_id) or {}
            for key in ("id", "$schema"):  # either would have a validator go its own way
                document.pop(key, None)
            local = document.pop("definitions", {})
            schema = local[definition] if definition else document
            self._prepared[name] = _prepare(schema, schema_id, None)
        return self._prepared[name]

    def reachable(self, schema: Schema, *, nodes: bool) -> set[str]:
        """Names of the prepared schemas a prepared schema refers to, at any remove; through tree nodes if asked."""
        seen: set[str] = set()
        rest = [schema]
        while rest:
            part = rest.pop()
            rest.extend(parts(part))
            name = part.get("$ref") or (part.get("x-node") if nodes else None)
            if name is not None and name not in seen:
                seen.add(name)
                rest.append(self.prepared(name))
        return seen

    def bundle(self) -> Schema:
        """One self-contained schema with all others as its definitions.

        A reference with neighbours becomes an `allOf` of one, since draft 4 has validators ignore neighbours.
        """
        definitions = {}
        for schema_id in self._files:
            document = self.document(schema_id) or {}
            for name in ("id", "$schema"):
                document.pop(name, None)
            definitions[schema_id] = pointed(document, partial(_global, schema_id))
        return {"$schema": "http://json-schema.org/draft-04/schema#", "definitions": definitions}


def parts(schema: Schema) -> Iterator[Schema]:
    """The schemas directly inside a schema."""
    for key, value in schema.items():
        if key in MAPS:
            yield from value.values()
        elif key in LISTS:
            yield from value
        elif key in SINGLES and isinstance(value, dict):
            yield value


def transformed(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A copy of `schema` in which every part schema went through `change`."""
    return change({key: _changed_keyword(key, value, change) for key, value in schema.items()})


def pointed(schema: Schema, target: Callable[[str], str]) -> Schema:
    """A copy of `schema` with references renamed, and taken into an `allOf` where they have neighbours."""

    def point(part: Schema) -> Schema:
        if not isinstance(part.get("$ref"), str):
            return part
        reference = {"$ref": target(part["$ref"])}
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return {**beside, "allOf": [reference, *beside.get("allOf", [])]} if beside else reference

    return transformed(schema, point)


def _changed_keyword(key: str, value: Any, change: Callable[[Schema], Schema]) -> Any:
    if key in MAPS:
        return {name: transformed(part, change) for name, part in value.items()}
    if key in LISTS:
        return [transformed(part, change) for part in value]
    if key in SINGLES and isinstance(value, dict):
        return transformed(value, change)
    return value


def _global(owner: str, reference: str) -> str:
    if reference.startswith(_LOCAL):
        return f"#/definitions/{owner}/definitions/{reference.removeprefix(_LOCAL)}"
    return f"#/definitions/{reference}"


def _prepare(schema: Schema, owner: str, name: str | None) -> Schema:
    """`name` is the property or array the part belongs to, which is how KAZOO names a check."""
    prepared: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            prepared[key] = {member: _prepare(part, owner, member) for member, part in value.items()}
        elif key == "$ref":
            prepared.update(_prepared_reference(value, owner))
        elif key == "kazoo-validation":
            prepared[key] = f"{owner}.{name}"
        else:
            prepared[key] = _changed(key, value, owner, name)
    return prepared


def _changed(key: str, value: Any, owner: str, name: str | None) -> Any:
    if key in MAPS:
        return {member: _prepare(part, owner, member) for member, part in value.items()}
    if key in LISTS:
        return [_prepare(part, owner, name) for part in value]
    if key in SINGLES and isinstance(value, dict):
        return _prepare(value, owner, name)
    return value


def _prepared_reference(reference: str, owner: str) -> Schema:
    if reference in NODES:
        return {"x-node": reference}
    if reference.startswith(_LOCAL):
        return {"$ref": f"{owner}:{reference.removeprefix(_LOCAL)}"}
    return {"$ref": reference}
