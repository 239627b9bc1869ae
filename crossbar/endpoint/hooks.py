# SPDX-License-Identifier: MPL-2.0
"""The named moments of a request's life at which an endpoint may add what is special about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crossbar.documents.document import Document
from crossbar.errors import JSON, Invalid
from crossbar.registry import Registry

if TYPE_CHECKING:
    from crossbar.endpoint.context import Context

DraftHook = Callable[["Context", "Draft"], Awaitable[None]]
AfterHook = Callable[["Context", Document, Document | None], Awaitable[None]]
DeleteHook = Callable[["Context", Document], Awaitable[None]]
ShowHook = Callable[["Context", Document, dict[str, Any]], Awaitable[None]]
RowsHook = Callable[["Context", list[Any]], Awaitable[None]]
TellHook = Callable[["Context", Document, Document | None], Awaitable[Sequence[Document]]]
SaveHook = Callable[["Context", Document, Document | None], Awaitable[Document]]


@dataclass(slots=True)
class Draft:
    """A document on its way to be saved.

    `data` are the public fields it will have, `private` the `pvt_*` fields to set (None takes one away), `previous`
    the document it replaces (None on create), `errors` what was found so far, `deleted` a document of the same id that
    was deleted and is restored by it, `kept` the private fields that come back with it.
    """

    id: str
    data: dict[str, JSON]
    previous: Document | None
    private: dict[str, JSON] = field(default_factory=dict)
    errors: Invalid = field(default_factory=Invalid)
    deleted: Document | None = None
    kept: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def origin(self) -> Document | None:
        """What it comes from: the document it replaces, or the deleted one that it restores."""
        return self.previous or self.deleted

    def changed(self, path: str) -> bool:
        """Whether the value at a dotted path differs from the stored one."""
        draft = Document("", "", self.id, self.data)
        return bool(draft.at(path) != (self.origin.at(path) if self.origin else None))


@dataclass(slots=True)
class Hooks:
    """What an endpoint hung on each moment, in the order in which it was declared."""

    normalize: Registry[DraftHook] = field(default_factory=Registry)
    """Before validation: bring the data into its stored form."""
    check: Registry[DraftHook] = field(default_factory=Registry)
    """After the schema, whatever it found: add errors to `draft.errors`."""
    finish: Registry[DraftHook] = field(default_factory=Registry)
    """When no error was found: private fields, credentials, last refusals."""
    save: SaveHook | None = None
    """Instead of the plain save, for changes of several documents: returns the document as saved."""
    tell: Registry[TellHook] = field(default_factory=Registry)
    """The notices of a save, which are written in the same step: gets the document and the one before it."""
    after: Registry[AfterHook] = field(default_factory=Registry)
    """After the save: gets the saved document and the one before it (None when created)."""
    before_delete: Registry[DeleteHook] = field(default_factory=Registry)
    """Refuse a deletion by raising."""
    after_delete: Registry[DeleteHook] = field(default_factory=Registry)
    """After a deletion, with the document as it was."""
    show: Registry[ShowHook] = field(default_factory=Registry)
    """Decorate (in place) the public document of every answer."""
    rows: list[tuple[str | None, RowsHook]] = field(default_factory=list)

    def rows_for(self, context: Context) -> list[RowsHook]:
        """The decorations of rows that this request wants: those always made, and those it asks for by name."""
        return [hook for flag, hook in self.rows if flag is None or context.values.is_true(flag)]
