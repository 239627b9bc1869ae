# SPDX-License-Identifier: MPL-2.0
"""Bodies for every route: good ones made from schemas, in which values are then exchanged for wrong ones.

The words of a handler's module (the keys it reads among them) say what else may stand in a body that no schema knows.
"""

from __future__ import annotations

import ast
import copy
import random
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from crossbar.documents.schemas import patterns
from crossbar.documents.schemas.library import Library, Schema, shipped_folder
from crossbar.endpoint import Route

LIBRARY: Final = Library(shipped_folder())
WRONG: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 5, -1, 1.5, 2**63 - 1, -(2**63), 1e308, "", "x", "12", "💩", "\0", "a" * 300),
    *([], [None], ["a"], [5], [[]], [{}], ["a", None, {"id": "a"}], [["a", "b"]]),
    *({}, {"X": 5}, {"a": None}, {"a": {"b": [1]}}, {"a": []}, {"": ""}, {"a.b": {"$c": 1}}, {"id": {"id": "a"}}),
)
TEXTS: Final = (
    *("name", "1001", "+12025550199", "fuzz@b.example", "http://203.0.113.77/", "a" * 32, "en-us", "12:00:00"),
    *("Europe/Rome", "10.203.0.77", "10.203.0.0/16", "fuzz.example.com", "2026-01-01T00:00:00Z", "aa:bb:cc:dd:ee:ff"),
)  # fmt: skip
DEEPEST: Final = 5
_WORD: Final = re.compile(r"[A-Za-z][\w-]{1,40}(\.[a-z]\w{1,40}){0,3}", re.ASCII)


class Bodies:
    """Makes bodies, always the same ones for a `chance` of one seed; `ids` are texts that name something."""

    def __init__(self, chance: random.Random, ids: list[str]) -> None:
        self._chance = chance
        self._ids = ids

    def body(self, route: Route) -> Any:
        """The `data` of a request, or something else that no client should send."""
        schemas, words = _knowledge(route)
        chance = self._chance
        good = self.example(LIBRARY.prepared(chance.choice(schemas))) if schemas and chance.random() < 0.8 else {}
        good = good if isinstance(good, dict) else {}
        if words and chance.random() < 0.6:
            for _ in range(chance.randint(1, 3)):
                _put(good, chance.choice(words).split("."), self.value())
        for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
            self.spoil(good)
        return self.value() if chance.random() < 0.03 else good

    def example(self, schema: Schema, depth: int = 0) -> Any:
        """A value that a prepared schema is likely to accept."""
        name = schema.get("$ref") or schema.get("x-node")
        if name is not None:
            return self.example(LIBRARY.prepared(name), depth)
        if branches := [*schema.get("oneOf", ()), *schema.get("anyOf", ())]:
            return self.example({**schema, "oneOf": (), "anyOf": (), **self._chance.choice(branches)}, depth)
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        return getattr(self, f"_{self._chance.choice(kind) if isinstance(kind, list) else kind}")(schema, depth)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        share = 0.25 if depth < DEEPEST else 0
        made = {
            name: self.example(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or self._chance.random() < share
        }
        others = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        if depth < DEEPEST and (others := [part for part in others if isinstance(part, dict)]):
            made |= {self._chance.choice(TEXTS): self.example(self._chance.choice(others), depth + 1)}
        return made

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        fewest = schema.get("minItems", 0)
        many = self._chance.randint(fewest, fewest + 2) if depth < DEEPEST else fewest
        return [self.example(schema.get("items") or {}, depth + 1) for _ in range(many)]

    def _string(self, schema: Schema, _depth: int) -> str:
        pattern, most = schema.get("pattern"), schema.get("maxLength", 10**6)
        fitting = [text for text in (*TEXTS, *self._ids) if schema.get("minLength", 0) <= len(text) <= most]
        if pattern:
            fitting = [text for text in fitting if patterns.matches(pattern, text)]
        return self._chance.choice(fitting) if fitting else "x"

    def _integer(self, schema: Schema, _depth: int) -> int:
        fewest = int(schema.get("minimum", 0))
        return self._chance.randint(fewest, int(schema.get("maximum", fewest + 1000)))

    _number = _integer

    def _boolean(self, _schema: Schema, _depth: int) -> bool:
        return self._chance.random() < 0.5

    def _null(self, _schema: Schema, _depth: int) -> None:
        return None

    def value(self) -> Any:
        """A wrong value, or a text that names something."""
        known = self._ids and self._chance.random() < 0.1
        return copy.deepcopy(self._chance.choice(self._ids if known else WRONG))

    def spoil(self, body: dict[str, Any], words: Sequence[str] = ()) -> None:
        """Exchange one value, at any depth, for a wrong one; or put one under one of the words."""
        if words and self._chance.random() < 0.5:
            _put(body, self._chance.choice(words).split("."), self.value())
        elif places := list(_places(body)):
            holder, key = self._chance.choice(places)
            holder[key] = self.value()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _put(body: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        below = body.get(step)
        body[step] = body = dict(below) if isinstance(below, dict) else {}
    body[steps[-1]] = value


def _knowledge(route: Route) -> tuple[list[str], list[str]]:
    """The schemas that a route's module names, and the words in it and in the domain modules that it uses."""
    owner = getattr(route.handler, "__self__", None)
    life = getattr(owner, "life", owner)
    hooks = getattr(life, "hooks", None)
    declared = [getattr(life, "schema", None)]
    modules = {route.handler.__module__}
    if hooks is not None:
        functions = [*hooks.normalize, *hooks.check, *hooks.finish, *hooks.after, *hooks.show]
        modules |= {function.__module__ for function in functions}
    words = [word for module in sorted(modules) for word in words_of(module)]
    named = [schema for schema in declared if schema] or [word for word in words if word in LIBRARY.ids]
    return named, words


@cache
def words_of(module: str) -> tuple[str, ...]:
    """The text constants of a module, and of those below `domain` that it imports, which may be keys of documents."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or not module.startswith("crossbar.resources"):
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
            found[node.value] = None
        if isinstance(node, ast.ImportFrom) and node.module and ".domain" in node.module:
            inner = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            found |= dict.fromkeys(word for name in inner if name != module for word in words_of(name))
    return tuple(found)
