# SPDX-License-Identifier: MPL-2.0
"""The declaration of a collection: documents of one type, and what happens to one on its way in and out.

Source: the module behaviour of `applications/crossbar/src/modules/cb_*.erl` (`validate`, `put`, `post`, `patch`,
`delete`), `crossbar_doc.erl`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape
from crossbar.endpoint.context import Context
from crossbar.endpoint.document_history import ACTION, DIFF, HISTORY, DocumentHistory
from crossbar.endpoint.endpoint import Endpoint, OperationOptions
from crossbar.endpoint.hooks import Hooks, RowsHook, SaveHook
from crossbar.endpoint.lifecycle import Lifecycle, own_partition
from crossbar.endpoint.routing import Lists, Rule, Who

OPERATIONS: Final = ("list", "create", "read", "replace", "merge", "delete")
NO_OPTIONS: Final[Mapping[str, str]] = {}


class Collection(Endpoint):
    """An endpoint with documents of one type; or further documents of an endpoint that exists (`name` is that one).

    `paths` are those of one document, `/accounts/{account_id}/menus/{menu_id}`: the operations (`OPERATIONS`, narrowed
    by `operations`) stand there and, for list and create, one step above. `shape` says how the store keeps the
    documents, `schema` names the JSON schema that they are validated against. Soft deletion is the rule; `hard_delete`
    removes at once. `client_ids` lets a client choose the id of what it creates. `partition` tells where the documents
    lie when not in the account's own partition, `partition_options` what of the request it looks at. `document_id`
    gives the id of the document in the path where that is not the last name in it.

    Its documents have a history below their paths where one of `operations` reads or changes them; `history` is the
    word for it where there are none of these, or where another is wanted.

    What is special hangs on named moments: `normalize` → schema → `check` → `finish` → `save`, `tell` → `after`;
    `before_delete` → `after_delete`; `show` decorates each answered document, `decorate_rows` each listed page. Each is
    a decorator for what is to be done then; `Hooks` says what that gets.
    """

    def __init__(
        self,
        name: str | Endpoint,
        paths: str | tuple[str, ...],
        shape: Shape,
        *,
        schema: str | None = None,
        operations: Iterable[str] = OPERATIONS,
        partition: Callable[[Context], str] = own_partition,
        partition_options: Mapping[str, str] = NO_OPTIONS,
        who: Who | Rule | None = None,
        hard_delete: bool = False,
        client_ids: bool = True,
        takes_all_words: bool = False,
        document_id: Callable[[Context], str] | None = None,
        history: str | None = None,
    ) -> None:
        within = name if isinstance(name, Endpoint) else None
        super().__init__(
            within.name if within else str(name),
            who=who or (within.who if within else Who.TREE),
            takes_all_words=takes_all_words,
        )
        self.shape = shape
        self.hooks = hooks = Hooks()
        self.normalize, self.check, self.finish = hooks.normalize, hooks.check, hooks.finish
        self.tell, self.after, self.show = hooks.tell, hooks.after, hooks.show
        self.before_delete, self.after_delete = hooks.before_delete, hooks.after_delete
        if within is not None:
            self.routes = within.routes
            self.collections = within.collections
        self.collections.append(self)
        self.paths = (paths,) if isinstance(paths, str) else paths
        self.life = Lifecycle(
            shape.type,
            schema,
            self.paths[0].rpartition("/")[2].strip("{}"),
            self.hooks,
            hard_delete=hard_delete,
            client_ids=client_ids,
            partition=partition,
        )
        self.options: dict[str, dict[str, str]] = {operation: {} for operation in OPERATIONS}
        self.partition_options = partition_options
        for option, effect in partition_options.items():
            self.option(option, effect, *OPERATIONS)
        if not hard_delete:
            self.option("should_soft_delete", "`false` removes the document for good", "delete")
        self.history = DocumentHistory(self.life, document_id)
        changeable = document_id is not None or not {"read", "replace", "merge"}.isdisjoint(operations)
        self.history_word = (HISTORY if changeable and history is None else history) or ""
        self._offer(frozenset(operations))

    def everything(self, context: Context) -> Listing:
        """All documents of the collection that this request can speak of, in the order of its list."""
        return Listing(self.life.partition(context), self.shape.type, descending=False)

    @property
    def document_type(self) -> str | None:
        """The type of the document that stands behind the endpoint's name in a path."""
        return self.shape.type

    def _offer(self, operations: frozenset[str]) -> None:
        life = self.life
        whole = tuple(path.rpartition("/")[0] for path in self.paths)
        for operation, verb, paths, handler in (
            ("list", "GET", whole, life.list),
            ("create", "PUT", whole, life.create),
            ("read", "GET", self.paths, life.read),
            ("replace", "POST", self.paths, life.replace),
            ("merge", "PATCH", self.paths, life.merge),
            ("delete", "DELETE", self.paths, life.delete),
        ):
            if operation in operations:
                self.route(verb, *paths, **self.about(operation))(handler)

    def about(self, operation: str) -> OperationOptions:
        """What routes declare that offer one of the operations on the collection's documents."""
        told: OperationOptions = {"checks_itself": True, "options": self.options[operation]}
        if operation == "list":
            told["lists"] = Lists.PAGES
        else:
            told["shows"] = self.life.schema
        if operation in ("create", "replace", "merge"):
            told["schema"] = self.life.schema
        return told

    def option(self, name: str, effect: str, *operations: str) -> None:
        """Declare a value of the request that hooks look at in these operations, and what it does."""
        for operation in operations:
            self.options[operation][name] = effect

    @property
    def keeps_history(self) -> bool:
        """Whether earlier versions of its documents are kept and shown."""
        return bool(self.history_word) and self.shape.stored_in == "documents" and self.shape.history

    def offer_history(self) -> None:
        """Show and restore earlier versions below the documents' paths, to whoever may read and change the documents.

        To be called when all routes are declared.
        """
        known = {(route.verb, route.template): route for route in self.routes}
        for path in self.paths if self.keeps_history else ():
            below = f"{path}/{self.history_word}"
            if reading := known.get(("GET", f"/{self.version}{path}")):
                self.get(below, who=reading.who, lists=Lists.ROWS, options=self.partition_options)(self.history.list)
                self.get(f"{below}/{{revision}}", who=reading.who, options={**self.options["read"], **DIFF})(
                    self.history.read
                )
            changing = [known.get((verb, f"/{self.version}{path}")) for verb in ("POST", "PATCH")]
            if (change := changing[0] or changing[1]) is not None:
                self.post(
                    f"{below}/{{revision}}",
                    who=change.who,
                    checks_itself=True,
                    shows=change.shows,
                    options={**self.options["replace"], **ACTION},
                    refuses=change.refuses,
                )(self.history.act)

    def save(self, hook: SaveHook) -> SaveHook:
        """Instead of the plain save, for changes of several documents: returns the document as saved."""
        self.hooks.save = hook
        return hook

    def decorate_rows(self, *, asked_by: str | None = None) -> Callable[[RowsHook], RowsHook]:
        """Decorate (in place) the rows of every listed page, or only where the option `asked_by` is true."""

        def register(hook: RowsHook) -> RowsHook:
            self.hooks.rows.append((asked_by, hook))
            if asked_by is not None:
                self.option(asked_by, inspect.getdoc(hook) or "", "list")
            return hook

        return register
