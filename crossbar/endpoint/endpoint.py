# SPDX-License-Identifier: MPL-2.0
"""The declaration of an endpoint: routes, and who may call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypedDict, Unpack

from crossbar.documents.shape import Shape
from crossbar.endpoint.routing import Handler, Lists, Opening, PathTable, Route, Rule, Who, split_template

if TYPE_CHECKING:
    from crossbar.endpoint.collection import Collection


class OperationOptions(TypedDict, total=False):
    """What a route says that offers an operation on the documents of a collection; see `Route`."""

    checks_itself: bool
    schema: str | None
    shows: str | None
    lists: Lists
    options: Mapping[str, str]


class RouteOptions(OperationOptions, total=False):
    """What a route may say beside its verb and paths; see `Route`."""

    who: Who | Rule
    accepts: Iterable[str]
    provides: Iterable[str]
    open_if: Opening
    answers: Iterable[int]
    refuses: Iterable[int]


class Endpoint:
    """What clients reach under one word of a path.

    Its handlers are declared with whole paths below the version, `@about.get("/accounts/{account_id}/about")`; several
    paths may lead to one handler. `who` may call its routes where they do not say otherwise. `version` is what its
    paths begin with: `v2`, or `hooks` for what other programs post in their own words, without an envelope. With
    `takes_all_words` the words after its name are its arguments even where they are names of endpoints.
    """

    def __init__(
        self, name: str, *, who: Who | Rule = Who.TREE, version: str = "v2", takes_all_words: bool = False
    ) -> None:
        self.name = name
        self.who = who
        self.version = version
        self.takes_all_words = takes_all_words
        self.routes = PathTable()
        self.collections: list[Collection] = []
        """Whose documents it serves; the first one's are those that its name's first argument names."""

    @property
    def shapes(self) -> list[Shape]:
        """How the documents of its collections are kept."""
        return [collection.shape for collection in self.collections]

    @property
    def document_type(self) -> str | None:
        """The type of the document that stands behind the endpoint's name in a path, if one does."""
        return None

    def route(self, verb: str, *paths: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Offer `verb` on paths; their `{names}` become arguments in `context.path`."""

        def register(handler: Handler) -> Handler:
            for path in paths:
                scope, pattern = split_template(self.name, path)
                self.routes.add(
                    Route(
                        verb,
                        f"/{self.version}{path}",
                        scope,
                        pattern,
                        handler,
                        who=options.get("who", self.who),
                        accepts=tuple(options.get("accepts", ())),
                        provides=tuple(options.get("provides", ())),
                        checks_itself=options.get("checks_itself", False),
                        open_if=options.get("open_if"),
                        schema=options.get("schema"),
                        shows=options.get("shows"),
                        lists=options.get("lists", Lists.NOTHING),
                        options=options.get("options", {}),
                        answers=tuple(options.get("answers", ())),
                        refuses=tuple(options.get("refuses", ())),
                    )
                )
            return handler

        return register

    def get(self, *paths: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """`route` for GET."""
        return self.route("GET", *paths, **options)

    def put(self, *paths: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """`route` for PUT."""
        return self.route("PUT", *paths, **options)

    def post(self, *paths: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """`route` for POST."""
        return self.route("POST", *paths, **options)

    def patch(self, *paths: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """`route` for PATCH."""
        return self.route("PATCH", *paths, **options)

    def delete(self, *paths: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """`route` for DELETE."""
        return self.route("DELETE", *paths, **options)
