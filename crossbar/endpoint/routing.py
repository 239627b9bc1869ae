# SPDX-License-Identifier: MPL-2.0
"""Routes, and the table that finds the one a path means.

Source: the module behaviour of `applications/crossbar/src/modules/cb_*.erl` (`allowed_methods`, `resource_exists`,
`authorize`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import Binary, Reply

Handler = Callable[[Context], Awaitable[Reply | Binary]]
Rule = Callable[[Context], Awaitable[bool | None]]
"""An endpoint's own authorization: True allows, False refuses, None leaves it to the account tree."""
Opening = Callable[[Context], Awaitable[bool]]
"""Whether a route is open to this caller, who has no token."""

VERBS: Final = ("GET", "PUT", "POST", "PATCH", "DELETE")
ANY_COLLECTION: Final = "{collection}"
"""Stands in a template for the name of whatever collection: `/accounts/{account_id}/{collection}/{document_id}/…`."""


class Who(Enum):
    """Who may call a route."""

    TREE = "the path's account itself or one of its ancestors (bare paths: superduper admin)"
    ANONYMOUS = "anybody, without a token"
    AUTHENTICATED = "anybody with a valid token"
    ADMIN = "as TREE, and the token's user is an admin of the token's account"
    SUPERDUPER = "superduper admin accounts"
    INGEST = "superduper admin accounts, and whoever holds an ingest token, which opens nothing else"


class Lists(Enum):
    """What of the usual parameters of lists a route takes."""

    NOTHING = "no list, or one that is always whole"
    FILTERS = "filters, and no pages"
    ROWS = "pages and order"
    PAGES = "pages, order, fields and filters"
    NAMED = "as PAGES; the rows stand by name in an object"
    TIMES = "as PAGES, within a range of time"


@dataclass(frozen=True, slots=True)
class Route:
    """One verb on one path.

    `template` is the whole path as clients see it, with `{names}` for arguments. `scope` has the names of the nouns
    before the endpoint's own, `pattern` what follows it. `accepts` are content types of the body beside the usual ones,
    `provides` those of the answer beside JSON. A handler that `checks_itself` calls `context.ready_to_write` when its
    checks are done; for the others the preconditions and the content type are judged before they run. `open_if` lets
    callers without a token in.

    `schema` names the JSON schema that `context.valid_data()` holds the request's data to, `shows` that of the document
    in the answer. `lists` says which parameters of lists count, `options` what else of the request's values: name →
    what it does. `answers` are the statuses of its answers where they are not the verb's own, `refuses` those of errors
    that it has beside those of all its kind.
    """

    verb: str
    template: str
    scope: str
    pattern: tuple[str, ...]
    handler: Handler
    who: Who | Rule = Who.TREE
    accepts: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    checks_itself: bool = False
    open_if: Opening | None = None
    schema: str | None = None
    shows: str | None = None
    lists: Lists = Lists.NOTHING
    options: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[int, ...] = ()
    refuses: tuple[int, ...] = ()

    async def is_open(self, context: Context) -> bool:
        """Whether the caller needs no token."""
        return self.who is Who.ANONYMOUS or (self.open_if is not None and await self.open_if(context))


def split_template(endpoint: str, path: str) -> tuple[str, tuple[str, ...]]:
    """The scope and the pattern of a path below the version, as `Route` has them.

    `/accounts/{account_id}/users/{user_id}/devices/{device_id}` of the endpoint `devices` is
    `("accounts/users", ("{device_id}",))`. Raises ValueError where the endpoint's name is missing.
    """
    parts = path.strip("/").split("/")
    if endpoint not in parts:
        raise ValueError(f"the path {path!r} lacks the endpoint's name {endpoint!r}")
    at = parts.index(endpoint)
    nouns = [part for part in parts[:at] if not part.startswith("{") or part == ANY_COLLECTION]
    return "/".join(nouns), tuple(parts[at + 1 :])


@dataclass(slots=True)
class PathPattern:
    """What may follow an endpoint's name in a path: fixed words and named arguments, with the routes that end there."""

    parts: tuple[str, ...]
    routes: dict[str, dict[str, Route]] = field(default_factory=dict)
    """Scope → verb → route."""
    methods: tuple[str, ...] = ()

    def match(self, args: Sequence[str]) -> dict[str, str] | None:
        """The named arguments, or None when a fixed word differs. Lengths are equal already."""
        names: dict[str, str] = {}
        for part, arg in zip(self.parts, args, strict=True):
            if part[0] == "{":
                names[part[1:-1]] = arg
            elif part != arg:
                return None
        return names

    def add(self, route: Route) -> None:
        """Offer one more verb; a verb has one handler in a scope."""
        verbs = self.routes.setdefault(route.scope, {})
        if route.verb in verbs:
            raise ValueError(f"{route.verb} {route.template} is declared twice")
        verbs[route.verb] = route
        known = {*self.methods, route.verb}
        self.methods = tuple(verb for verb in VERBS if verb in known)

    @property
    def fixed_words(self) -> int:
        """How many parts are fixed: the more, the earlier the pattern is tried."""
        return sum(part[0] != "{" for part in self.parts)


class PathTable:
    """All paths of one endpoint, by what follows its name."""

    def __init__(self) -> None:
        self._patterns: dict[int, list[PathPattern]] = {}

    def add(self, route: Route) -> None:
        """Make a route known."""
        patterns = self._patterns.setdefault(len(route.pattern), [])
        known = next((pattern for pattern in patterns if pattern.parts == route.pattern), None)
        if known is None:
            known = PathPattern(route.pattern)
            patterns.append(known)
            patterns.sort(key=lambda pattern: -pattern.fixed_words)
        known.add(route)

    def find(self, args: Sequence[str]) -> tuple[PathPattern, dict[str, str]] | None:
        """The pattern that the arguments of the endpoint's noun spell, with the named ones; None for an unknown one."""
        for pattern in self._patterns.get(len(args), ()):
            names = pattern.match(args)
            if names is not None:
                return pattern, names
        return None

    def __iter__(self) -> Iterator[Route]:
        for patterns in self._patterns.values():
            for pattern in patterns:
                for verbs in pattern.routes.values():
                    yield from verbs.values()
