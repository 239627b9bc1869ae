# SPDX-License-Identifier: MPL-2.0
"""Comments on an account or on any document, ordered by their `timestamp`.

Kept as `comments` of the document in the path. Source: KAZOO `cb_comments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crossbar.documents.document import Document
from crossbar.documents.shape import collate
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.endpoint.subject import change_subject, subject
from crossbar.errors import JSON, Invalid, SystemFault

comments = Endpoint("comments")


ALL = ("/accounts/{account_id}/comments", "/accounts/{account_id}/{collection}/{document_id}/comments")
ONE = (
    "/accounts/{account_id}/comments/{comment_id}",
    "/accounts/{account_id}/{collection}/{document_id}/comments/{comment_id}",
)


@comments.get(*ALL)
async def read_all(context: Context) -> Reply:
    """All comments on the account or document."""
    document = await subject(context)
    return Reply({"comments": _comments(document)}, revision=document.revision)


@comments.put(*ALL, checks_itself=True, options={"comments": "The comments to add"})
async def add(context: Context) -> Reply:
    """Add comments to those there are."""
    new = context.object.get("comments", [])
    if not isinstance(new, list):
        message = "Value did not match type(s): array"
        raise Invalid.field("comments", "type", message, target="array", value=new)
    return _all(await _rewrite(context, lambda kept: sorted([*kept, *new], key=_time)))


@comments.delete(*ALL, checks_itself=True)
async def clear(context: Context) -> Reply:
    """Take all comments away."""
    return _all(await _rewrite(context, lambda _: []))


@comments.get(*ONE)
async def read(context: Context) -> Reply:
    """One comment, by its place from 0 on."""
    document = await subject(context)
    kept = _comments(document)
    return Reply(kept[_place(context, kept)], revision=document.revision)


@comments.post(*ONE, checks_itself=True)
async def replace(context: Context) -> Reply:
    """Put another comment in the place of one."""

    def put(kept: list[Any]) -> list[Any]:
        kept[_place(context, kept)] = context.object
        return sorted(kept, key=_time)

    return Reply(context.object, revision=(await _rewrite(context, put)).revision)


@comments.delete(*ONE, checks_itself=True)
async def delete(context: Context) -> Reply:
    """Take one comment away; answers those that are left."""

    def take(kept: list[Any]) -> list[Any]:
        del kept[_place(context, kept)]
        return kept

    return _all(await _rewrite(context, take))


async def _rewrite(context: Context, change: Callable[[list[Any]], list[Any]]) -> Document:
    """The document in the path, with what `change` makes of its comments; it may change the list it is given."""

    def rewrite(document: Document) -> None:
        document.fields["comments"] = change(_comments(document))

    return await change_subject(context, rewrite)


def _comments(document: Document) -> list[Any]:
    """The comments of a document, in a list of one's own."""
    kept = document.at("comments")
    return list(kept) if isinstance(kept, list) else []


def _time(comment: JSON) -> str:
    return collate(comment.get("timestamp") if isinstance(comment, dict) else None)


def _place(context: Context, kept: list[Any]) -> int:
    """Which comment the path means. Raises 404 when there is none."""
    text = context.path["comment_id"]
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not 0 <= place < len(kept):
        raise SystemFault("bad_identifier")
    return place


def _all(document: Document) -> Reply:
    return Reply({"comments": _comments(document)}, revision=document.revision)
