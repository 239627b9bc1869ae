# SPDX-License-Identifier: MPL-2.0
"""Search: documents by the beginning of a name or number, and accounts anywhere below the caller's.

Source: KAZOO `cb_search`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, CALLFLOW, DEVICE, USER
from crossbar.documents.listing import Search, SearchField
from crossbar.documents.shape import alphanumeric
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON, Invalid
from crossbar.wire.envelope import PageInfo
from crossbar.wire.list_options import encode_start_key, list_options

SUGGESTED: Final = [ACCOUNT, USER, CALLFLOW, DEVICE]
ACCOUNT_VIEWS: Final[dict[str, tuple[SearchField, ...]]] = {"name": ("name",), "realm": ("numbers",), "id": ("id",)}
VIEWS: Final[dict[str, tuple[SearchField, ...]]] = {
    "name": ("name",),
    "name_and_number": ("name", "numbers"),
    "number": ("numbers",),
}
"""View → what is looked at. Accounts have their realm in the place of a number."""

search = Endpoint("search")


async def may_search(context: Context) -> bool | None:
    """Accounts are searched below the caller's own, whatever the path; other documents where the tree allows."""
    return True if context.target is None or context.values.text("t") == ACCOUNT else None


@search.get(
    "/search",
    "/accounts/{account_id}/search",
    who=may_search,
    options={
        "t": "The type of the documents",
        "q": "The view: what is looked at",
        "v": "How it begins",
        "page_size": "How many rows",
        "start_key": "Where the page begins",
        "paginate": "`false`: everything",
        "descending": "`false`: the lowest first",
        "ascending": "`true`: the lowest first",
    },
)
async def one(context: Context) -> Reply:
    """A page of what one view finds."""
    document_type = _document_type(context, "search")
    view, value = _view(context, document_type), context.query.first.get("v")
    if value is None:
        raise Invalid.field("v", "required", "search needs a value to search for")
    options = list_options(context.values, page_size=context.config.api.pagination_page_size)
    start = options.start_key[0] if isinstance(options.start_key, list) and options.start_key else None
    found = await _find(
        context,
        document_type,
        view,
        value,
        start=start if isinstance(start, str) else None,
        limit=None if options.page_size is None else options.page_size + 1,
        descending=not options.ascending,
    )
    page = found if options.page_size is None else found[: options.page_size]
    following = encode_start_key([found[-1][0]]) if len(found) > len(page) else None
    info = None if options.page_size is None else PageInfo(len(page), next_start_key=following)
    return Reply([_row(document, view) for _, document in page], page=info)


@search.get(
    "/search/multi",
    "/accounts/{account_id}/search/multi",
    who=may_search,
    options={"t": "The type of the documents"}
    | {f"by_{view}": "How it begins there" for view in (VIEWS | ACCOUNT_VIEWS)},
)
async def several(context: Context) -> Reply:
    """Everything that each of several views finds."""
    document_type = _document_type(context, "Search")
    views = _views(document_type)
    wanted = {
        name.removeprefix("by_"): value
        for name, value in context.query.first.items()
        if name.removeprefix("by_") in views and name.startswith("by_")
    }
    if not wanted:
        raise Invalid.field("multi", "enum", "multi search needs some values to search for", target=sorted(views))
    return Reply(
        {
            view: [_row(document, view) for _, document in await _find(context, document_type, view, value)]
            for view, value in wanted.items()
        }
    )


def _document_type(context: Context, beginning: str) -> str:
    document_type = context.values.text("t")
    if document_type is None:
        message = f"{beginning} needs a document type to search on"
        raise Invalid.field("t", "required", message, target=SUGGESTED)
    return document_type


def _views(document_type: str) -> dict[str, tuple[SearchField, ...]]:
    return ACCOUNT_VIEWS if document_type == ACCOUNT else VIEWS


def _view(context: Context, document_type: str) -> str:
    views = _views(document_type)
    view = context.values.text("q")
    if view is None:
        raise Invalid.field("q", "required", "search needs a view to search in", target=list(views))
    if view not in views:
        message = "value not found in enumerated list of values"
        raise Invalid.field("q", "enum", message, target=list(views), cause=view)
    return view


async def _find(
    context: Context,
    document_type: str,
    view: str,
    value: str | bool,
    *,
    start: str | None = None,
    limit: int | None = None,
    descending: bool = True,
) -> list[tuple[str, Document]]:
    """What a view finds, with keys; a document found twice is there once. The value `true` finds everything."""
    prefix = "" if value is True or value == "true" else alphanumeric(str(value))
    is_account = document_type == ACCOUNT
    shapes = context.store.shapes
    if document_type not in shapes or shapes[document_type].stored_in != "documents":
        return []
    found: dict[str, tuple[str, Document]] = {}
    for field in _views(document_type)[view]:
        wanted = Search(
            ACCOUNTS if is_account else context.account_id,
            document_type,
            field,
            prefix,
            tag=f"descendant/{context.identity.account_id}" if is_account else None,
            start=start,
            limit=limit,
            descending=descending,
        )
        for key, document in await context.store.search(wanted):
            found.setdefault(document.id, (key, document))
    entries = sorted(found.values(), key=lambda entry: entry[0], reverse=descending)
    return entries[:limit]


def _row(document: Document, view: str) -> dict[str, JSON]:
    if document.type == ACCOUNT:
        return {
            "id": document.id,
            "descendants_count": document.at("descendants_count", 0),
            "name": document.at("name"),
            "realm": document.at("realm"),
        }
    row: dict[str, Any] = {"id": document.id, "name": document.at("name") or document.id}
    names = [name for part in ("first_name", "last_name") if (name := document.at(part))]
    if names and not document.at("name"):
        row["name"] = " ".join(map(str, names))
    for part in ("first_name", "last_name"):
        if name := document.at(part):
            row[part] = alphanumeric(str(name))
    if view != "name" and (numbers := document.at("numbers")):
        row["numbers"] = numbers
    return row
