# SPDX-License-Identifier: MPL-2.0
"""Lists and their entries: names, numbers and patterns that callflows match callers against.

Entries are documents of their own that name their list; a path's list need not exist for them.
Source: KAZOO `cb_lists`, views `lists/crossbar_listing` and `lists/entries`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from crossbar.access.authorship import stamps
from crossbar.documents.document import Document
from crossbar.documents.document_types import LIST
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Binary, Collection, Context, Draft, Lists, Reply, answer_listing
from crossbar.errors import JSON, Empty, Invalid, NotFound
from crossbar.wire.vcard_body import VCARD_TYPES, vcard

ENTRY: Final = "list_entry"
PHOTO: Final = "photo"
PHOTO_TYPES: Final = ("image/*", "application/base64", "application/x-base64")
IN_ROW: Final = (
    "capture_group_key",
    "capture_group_length",
    "name",
    "number",
    "pattern",
    "prefix",
    "regexp",
    "type",
)

lists = Collection(
    "lists",
    "/accounts/{account_id}/lists/{list_id}",
    Shape(LIST, summary=Summary("id", "name", "description", "list_type")),
    schema="lists",
    operations=("list", "create", "read", "replace", "merge"),
)


def _row(entry: Document) -> dict[str, JSON]:
    return {key: entry.fields[key] for key in IN_ROW if entry.fields.get(key) is not None}


def tags(entry: Document) -> Iterator[str]:
    """Listing by list."""
    yield f"list/{entry.at('list_id')}"


ENTRY_SHAPE: Final = Shape(ENTRY, summary=Summary("id", key="list_id", value=_row), tags=tags)
entries = Collection(
    lists,
    "/accounts/{account_id}/lists/{list_id}/entries/{entry_id}",
    ENTRY_SHAPE,
    schema="list_entries",
    operations=("create", "read", "replace", "merge", "delete"),
)


@lists.delete("/accounts/{account_id}/lists/{list_id}", **lists.about("delete"))
async def delete(context: Context) -> Reply:
    """Delete a list, and its entries for good."""
    document = await lists.life.load(context, context.path["list_id"])
    context.ready_to_write(document.revision)
    await _remove_entries(context)
    return await lists.life.remove_and_answer(context, document)


@lists.get("/accounts/{account_id}/lists/{list_id}/entries", lists=Lists.PAGES)
async def list_entries(context: Context) -> Reply:
    """The entries of a list, as rows with the list's id for a key."""
    return await answer_listing(context, ENTRY, tag=f"list/{context.path['list_id']}")


@lists.delete("/accounts/{account_id}/lists/{list_id}/entries")
async def clear(context: Context) -> Reply:
    """Delete all entries of a list for good; answers the rows that were there."""
    return Reply([ENTRY_SHAPE.summary.of(entry) for entry in await _remove_entries(context)])


async def _remove_entries(context: Context) -> list[Document]:
    listing = Listing(context.account_id, ENTRY, tag=f"list/{context.path['list_id']}")
    removed = await context.store.remove_listed(listing, partial(stamps, context.author))
    for entry in removed:
        if entry.fields.get("pvt_has_photo"):
            await context.runtime.attachments.delete(entry)
    return removed


@entries.normalize
async def set_list(context: Context, draft: Draft) -> None:
    """A new entry is one of the list in the path."""
    if draft.previous is None:
        draft.data["list_id"] = context.path["list_id"]


@lists.post("/accounts/{account_id}/lists/{list_id}/entries/{entry_id}/photo", accepts=PHOTO_TYPES, checks_itself=True)
async def put_photo(context: Context) -> Reply:
    """Give an entry the picture that its card shows."""
    entry = await entries.life.load(context, context.path["entry_id"])
    if not context.files:
        raise Invalid.field("file", "required", "please provide an image file")
    context.ready_to_write(entry.revision)
    photo = context.files[0]
    await context.runtime.attachments.put(entry, PHOTO, photo.content_type, photo.contents)

    def mark(stored: Document) -> None:
        stored.fields.update(stamps(context.author, stored), pvt_has_photo=True)

    marked = await context.store.update(entry.partition, entry.type, entry.id, mark)
    if marked is None:
        raise NotFound(entry.id)
    return Reply.document(marked)


@lists.get("/accounts/{account_id}/lists/{list_id}/entries/{entry_id}/vcard", provides=VCARD_TYPES)
async def read_card(context: Context) -> Binary:
    """An entry as a vCard. The organisation is the list's."""
    if context.media not in VCARD_TYPES:
        raise Empty(406, "not acceptable")
    entry = await entries.life.load(context, context.path["entry_id"])
    profile = entry.at("profile")
    card = {**(profile if isinstance(profile, dict) else {}), **entry.public}
    card |= {f"{part}_name": card.get(f"{part}name") for part in ("first", "middle", "last")}
    card["nicknames"] = [card.get("displayname")]
    of = await context.store.get(context.account_id, LIST, str(entry.at("list_id")))
    card["org"] = of.at("org") if of else None
    return Binary(vcard(card, await _jpeg(context, entry)), context.media)


async def _jpeg(context: Context, entry: Document) -> bytes | None:
    """The photo of an entry, if it has one that a card can show."""
    if not entry.fields.get("pvt_has_photo"):
        return None
    attachments = context.runtime.attachments
    photo = await attachments.find(entry, PHOTO)
    return await attachments.read(photo) if photo and photo.content_type == "image/jpeg" else None
