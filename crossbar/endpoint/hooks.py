# SPDX-License-Identifier: MPL-2.0
"""The named moments of a request's life at which an endpoint may add what is special about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crossbar.documents.document import Document
from crossbar.errors import JSON, Invalid

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

    normalize: list[DraftHook] = field(default_factory=list)
    check: list[DraftHook] = field(default_factory=list)
    finish: list[DraftHook] = field(default_factory=list)
    save: SaveHook | None = None
    tell: list[TellHook] = field(default_factory=list)
    after: list[AfterHook] = field(default_factory=list)
    before_delete: list[DeleteHook] = field(default_factory=list)
    after_delete: list[DeleteHook] = field(default_factory=list)
    show: list[ShowHook] = field(default_factory=list)
    rows: list[tuple[str | None, RowsHook]] = field(default_factory=list)

    def rows_for(self, context: Context) -> list[RowsHook]:
        """The decorations of rows that this request wants: those always made, and those it asks for by name."""
        return [hook for flag, hook in self.rows if flag is None or context.values.is_true(flag)]
