# SPDX-License-Identifier: MPL-2.0
"""The routes of a dialect: which words of a path, with which method, lead to which handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from crossbar.errors import JSON

if TYPE_CHECKING:
    from crossbar.dialects.dialect_context import DialectContext

DialectHandler = Callable[["DialectContext"], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class DialectRoute:
    """What one method of one path does.

    `is_open`: for callers without a token. `answers_json`: whether the `Accept` header has to admit JSON. `takes_json`:
    whether a body has to say that it is JSON, and `needs_body` whether there has to be one. `action` is the last word
    of the access it needs, where the method does not say that. `summary`, `body` (its schema) and `is_list` are for the
    description that clients read.
    """

    method: str
    template: str
    handler: DialectHandler
    is_open: bool = False
    answers_json: bool = False
    takes_json: bool = False
    needs_body: bool = False
    action: str | None = None
    summary: str = ""
    body: Mapping[str, JSON] | None = None
    is_list: bool = False


@dataclass
class RouteTable:
    """Routes by the words of their paths; `{name}` stands for any word."""

    routes: list[DialectRoute] = field(default_factory=list)
    _by_shape: dict[int, list[tuple[tuple[str, ...], dict[str, DialectRoute]]]] = field(default_factory=dict)

    def add(self, route: DialectRoute) -> None:
        """Make a route known. Of two that fit a path the one that was added first counts."""
        self.routes.append(route)
        words = tuple(route.template.strip("/").split("/"))
        paths = self._by_shape.setdefault(len(words), [])
        for known, methods in paths:
            if known == words:
                methods[route.method] = route
                return
        paths.append((words, {route.method: route}))

    def find(self, words: tuple[str, ...]) -> tuple[dict[str, DialectRoute], dict[str, str]] | None:
        """The routes of a path by method, and what its `{names}` stand for."""
        for known, methods in self._by_shape.get(len(words), ()):
            named: dict[str, str] = {}
            for pattern, word in zip(known, words, strict=True):
                if pattern.startswith("{"):
                    named[pattern[1:-1]] = word
                elif pattern != word:
                    break
            else:
                return methods, named
        return None
