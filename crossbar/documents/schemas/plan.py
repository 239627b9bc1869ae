"""Completing a document: defaults put in, values of a mendable type mended, tree nodes set aside.

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

from crossbar.documents.schemas import patterns
from crossbar.documents.schemas.casts import CASTS
from crossbar.documents.schemas.checks import NODES, module_schema
from crossbar.documents.schemas.library import Library, Schema, parts

Path = tuple[Any, ...] | None
"""Where a value is: (path of its parent, member name or index); None for the document itself."""
Pending = list[tuple[str, Any, Path]]
"""What is still to be completed by itself: schema id, value, path."""
Step = Callable[[Any, Path, Pending], Any]
"""Completes a value and returns it, or the one that takes its place."""
Accept = Callable[[Any], bool]
"""The verdict on a value."""

_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


class Plans:
    """Compiles schemas of a library into steps, each once."""

    def __init__(self, library: Library, accepts: Callable[[Schema], Accept], *, mend: bool) -> None:
        self._library = library
        self._accepts = accepts
        self._mend = mend
        self._references: dict[tuple[str, bool], Step | None] = {}

    def step(self, schema_id: str) -> Step:
        """The step for a whole document or node of this schema."""
        step = self._reference(schema_id, mend=self._mend) or _leave
        return _node(schema_id, step) if schema_id in NODES else step

    def _reference(self, name: str, *, mend: bool) -> Step | None:
        key = (name, mend)
        if key not in self._references:
            self._references[key] = lambda value, path, pending: (self._references[key] or _leave)(value, path, pending)
            self._references[key] = self._compile(self._library.prepared(name), mend=mend)
        return self._references[key]

    def _compile(self, schema: Schema, *, mend: bool) -> Step | None:
        steps = [
            self._reference(schema["$ref"], mend=mend) if "$ref" in schema else None,
            partial(_set_aside, schema["x-node"]) if "x-node" in schema else None,
            *(self._compile(part, mend=mend) for part in schema.get("allOf", ())),
            *(self._choice(schema[keyword]) for keyword in ("anyOf", "oneOf") if keyword in schema),
            self._items(schema, mend=mend),
            self._object(schema, mend=mend),
            self._open_object(schema, mend=mend),
            _mending(schema) if mend else None,
        ]
        return _chained([step for step in steps if step is not None])

    def _object(self, schema: Schema, *, mend: bool) -> Step | None:
        properties: Schema = schema.get("properties", {})
        defaults = [(name, _maker(part["default"])) for name, part in properties.items() if _has_default(part)]
        members = self._compiled(properties, mend=mend)
        return partial(_plain_object, defaults, members) if defaults or members else None

    def _open_object(self, schema: Schema, *, mend: bool) -> Step | None:
        by_pattern = self._compiled(schema.get("patternProperties", {}), mend=mend)
        others = schema.get("additionalProperties")
        extra = self._compile(others, mend=mend) if isinstance(others, dict) else None
        known = frozenset(schema.get("properties", ())), tuple(schema.get("patternProperties", ()))
        return partial(_open_object, by_pattern, extra, known) if by_pattern or extra is not None else None

    def _compiled(self, parts: Schema, *, mend: bool) -> list[tuple[str, Step]]:
        steps = ((name, self._compile(part, mend=mend)) for name, part in parts.items())
        return [(name, step) for name, step in steps if step is not None]

    def _items(self, schema: Schema, *, mend: bool) -> Step | None:
        items = schema.get("items")
        step = self._compile(items, mend=mend) if isinstance(items, dict) else None
        return None if step is None else partial(_array, step)

    def _choice(self, branches: list[Schema]) -> Step | None:
        if not any(self._fills(branch, set()) for branch in branches):
            return None
        steps = [self._compile(branch, mend=False) or _leave for branch in branches]
        return partial(_first_valid, list(zip(steps, map(self._accepts, branches), strict=True)))

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


def _leave(value: Any, _path: Path, _pending: Pending) -> Any:
    return value


def _chained(steps: list[Step]) -> Step | None:
    if len(steps) <= 1:
        return steps[0] if steps else None

    def chain(value: Any, path: Path, pending: Pending) -> Any:
        for step in steps:
            value = step(value, path, pending)
        return value

    return chain


def _mending(schema: Schema) -> Step | None:
    cast = CASTS.get(schema["type"]) if isinstance(schema.get("type"), str) else None
    if cast is None:
        return None
    right = _TYPES[schema["type"]]

    def mend(value: Any, _path: Path, _pending: Pending) -> Any:
        return value if value.__class__ in right else cast(value)

    return mend


def _has_default(schema: Schema) -> bool:
    if "default" not in schema or "type" not in schema:
        return False
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(type(schema["default"]) in _TYPES[name] for name in types)


def _maker(default: Any) -> Callable[[], Any]:
    if isinstance(default, dict | list):
        return type(default) if not default else partial(deepcopy, default)
    return lambda: default


def _own(value: Any) -> Any:
    return value.copy() if value.__class__ is dict else value


def _plain_object(
    defaults: list[tuple[str, Callable[[], Any]]],
    members: list[tuple[str, Step]],
    value: Any,
    path: Path,
    pending: Pending,
) -> Any:
    if value.__class__ is dict:
        for name, make in defaults:
            if name not in value:
                value[name] = make()
        for name, step in members:
            if name in value:
                member = value[name]
                value[name] = step(member.copy() if member.__class__ is dict else member, (path, name), pending)
    return value


def _open_object(
    by_pattern: list[tuple[str, Step]],
    extra: Step | None,
    known: tuple[frozenset[str], tuple[str, ...]],
    value: Any,
    path: Path,
    pending: Pending,
) -> Any:
    if value.__class__ is dict:
        names, name_patterns = known
        for name in value:
            for pattern, step in by_pattern:
                if patterns.matches(pattern, name):
                    value[name] = step(_own(value[name]), (path, name), pending)
            if extra is not None and name not in names and not any(patterns.matches(p, name) for p in name_patterns):
                value[name] = extra(_own(value[name]), (path, name), pending)
    return value


def _array(step: Step, value: Any, path: Path, pending: Pending) -> Any:
    if value.__class__ is not list:
        return value
    return [step(_own(item), (path, index), pending) for index, item in enumerate(value)]


def _first_valid(branches: list[tuple[Step, Accept]], value: Any, path: Path, pending: Pending) -> Any:
    for step, accepts in branches:
        candidate = step(_own(value), path, pending)
        if accepts(candidate):
            return candidate
    return value


def _set_aside(node: str, value: Any, path: Path, pending: Pending) -> Any:
    pending.append((node, value, path))
    return value


def _node(node: str, step: Step) -> Step:
    def complete(value: Any, path: Path, pending: Pending) -> Any:
        step(value, path, pending)
        if value.__class__ is dict and value.get("module").__class__ is str and "data" in value:
            data = value["data"] = _own(value["data"])
            pending.append((module_schema(node, value["module"]), data, (path, "data")))
        return value

    return complete
