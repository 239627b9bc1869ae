# SPDX-License-Identifier: MPL-2.0
"""Homes: where in a document of KAZOO's the value of a dialect's property lives.

A value with a field of KAZOO's is kept there and nowhere else, so that a change made through Crossbar shows in every
dialect. What KAZOO has no field for lies under the private key `pvt_xivo`. Where KAZOO's field cannot hold a value as
it was given (`exact`, by the home's name), it gets what comes nearest, and `pvt_xivo` keeps what was given; that counts
for as long as KAZOO's field still holds what was made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Protocol

from crossbar.documents.document import Document, as_object, public_fields, value_at
from crossbar.documents.field import Expression
from crossbar.documents.selection import at, same, where
from crossbar.errors import JSON

ASIDE: Final = "pvt_xivo"
"""The private key under which lies what KAZOO has no field for."""


class Edit:
    """A document while a dialect changes it: its public fields, and those under `pvt_xivo` (`aside`).

    `found` holds what a home may have to know of other documents, looked up before.
    """

    def __init__(self, document: Document | None = None, found: Mapping[str, JSON] | None = None) -> None:
        fields = {} if document is None else document.fields
        self.public: dict[str, Any] = deepcopy(public_fields(fields))
        self.aside: dict[str, Any] = deepcopy(as_object(fields.get(ASIDE)))
        self.found = dict(found or {})

    @property
    def fields(self) -> dict[str, JSON]:
        """All of it, as homes read it."""
        return {**self.public, ASIDE: self.aside}

    @property
    def private(self) -> dict[str, JSON]:
        """The private fields to save."""
        return {ASIDE: self.aside or None}

    def put(self, path: str, value: JSON) -> None:
        """Set a public field at a dotted path; None takes it away."""
        _put(self.public, path.split("."), value)

    def put_aside(self, path: str, value: JSON) -> None:
        """Set a field under `pvt_xivo`; None takes it away."""
        _put(self.aside, path.split("."), value)


def _put(fields: dict[str, Any], path: list[str], value: JSON) -> None:
    *above, last = path
    for step in above:
        below = fields.get(step)
        if not isinstance(below, dict):
            if value is None:
                return
            below = fields[step] = {}
        fields = below
    if value is None:
        fields.pop(last, None)
    else:
        fields[last] = value


class Home(Protocol):
    """Where a value lives. `paths` are the fields of KAZOO's that are written for it."""

    @property
    def paths(self) -> tuple[str, ...]: ...  # noqa: D102

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """The value, None where there is none."""

    def write(self, edit: Edit, value: JSON) -> None:
        """Set the value, or with None take it away."""

    @property
    def expression(self) -> Expression:
        """The value in the database, to sort and search by."""


@dataclass(frozen=True, slots=True)
class InField:
    """A field of KAZOO's that takes every value."""

    path: str

    @property
    def paths(self) -> tuple[str, ...]:
        """That field."""
        return (self.path,)

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """The field."""
        return value_at(fields, self.path)

    def write(self, edit: Edit, value: JSON) -> None:
        """Set the field."""
        edit.put(self.path, value)

    @property
    def expression(self) -> Expression:
        """The field."""
        return at(self.path)


@dataclass(frozen=True, slots=True)
class Aside:
    """Under `pvt_xivo`."""

    name: str
    paths: tuple[str, ...] = ()

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """What was kept."""
        return value_at(fields, f"{ASIDE}.{self.name}")

    def write(self, edit: Edit, value: JSON) -> None:
        """Keep it."""
        edit.put_aside(self.name, value)

    @property
    def expression(self) -> Expression:
        """What was kept."""
        return at(f"{ASIDE}.{self.name}")


Values = Mapping[str, JSON]
"""Values of KAZOO's fields by their paths."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One or several fields of KAZOO's, made of a value that they may not hold as it is.

    `fit` says what to write to each of `paths`, `told` what value they stand for; `nearest` is the same for the
    database, the first field unless given.
    """

    name: str
    paths: tuple[str, ...]
    fit: Callable[[Edit, JSON], Values]
    told: Callable[[Values], JSON]
    nearest: Expression | None = None

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """What was given, if the fields still hold what was made of it; else what they stand for."""
        values = self._values(fields)
        exact = value_at(fields, f"{ASIDE}.exact.{self.name}")
        if isinstance(exact, dict) and exact.get("stored") == list(values.values()):
            return exact.get("given")
        return self.told(values)

    def write(self, edit: Edit, value: JSON) -> None:
        """Write what comes nearest, and keep what was given where that is not the same."""
        for path, fitted in self.fit(edit, value).items():
            edit.put(path, fitted)
        values = self._values(edit.public)
        is_exact = self.told(values) == value
        kept = None if is_exact else {"given": value, "stored": list(values.values())}
        edit.put_aside(f"exact.{self.name}", kept)

    @property
    def expression(self) -> Expression:
        """As `read`."""
        exact = f"{ASIDE}.exact.{self.name}"
        otherwise = at(self.paths[0]) if self.nearest is None else self.nearest
        return where(same(at(f"{exact}.stored"), [at(path) for path in self.paths]), at(f"{exact}.given"), otherwise)

    def _values(self, fields: Mapping[str, JSON]) -> dict[str, JSON]:
        return {path: value_at(fields, path) for path in self.paths}


def only(path: str) -> Callable[[Values], JSON]:
    """The value of one field as it is."""
    return lambda values: values[path]


def fitted(name: str, path: str, fit: Callable[[JSON], JSON], told: Callable[[JSON], JSON] = lambda v: v) -> Fitted:
    """One field that takes what `fit` makes of a value, and stands for what `told` says."""
    return Fitted(name, (path,), lambda _, value: {path: fit(value)}, lambda values: told(values[path]))
