"""The declaration of an endpoint, and the table of its paths.

Source: the module behaviour of `applications/crossbar/src/modules/cb_*.erl` (`allowed_methods`, `resource_exists`,
`authorize`, `validate`, `put`, `post`, `patch`, `delete`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Source, Summary, Unique
from crossbar.endpoint.context import Context
from crossbar.endpoint.hooks import AfterHook, DeleteHook, DraftHook, Hooks, RowsHook, SaveHook, ShowHook
from crossbar.endpoint.lifecycle import Lifecycle
from crossbar.endpoint.reply import Binary, Reply

Handler = Callable[[Context], Awaitable[Reply | Binary]]
Rule = Callable[[Context], Awaitable[bool | None]]
"""An endpoint's own authorization: True allows, False refuses, None leaves it to the account tree."""
Opening = Callable[[Context], Awaitable[bool]]
"""Whether a route is open to this caller, who has no token."""


class Who(Enum):
    """Who may call a route."""

    TREE = "the path's account itself or one of its ancestors (bare paths: superduper admin)"
    ANONYMOUS = "anybody, without a token"
    AUTHENTICATED = "anybody with a valid token"
    ADMIN = "as TREE, and the token's user is an admin of the token's account"
    SUPERDUPER = "superduper admin accounts"
    INGEST = "superduper admin accounts, and whoever holds an ingest token, which opens nothing else"


ACCOUNT: Final = "accounts"
"""The scope of paths `/accounts/{account_id}/<endpoint>…`."""
BARE: Final = ""
"""The scope of paths `/<endpoint>…` without an account."""
ANY_DOCUMENT: Final = "accounts/*"
"""The scope of paths `/accounts/{account_id}/<collection>/{document_id}/<endpoint>…`, whatever the collection."""

VERBS: Final = ("GET", "PUT", "POST", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """One verb on one path of an endpoint."""

    verb: str
    scope: str
    pattern: tuple[str, ...]
    template: str
    handler: Handler
    who: Who | Rule = Who.TREE
    accepts: frozenset[str] | None = None
    provides: tuple[str, ...] = ()
    checks_itself: bool = False
    open_if: Opening | None = None

    async def is_open(self, context: Context) -> bool:
        """Whether the caller needs no token."""
        return self.who is Who.ANONYMOUS or (self.open_if is not None and await self.open_if(context))


@dataclass(slots=True)
class PathPattern:
    """One path below an endpoint's name: its verbs, in the scopes that have it."""

    pattern: tuple[str, ...]
    routes: dict[str, dict[str, Route]] = field(default_factory=dict)
    methods: tuple[str, ...] = ()

    def match(self, args: Sequence[str]) -> dict[str, str] | None:
        """The named arguments, or None when a literal part differs. Lengths are equal already."""
        names: dict[str, str] = {}
        for part, arg in zip(self.pattern, args, strict=True):
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
    def literals(self) -> int:
        """How many parts are fixed words: the more, the earlier it is tried."""
        return sum(part[0] != "{" for part in self.pattern)


class Resource:
    """An endpoint: a declaration in, routes out.

    With a `document_type` the endpoint is a collection of documents and has the usual operations (list, create,
    read, replace, merge, delete) at `""` and `/{<id_name>}`; `operations` narrows them. `schema` names the
    JSON schema that a document is validated against. `summary`, `sort`, `tags`, `unique`, `numbers` and `filters`
    say how the store keeps it (see `Shape`). `scopes` are the chains of nouns before the endpoint's name in a path
    (`accounts`, `accounts/users`, bare, or `ANY_DOCUMENT`). Soft deletion is the rule; `hard_delete` removes at once.
    `client_ids` lets a client choose the id of what it creates; without `declares_shape` another endpoint says how
    documents of the type are kept. `partition` tells where the documents are when not in the account's own. `version`
    is what its paths begin with: `v2`, or `hooks` for what other programs post in their own words, without an
    envelope.

    What is special hangs on named moments: `normalize` → schema → `check` → `finish` → `save` → `after`;
    `before_delete` → `after_delete`; `show` decorates each answered document, `decorate_rows` each listed page.
    """

    def __init__(
        self,
        name: str,
        *,
        document_type: str | None = None,
        schema: str | None = None,
        summary: Summary | None = None,
        sort: Source | None = None,
        tags: Callable[[Document], Iterable[str]] | None = None,
        unique: Callable[[Document], Iterable[Unique]] | None = None,
        numbers: Callable[[Document], Iterable[str]] | None = None,
        filters: Iterable[str] = (),
        collection: str = "documents",
        id_name: str | None = None,
        operations: Iterable[str] = ("list", "create", "read", "replace", "merge", "delete"),
        scopes: Iterable[str] = (ACCOUNT,),
        hard_delete: bool = False,
        client_ids: bool = True,
        partition: Callable[[Context], str] | None = None,
        who: Who | Rule = Who.TREE,
        version: str = "v2",
        declares_shape: bool = True,
    ) -> None:
        self.name = name
        self.version = version
        self.document_type = document_type
        self.schema = schema
        self.id_name = id_name or f"{document_type or name}_id"
        self.scopes = tuple(scopes)
        self.who = who
        self.shapes: list[Shape] = []
        self._life: Lifecycle | None = None
        self._paths: dict[int, list[PathPattern]] = {}
        self.hooks = Hooks()
        if document_type is not None:
            if declares_shape:
                given = {"summary": summary, "sort": sort, "tags": tags, "unique": unique, "numbers": numbers}
                told: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
                self.shapes.append(Shape(document_type, collection=collection, filters=tuple(filters), **told))  # type: ignore[arg-type]
            self._life = Lifecycle(
                document_type,
                schema,
                self.id_name,
                self.hooks,
                hard_delete=hard_delete,
                client_ids=client_ids,
                **({"partition": partition} if partition else {}),
            )
            self._add_operations(self._life, frozenset(operations))

    @property
    def life(self) -> Lifecycle:
        """The usual operations, for routes of the endpoint's own that need one."""
        if self._life is None:
            raise LookupError(f"{self.name} has no documents")
        return self._life

    # Paths

    def route(
        self,
        verb: str,
        path: str = "",
        *,
        scopes: Iterable[str] | None = None,
        who: Who | Rule | None = None,
        accepts: Iterable[str] | None = None,
        provides: Iterable[str] = (),
        checks_itself: bool = False,
        open_if: Opening | None = None,
    ) -> Callable[[Handler], Handler]:
        """Offer `verb` on a path below the endpoint's name; `{name}` parts become arguments of the context.

        `accepts` are content types of the body beside the usual ones, `provides` those of the answer beside JSON.
        A handler that `checks_itself` calls `context.ready_to_write` when its checks are done; for the others the
        preconditions and the content type are judged before they run. `open_if` lets callers without a token in.
        """
        pattern = tuple(part for part in path.split("/") if part)

        def register(handler: Handler) -> Handler:
            for scope in self.scopes if scopes is None else scopes:
                route = Route(
                    verb,
                    scope,
                    pattern,
                    self._template(scope, pattern),
                    handler,
                    self.who if who is None else who,
                    frozenset(accepts) if accepts is not None else None,
                    tuple(provides),
                    checks_itself,
                    open_if,
                )
                self._shape(pattern).add(route)
            return handler

        return register

    def get(self, path: str = "", **options: Any) -> Callable[[Handler], Handler]:
        """`route` for GET."""
        return self.route("GET", path, **options)

    def put(self, path: str = "", **options: Any) -> Callable[[Handler], Handler]:
        """`route` for PUT."""
        return self.route("PUT", path, **options)

    def post(self, path: str = "", **options: Any) -> Callable[[Handler], Handler]:
        """`route` for POST."""
        return self.route("POST", path, **options)

    def patch(self, path: str = "", **options: Any) -> Callable[[Handler], Handler]:
        """`route` for PATCH."""
        return self.route("PATCH", path, **options)

    def delete(self, path: str = "", **options: Any) -> Callable[[Handler], Handler]:
        """`route` for DELETE."""
        return self.route("DELETE", path, **options)

    def find(self, args: Sequence[str]) -> tuple[PathPattern, dict[str, str]] | None:
        """The path that the arguments of the endpoint's noun spell, with the named ones; None for an unknown one."""
        for shape in self._paths.get(len(args), ()):
            names = shape.match(args)
            if names is not None:
                return shape, names
        return None

    @property
    def routes(self) -> Iterable[Route]:
        """Every route, for documentation and tests."""
        for shapes in self._paths.values():
            for shape in shapes:
                for verbs in shape.routes.values():
                    yield from verbs.values()

    def _shape(self, pattern: tuple[str, ...]) -> PathPattern:
        shapes = self._paths.setdefault(len(pattern), [])
        for shape in shapes:
            if shape.pattern == pattern:
                return shape
        shape = PathPattern(pattern)
        shapes.append(shape)
        shapes.sort(key=lambda known: -known.literals)
        return shape

    def _template(self, scope: str, pattern: tuple[str, ...]) -> str:
        steps = [part for noun in scope.split("/") if noun for part in _PLACES.get(noun, (noun, _argument(noun)))]
        return "/" + "/".join([self.version, *steps, self.name, *pattern])

    def _add_operations(self, life: Lifecycle, operations: frozenset[str]) -> None:
        item = f"/{{{self.id_name}}}"
        for operation, verb, path, handler in (
            ("list", "GET", "", life.list),
            ("create", "PUT", "", life.create),
            ("read", "GET", item, life.read),
            ("replace", "POST", item, life.replace),
            ("merge", "PATCH", item, life.merge),
            ("delete", "DELETE", item, life.delete),
        ):
            if operation in operations:
                self.route(verb, path, checks_itself=True)(handler)

    # Moments of the life cycle

    def normalize(self, hook: DraftHook) -> DraftHook:
        """Before validation: bring the data into its stored form."""
        self.hooks.normalize.append(hook)
        return hook

    def check(self, hook: DraftHook) -> DraftHook:
        """After the schema, whatever it found: add errors to `draft.errors`."""
        self.hooks.check.append(hook)
        return hook

    def finish(self, hook: DraftHook) -> DraftHook:
        """When no error was found: private fields, credentials, last refusals."""
        self.hooks.finish.append(hook)
        return hook

    def save(self, hook: SaveHook) -> SaveHook:
        """Instead of the plain save, for changes of several documents: returns the document as saved."""
        self.hooks.save = hook
        return hook

    def after(self, hook: AfterHook) -> AfterHook:
        """After the save: gets the saved document and the one before it (None when created)."""
        self.hooks.after.append(hook)
        return hook

    def before_delete(self, hook: DeleteHook) -> DeleteHook:
        """Refuse a deletion by raising."""
        self.hooks.before_delete.append(hook)
        return hook

    def after_delete(self, hook: DeleteHook) -> DeleteHook:
        """After a deletion, with the document as it was."""
        self.hooks.after_delete.append(hook)
        return hook

    def show(self, hook: ShowHook) -> ShowHook:
        """Decorate (in place) the public document of every answer."""
        self.hooks.show.append(hook)
        return hook

    def decorate_rows(self, *, asked_by: str | None = None) -> Callable[[RowsHook], RowsHook]:
        """Decorate (in place) the rows of every listed page, or only where the option `asked_by` is true."""

        def register(hook: RowsHook) -> RowsHook:
            self.hooks.rows.append((asked_by, hook))
            return hook

        return register


PARENT_IDS: Final = {
    "accounts": "account_id",
    "users": "user_id",
    "devices": "device_id",
    "groups": "group_id",
    "queues": "queue_id",
    "callflows": "callflow_id",
    "conferences": "conference_id",
    "vmboxes": "vmbox_id",
    "lists": "list_id",
    "faxboxes": "faxbox_id",
    "faxes": "fax_id",
    "port_requests": "port_request_id",
}
"""What the argument of a noun before the endpoint's own is called in templates and `context.path`."""


def _argument(noun: str) -> str:
    return f"{{{PARENT_IDS.get(noun, noun)}}}"


_PLACES: Final = {"*": ("{collection}", "{document_id}")}
