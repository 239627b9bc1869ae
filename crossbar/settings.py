# SPDX-License-Identifier: MPL-2.0
"""Settings: the configuration as `system_configs` changes it, without a restart.

An option that stands for a KAZOO system setting (`crossbar.pagination_page_size`) takes the value that is stored for
it, before the one of the INI file. All stored sections are kept in memory, reread when the change feed tells of a
change, so that a look-up is one in a dictionary.

Source: `core/kazoo_config/src/kapps_config.erl` (`get`: node, zone, default).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from crossbar import clock
from crossbar.config import OPTIONS, SECTIONS, Config
from crossbar.documents.document import SYSTEM_CONFIG, value_at
from crossbar.documents.feed import Change, Feed
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.errors import JSON, CrossbarError
from crossbar.options import Option, written

log = logging.getLogger(__name__)

TYPE: Final = "system_config"
DEFAULT_SECTION: Final = "default"
ZONE: Final = "local"
"""The zone of an installation that is one."""
BELIEVED_SECONDS: Final = 1.0
"""How long what was read is believed while no change would be heard of."""

Derived = TypeVar("Derived")

Sections = Mapping[str, JSON]
"""A category as stored: section (node, zone, `default`) → values."""


class Settings:
    """The settings of one worker. `node` is the server's name as sections have it: `crossbar@<host>`.

    `config` is the configuration of the files with what is stored laid over it, replaced whole when a setting
    changes: ask for it at each use.
    """

    def __init__(self, base: Config, store: Store, feed: Feed, *, node: str) -> None:
        self.config = base
        self.node = node
        self._base = base
        self._store = store
        self._feed = feed
        self._sections = (node, ZONE, DEFAULT_SECTION)
        self._stored: dict[str, Sections] = {}
        self._merged: dict[str, Mapping[str, JSON]] = {}
        self._stale = True
        self._until: float | None = None
        self._reading = asyncio.Lock()
        feed.subscribe(TYPE, self.forget)
        feed.on_loss(self.forget)

    def get(self, category: str, key: str, default: JSON = None) -> JSON:
        """The value stored at a dotted `key` of a category for this node, its zone, or all; else `default`."""
        stored = self._stored.get(category)
        if stored is None:
            return default
        for section in self._sections:
            values = stored.get(section)
            value = value_at(values, key) if isinstance(values, Mapping) else None
            if value is not None:
                return value
        return default

    def section(self, category: str) -> Mapping[str, JSON]:
        """All values stored for a category, the nearest section's word first."""
        known = self._merged.get(category)
        if known is not None:
            return known
        stored = self._stored.get(category)
        if stored is None:
            return {}
        merged: dict[str, JSON] = {}
        for section in reversed(self._sections):
            values = stored.get(section)
            merged.update(values if isinstance(values, Mapping) else {})
        self._merged[category] = merged
        return merged

    def given(self, category: str) -> dict[str, JSON]:
        """The values of a category that the configuration's files and the environment give, by dotted key."""
        return {
            declared.kazoo.removeprefix(f"{category}."): _json(self._base.value(declared))
            for declared in OPTIONS.values()
            if declared.kazoo
            and declared.kazoo.startswith(f"{category}.")
            and not declared.secret
            and self._base.origin(declared) != "default"
        }

    def derived(self, make: Callable[[Config], Derived]) -> Callable[[], Derived]:
        """What `make` makes of the configuration in force, made anew only when that changes."""
        known: list[tuple[Config, Derived]] = []

        def current() -> Derived:
            if not known or known[0][0] is not self.config:
                known[:] = [(self.config, make(self.config))]
            return known[0][1]

        return current

    def forget(self, _: Change | None = None) -> None:
        """Something stored changed; whoever changes it may say so before the feed does."""
        self._stale = True

    async def fresh(self) -> None:
        """Make what is remembered as fresh as can be known: to be awaited before each request."""
        if self._stale or (self._until is not None and self._until <= clock.unix_now()):
            await self._reload()

    async def _reload(self) -> None:
        async with self._reading:
            if not self._stale and (self._until is None or self._until > clock.unix_now()):
                return
            # A change heard of from here on is not sure to be in what is read.
            self._stale = False
            self._until = None if self._feed.live else clock.unix_now() + BELIEVED_SECONDS
            try:
                documents = await self._store.all(Listing(SYSTEM_CONFIG, TYPE))
            except CrossbarError as error:
                log.warning("system settings cannot be reread: %s", error)
                self._until = clock.unix_now() + BELIEVED_SECONDS
                return
            self._stored = {document.id: document.fields for document in documents}
            self._merged.clear()
            self.config = self._overlaid()

    def _overlaid(self) -> Config:
        overrides: dict[str, dict[str, Any]] = {}
        for declared in OPTIONS.values():
            for value in self._overrides(declared):
                overrides.setdefault(declared.section, {})[declared.name] = value
        sections: dict[str, Any] = {
            name: dataclasses.replace(getattr(self._base, name), **overrides[name])
            for name in SECTIONS
            if name in overrides
        }
        return dataclasses.replace(self._base, **sections)

    def _overrides(self, declared: Option) -> Iterator[Any]:
        """The stored value of an option, if it has one that can be used."""
        value = self._stored_value(declared.kazoo) if declared.kazoo else None
        if value is None:
            return
        try:
            yield declared.form.read(_text(value))
        except ValueError as error:
            log.warning("system setting %s is not used: it %s", declared.kazoo, error)

    def _stored_value(self, name: str) -> JSON:
        """The value of `category.key`, where the dots of the category end being for the stored ones to say."""
        steps = name.split(".")
        for length in range(len(steps) - 1, 0, -1):
            value = self.get(".".join(steps[:length]), ".".join(steps[length:]))
            if value is not None:
                return value
        return None


def _text(value: JSON) -> str:
    """A JSON value as the text that options are read from."""
    return json.dumps(value) if isinstance(value, dict) else written(tuple(value) if isinstance(value, list) else value)


def _json(value: Any) -> JSON:
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
