# SPDX-License-Identifier: MPL-2.0
"""Credentials that lie sealed in the database, its oplog and its backups, and are whole for whoever reads the document.

A shape names the places of its credentials (`Shape.sealed`), dotted paths in which `*` stands for every member. Only
text is sealed; what was stored before its place was named is read as it is, and sealed when it is next written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from crossbar.errors import JSON

log = logging.getLogger(__name__)

MARK: Final = "sealed:"
"""What sealed text begins with."""


class Unsealable(Exception):
    """A stored secret was sealed under a key that is not known any more."""


class Sealer(Protocol):
    """Seals and opens text under keys that are kept outside the database."""

    def seal(self, text: str) -> str:
        """The text, encrypted and authenticated."""

    def unseal(self, sealed: str) -> str:
        """What was sealed; raises Unsealable."""


def sealed(fields: dict[str, JSON], places: tuple[str, ...], sealer: Sealer) -> dict[str, JSON]:
    """A copy of `fields` with the text at these places sealed; what no key opens any more stays as it is."""

    def seal(text: str) -> str:
        if text.startswith(MARK) and _unsealed(text, sealer) is None:
            return text
        return MARK + sealer.seal(text)

    return _changed(fields, places, seal)


def opened(fields: dict[str, JSON], places: tuple[str, ...], sealer: Sealer) -> dict[str, JSON]:
    """A copy of `fields` with the text at these places opened; what no key opens any more stays sealed."""

    def unseal(text: str) -> str:
        if not text.startswith(MARK):
            return text
        found = _unsealed(text, sealer)
        if found is None:
            log.error("a credential was sealed under a key that is not known; set it anew, or give the key back")
        return text if found is None else found

    return _changed(fields, places, unseal)


def removed(fields: dict[str, JSON], places: tuple[str, ...]) -> dict[str, JSON]:
    """A copy of `fields` without the text at these places."""
    for place in places:
        fields = _without(fields, tuple(place.split(".")))
    return fields


def with_texts(value: JSON, change: Callable[[str], str]) -> JSON:
    """A copy of a value in which each text, however deep, is what `change` makes of it."""
    if isinstance(value, dict):
        return {key: with_texts(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _unsealed(text: str, sealer: Sealer) -> str | None:
    try:
        return sealer.unseal(text.removeprefix(MARK))
    except Unsealable:
        return None


def _changed(fields: dict[str, JSON], places: tuple[str, ...], change: Callable[[str], str]) -> dict[str, JSON]:
    for place in places:
        fields = _at(fields, tuple(place.split(".")), change)
    return fields


def _at(value: JSON, path: tuple[str, ...], change: Callable[[str], str]) -> JSON:
    if not path:
        return change(value) if isinstance(value, str) else value
    step, rest = path[0], path[1:]
    if step == "*":
        if isinstance(value, list):
            return [_at(item, rest, change) for item in value]
        if isinstance(value, Mapping):
            return {key: _at(item, rest, change) for key, item in value.items()}
        return value
    if isinstance(value, Mapping) and step in value:
        return {**value, step: _at(value[step], rest, change)}
    return value


def _without(value: JSON, path: tuple[str, ...]) -> JSON:
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_without(item, rest) for item in value] if step == "*" and rest else value
    if not isinstance(value, Mapping):
        return value
    kept = {key: item for key, item in value.items() if rest or step not in ("*", key) or not isinstance(item, str)}
    return {key: _without(item, rest) if rest and step in ("*", key) else item for key, item in kept.items()}
