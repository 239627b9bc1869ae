# SPDX-License-Identifier: MPL-2.0
"""Completing a document: defaults put in, values of a mendable type mended.

A schema is compiled once into functions that touch only what the schema has something to say about, so completing
a user costs a few microseconds. A step completes an object in place, so whoever calls it hands over a copy: the
caller's document stays as it was, and the completed one shares with it only what no schema has a step for.

As in jesse: a missing member gets its `default` when the schema has a `type` the default matches, and the default
is completed in turn. Of alternatives (`oneOf`, `anyOf`) the first valid one completes. Nothing is mended inside
alternatives, because there the error is that of the alternatives as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

from crossbar.documents.schemas import nodes, patterns
from crossbar.documents.schemas.casts import CASTS
from crossbar.documents.schemas.library import Library, Schema, parts
from crossbar.documents.schemas.nodes import NODES, Walk

Step = Callable[[Any, Walk], Any]
"""Completes a value and returns it, or the one that takes its place."""
Accept = Callable[[Any], bool]
"""The verdict on a value."""
Make = Callable[[], Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


_MANY, _SHORT = 1024, 64
"""How many member names, and how long ones, are worth remembering."""


class Plans:
    """Compiles schemas of a library into steps, each once."""

    def __init__(self, library: Library, accepts: Callable[[Schema], Accept], *, mend: bool) -> None:
        self._library = library
        self._accepts = accepts
        self._mend = mend
        self._compiled: dict[tuple[str, bool], Step | None] = {}
        self._steps: dict[str, Step] = {}

    def complete(self, schema_id: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Complete a document in place, down to its last node. Returns `{schema id: data}` for each node."""
        walk = Walk()
        self._step(schema_id)(data, walk)
        waiting, step_of = walk.waiting, self._steps.get
        while waiting:
            node, value = waiting.pop()
            (step_of(node) or self._step(node))(value, walk)
        return walk.modules

    def _step(self, schema_id: str) -> Step:
        step = self._steps.get(schema_id)
        if step is None:
            step = (
                nodes.completion(schema_id, self._data_step) if schema_id in NODES else self._document_step(schema_id)
            )
            self._steps[schema_id] = step
        return step

    def _document_step(self, schema_id: str) -> Step:
        return self._reference(schema_id, mend=self._mend) or _leave

    def _data_step(self, schema_id: str) -> Step | None:
        return self._step(schema_id) if schema_id in self._library.ids else None

    def _reference(self, name: str, *, mend: bool) -> Step | None:
        key = (name, mend)
        if key not in self._compiled:
            self._compiled[key] = self._recursive(key)
            self._compiled[key] = self._compile(self._library.prepared(name), mend=mend)
        return self._compiled[key]

    def _recursive(self, key: tuple[str, bool]) -> Step:
        """Stands in for a step while it is being compiled, for schemas that refer to themselves."""

        def step(value: Any, walk: Walk) -> Any:
            return (self._compiled[key] or _leave)(value, walk)

        return step

    def _compile(self, schema: Schema, *, mend: bool) -> Step | None:
        steps = [
            self._reference(schema["$ref"], mend=mend) if "$ref" in schema else None,
            _later(schema["x-node"]) if "x-node" in schema else None,
            *(self._compile(part, mend=mend) for part in schema.get("allOf", ())),
            *(self._choice(schema[keyword]) for keyword in ("anyOf", "oneOf") if keyword in schema),
            self._items(schema, mend=mend),
            self._named_members(schema, mend=mend),
            self._other_members(schema, mend=mend),
            _mending(schema) if mend else None,
        ]
        return _chained([step for step in steps if step is not None])

    def _named_members(self, schema: Schema, *, mend: bool) -> Step | None:
        properties: Schema = schema.get("properties", {})
        members = self._all(properties, mend=mend)
        constants = {name: part["default"] for name, part in properties.items() if _has_default(part)}
        makers = {
            name: (_maker(constants.pop(name)), members.get(name, _leave))
            for name in list(constants)
            if isinstance(constants[name], dict | list)
        }
        return _object(members, constants, makers) if members or constants or makers else None

    def _other_members(self, schema: Schema, *, mend: bool) -> Step | None:
        by_pattern = self._all(schema.get("patternProperties", {}), mend=mend)
        others = schema.get("additionalProperties")
        extra = self._compile(others, mend=mend) if isinstance(others, dict) else None
        if not by_pattern and extra is None:
            return None
        described = frozenset(schema.get("properties", ()))
        name_patterns = list(schema.get("patternProperties", ()))

        def step_for(name: str) -> Step:
            steps = [step for pattern, step in by_pattern.items() if patterns.matches(pattern, name)]
            if extra and name not in described and not any(patterns.matches(known, name) for known in name_patterns):
                steps.append(extra)
            return _chained(steps) or _leave

        return _open_object(step_for)

    def _all(self, schemas: Schema, *, mend: bool) -> dict[str, Step]:
        steps = {name: self._compile(part, mend=mend) for name, part in schemas.items()}
        return {name: step for name, step in steps.items() if step is not None}

    def _items(self, schema: Schema, *, mend: bool) -> Step | None:
        items = schema.get("items")
        step = self._compile(items, mend=mend) if isinstance(items, dict) else None
        return None if step is None else _array(step)

    def _choice(self, branches: list[Schema]) -> Step | None:
        if not any(self._fills(branch, set()) for branch in branches):
            return None
        steps = [self._compile(branch, mend=False) or _leave for branch in branches]
        return _first_valid(list(zip(steps, map(self._accepts, branches), strict=True)))

    def _fills(self, schema: Schema, seen: set[str]) -> bool:
        """Whether a default can come from this schema or from one it refers to."""
        target = schema.get("$ref")
        if target is not None and target not in seen:
            seen.add(target)
            if self._fills(self._library.prepared(target), seen):
                return True
        return any(map(_has_default, schema.get("properties", {}).values())) or any(
            self._fills(part, seen) for part in parts(schema)
        )


def _leave(value: Any, _walk: Walk) -> Any:
    return value


def _later(node: str) -> Step:
    def step(value: Any, walk: Walk) -> Any:
        walk.waiting.append((node, value))
        return value

    return step


def _chained(steps: list[Step]) -> Step | None:
    if len(steps) <= 1:
        return steps[0] if steps else None

    def chain(value: Any, walk: Walk) -> Any:
        for step in steps:
            value = step(value, walk)
        return value

    return chain


def _mending(schema: Schema) -> Step | None:
    cast = CASTS.get(schema["type"]) if isinstance(schema.get("type"), str) else None
    if cast is None:
        return None
    right = _TYPES[schema["type"]]

    def mend(value: Any, _walk: Walk) -> Any:
        return value if value.__class__ in right else cast(value)

    return mend


def _has_default(schema: Schema) -> bool:
    if "default" not in schema or "type" not in schema:
        return False
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(type(schema["default"]) in _TYPES[name] for name in types)


def _maker(default: Any) -> Make:
    """Makes fresh copies. `deepcopy` costs more than all the rest of a node, and few defaults are nested."""
    inner = default.values() if isinstance(default, dict) else default
    nested = any(isinstance(item, dict | list) for item in inner)
    make: Make = partial(deepcopy, default) if nested else default.copy
    return make


def _object(members: dict[str, Step], constants: dict[str, Any], makers: dict[str, tuple[Make, Step]]) -> Step:
    step_of = members.get
    plain = list(constants.items())
    made = [(name, make, step) for name, (make, step) in makers.items()]

    def step(value: Any, walk: Walk) -> Any:
        if value.__class__ is not dict:
            return value
        for name, member in value.items():
            found = step_of(name)
            if found is not None:
                value[name] = found(member.copy() if member.__class__ is dict else member, walk)
        for name, default in plain:
            if name not in value:
                value[name] = default
        for name, make, complete in made:
            if name not in value:
                value[name] = complete(make(), walk)
        return value

    return step


def _open_object(step_for: Callable[[str], Step]) -> Step:
    """Members are looked up by name; the step of a name is remembered, for names come again and again."""
    remembered: dict[str, Step] = {}
    step_of = remembered.get

    def look_up(name: str) -> Step:
        found = step_for(name)
        if len(remembered) < _MANY and len(name) <= _SHORT:
            remembered[name] = found
        return found

    def step(value: Any, walk: Walk) -> Any:
        if value.__class__ is dict:
            for name, member in value.items():
                complete = step_of(name) or look_up(name)
                value[name] = complete(member.copy() if member.__class__ is dict else member, walk)
        return value

    return step


def _array(complete: Step) -> Step:
    def step(value: Any, walk: Walk) -> Any:
        if value.__class__ is not list:
            return value
        return [complete(item.copy() if item.__class__ is dict else item, walk) for item in value]

    return step


def _first_valid(branches: list[tuple[Step, Accept]]) -> Step:
    def step(value: Any, walk: Walk) -> Any:
        for complete, accepts in branches:
            candidate = complete(value.copy() if value.__class__ is dict else value, walk)
            if accepts(candidate):
                return candidate
        return value

    return step
