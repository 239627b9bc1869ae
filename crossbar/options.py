# SPDX-License-Identifier: MPL-2.0
"""What an option is: its default, its reason, how its text is read and shown.

Sections are frozen dataclasses whose fields are made by `option`. A field's type decides how the text of a file, an
environment variable or the command line becomes a value; everything that lists options (loading, printing, the
example file, the manual) asks `options_of`.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

T = TypeVar("T")

MASK = "********"
_URI_PASSWORD = re.compile(r"(?<=://)([^:/@]*):[^@]*@")
_WORDS = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parser:
    """How the values of one type are written: `read` raises ValueError on text that is none of them."""

    words: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One option as declared. `kazoo` is the `category.key` of the KAZOO system setting it stands for, if any."""

    section: str
    name: str
    default: Any
    why: str
    form: Parser
    secret: bool
    kazoo: str | None

    @property
    def path(self) -> str:
        """`section.option`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"CROSSBAR_{self.section}__{self.name}".upper()

    def shown(self, value: Any) -> str:
        """The text for a person: what `Form.read` takes, except that secrets are masked (in a URI the password)."""
        text = written(value)
        if not self.secret or not text:
            return text
        return _URI_PASSWORD.sub(rf"\1:{MASK}@", text) if "://" in text else MASK


def option(
    default: T,
    why: str,
    *,
    secret: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    kazoo: str | None = None,
    form: Parser | None = None,
) -> T:
    """A dataclass field that is an option. `form` replaces the one that follows from the field's type."""
    metadata = {"why": why, "secret": secret, "bounds": (minimum, maximum), "kazoo": kazoo, "form": form}
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


def options_of(section: str, declaration: type) -> Iterator[Option]:
    """The options a section's dataclass declares, in the order of declaration."""
    annotations = typing.get_type_hints(declaration)
    for field in dataclasses.fields(declaration):
        about = field.metadata
        form = about["form"] or form_of(annotations[field.name], *about["bounds"])
        yield Option(section, field.name, field.default, about["why"], form, about["secret"], about["kazoo"])


def written(value: Any) -> str:
    """A value as it stands in a file; None and an empty list are empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


def form_of(annotation: Any, minimum: float | None = None, maximum: float | None = None) -> Parser:
    """The form of values of a type: bool, int, float, str, Path, Literal, `tuple[X, ...]`, `X | None`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return _optional(form_of(inner, minimum, maximum))
    if origin is tuple:
        return list_of(form_of(arguments[0]))
    if origin is Literal:
        return _choice(arguments)
    if annotation is bool:
        return Parser("true or false", _read_bool)
    if annotation in (int, float):
        return _number(annotation, minimum, maximum)
    return {str: Parser("text", _read_text), Path: Parser("path", lambda text: Path(_read_text(text)))}[annotation]


def list_of(form: Parser) -> Parser:
    """The form of a tuple whose items are of `form`."""

    def read(text: str) -> tuple[Any, ...]:
        return tuple(form.read(item) for item in re.split(r"[,\s]+", text) if item)

    return Parser(f"list ({form.words}), separated by commas or line breaks; empty: none", read)


def _read_text(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _read_bool(text: str) -> bool:
    try:
        return _WORDS[text.lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def _choice(values: tuple[str, ...]) -> Parser:
    words = "one of " + ", ".join(values)

    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"must be {words}")
        return text

    return Parser(words, read)


def _number(kind: type[int] | type[float], minimum: float | None, maximum: float | None) -> Parser:
    words = "whole number" if kind is int else "number"
    limits = {(True, True): f", {minimum} to {maximum}", (True, False): f", {minimum} or more"}
    words += limits.get((minimum is not None, maximum is not None), "")

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"must be a {words}") from None
        too_small = minimum is not None and value < minimum
        too_large = maximum is not None and value > maximum
        if too_small or too_large or not math.isfinite(value):
            raise ValueError(f"must be a {words}")
        return value

    return Parser(words, read)


def _optional(form: Parser) -> Parser:
    return Parser(f"{form.words}; empty: unset", lambda text: form.read(text) if text else None)
