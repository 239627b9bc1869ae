# SPDX-License-Identifier: MPL-2.0
"""What a resource of a dialect consists of: which property lives where, and what may be done with it.

Reading, writing, ordering, filtering, searching and the description for clients follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from crossbar.dialects.homes import Edit, Home
from crossbar.dialects.integer_ids import Kind
from crossbar.dialects.refusals import WrongValue
from crossbar.documents.document import Document
from crossbar.documents.field import Expression
from crossbar.errors import JSON

NULL: Final = "{name}: Must not be null!"
ABSENT: Final = object()
"""Nothing is written where a new object does not say anything of a property."""


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of values. `take` makes of what a client sends what is stored, None for nothing; it raises WrongValue.

    `show` makes of what is stored what clients see. `schema` describes it to clients.
    """

    take: Callable[[JSON], JSON]
    show: Callable[[JSON], JSON]
    schema: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a resource.

    `home`: where its value lives; None for what each resource works out by itself. `unset`: what is shown where nothing
    is stored; `initial`: what a new object has that does not say. `also`: other names by which it may be sent.
    `is_secret`: it is written and always shown as unset. `is_column`: lists may be ordered and filtered by it;
    `is_searched`: they are searched in it. `expression`: its value in the database, where it has no home.
    """

    name: str
    kind: ValueKind
    home: Home | None = None
    unset: JSON = None
    initial: Any = ABSENT
    also: tuple[str, ...] = ()
    is_required: bool = False
    is_read_only: bool = False
    is_secret: bool = False
    is_column: bool = False
    is_searched: bool = False
    expression: Expression | None = None
    is_nullable: bool = True

    @property
    def in_database(self) -> Expression | None:
        """Its value in the database."""
        return self.home.expression if self.expression is None and self.home is not None else self.expression


@dataclass(frozen=True)
class Declaration:
    """A resource: `name` is the word of its path, `title` what errors call one of it."""

    name: str
    title: str
    number: Kind
    properties: tuple[Property, ...]
    by_name: Mapping[str, Property] = field(init=False)

    def __post_init__(self) -> None:
        names = {name: one for one in self.properties for name in (*one.also, one.name)}
        object.__setattr__(self, "by_name", names)

    def shown(self, document: Document, worked_out: Mapping[str, JSON]) -> dict[str, JSON]:
        """The object that a document is; `worked_out` has the properties that live elsewhere."""
        return {
            one.name: worked_out[one.name] if one.name in worked_out else self._shown(one, document)
            for one in self.properties
        }

    def unknown(self, body: Mapping[str, JSON]) -> list[str]:
        """What a body has that is no property, in the order sent."""
        return [name for name in body if name not in self.by_name]

    def taken(self, body: Mapping[str, JSON], refused: Callable[[Property, JSON, WrongValue], None]) -> dict[str, JSON]:
        """What is to be stored for the properties in a body, by their own names; the others and read-only ones not.

        `refused` is told of each value that cannot be taken.
        """
        values: dict[str, JSON] = {}
        for name, value in body.items():
            one = self.by_name.get(name)
            if one is None or one.is_read_only:
                continue
            try:
                if value is None and not one.is_nullable:
                    raise WrongValue(NULL)
                values[one.name] = one.kind.take(value)
            except WrongValue as wrong:
                refused(one, value, wrong)
        return values

    def with_initial(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """The values of a new object, with what it has where they do not say."""
        initial = {one.name: one.initial for one in self.properties if one.initial is not ABSENT}
        return {**initial, **values}

    def write(self, edit: Edit, values: Mapping[str, JSON]) -> None:
        """Put values where they live."""
        for one in self.properties:
            if one.name in values and one.home is not None:
                one.home.write(edit, values[one.name])

    def named(self, paths: Iterable[str]) -> list[str]:
        """The properties that live in some of KAZOO's fields, as errors name them."""
        found: dict[str, None] = {}
        for path in paths:
            found[next((one.name for one in self.properties if _lives_in(one, path)), path)] = None
        return list(found)

    @property
    def schema(self) -> dict[str, JSON]:
        """What a body may have, as clients are told."""
        writable = [one for one in self.properties if not one.is_read_only]
        required = [one.name for one in writable if one.is_required]
        described: dict[str, JSON] = {
            "type": "object",
            "properties": {one.name: dict(one.kind.schema) for one in writable},
        }
        return described | ({"required": required} if required else {})

    def columns(self) -> dict[str, Expression]:
        """What lists may be ordered and filtered by."""
        return {
            one.name: expression
            for one in self.properties
            if one.is_column and (expression := one.in_database) is not None
        }

    def searched(self) -> list[Expression]:
        """What lists are searched in."""
        return [
            expression for one in self.properties if one.is_searched and (expression := one.in_database) is not None
        ]

    def _shown(self, one: Property, document: Document) -> JSON:
        value = None if one.home is None or one.is_secret else one.home.read(document.fields)
        return one.unset if value is None else one.kind.show(value)


def _lives_in(one: Property, path: str) -> bool:
    return one.home is not None and any(path == home or path.startswith(f"{home}.") for home in one.home.paths)
