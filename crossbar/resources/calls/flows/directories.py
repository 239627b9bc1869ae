# SPDX-License-Identifier: MPL-2.0
"""Directories: people whom callers find by spelling a name.

Who is in a directory stands on the users: `directories` maps the directory's id to the callflow that reaches them.
Source: KAZOO `cb_directories`, view `directories/users_listing`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import CALLFLOW, DIRECTORY, USER
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Binary, Collection, Context, Reply
from crossbar.resources.calls.flows.domain.directory_pdf import DirectoryEntry, render
from crossbar.wire.negotiation import JSON_TYPES, PDF_TYPES

directories = Collection(
    "directories",
    "/accounts/{account_id}/directories/{directory_id}",
    Shape(DIRECTORY, summary=Summary("id", "name", flags=or_default("flags", []))),
    schema="directories",
    operations=("list", "create", "replace", "merge", "delete"),
)


@directories.get("/accounts/{account_id}/directories/{directory_id}", provides=(*JSON_TYPES, *PDF_TYPES))
async def read(context: Context) -> Reply | Binary:
    """A directory with its members, as JSON or as a printable list of their extensions."""
    directory = await directories.life.load(context, context.path["directory_id"])
    members = await _members(context, directory)
    if context.media in PDF_TYPES:
        return await _printed(context, directory, members)
    users = [{"user_id": user.id, "callflow_id": _callflow_id(user, directory)} for user in members]
    return Reply({**directory.public, "users": users}, revision=directory.revision)


async def _members(context: Context, directory: Document) -> list[Document]:
    """The users of a directory, by descending id."""
    users = await context.store.all(Listing(context.account_id, USER, tag=f"directory/{directory.id}"))
    return sorted(users, key=lambda user: user.id, reverse=True)


def _callflow_id(user: Document, directory: Document) -> Any:
    return as_object(user.at("directories")).get(directory.id)


async def _printed(context: Context, directory: Document, members: list[Document]) -> Binary:
    callflow_ids = {str(_callflow_id(user, directory)) for user in members}
    callflows = await context.store.find_by_ids(context.account_id, callflow_ids, [CALLFLOW], ["numbers"])
    numbers = {callflow.id: ", ".join(filter(_is_text, as_list(callflow.at("numbers")))) for callflow in callflows}
    sort_by = directory.text("sort_by") or "last_name"
    entries = [
        DirectoryEntry(
            f"{user.at('first_name')} {user.at('last_name')}", numbers.get(str(_callflow_id(user, directory)), "")
        )
        for user in sorted(members, key=lambda user: str(user.at(sort_by, "")).casefold())
    ]
    body = await asyncio.to_thread(render, str(directory.at("name")), entries)
    return Binary(body, "application/pdf", f"{context.account.name}-directory.pdf")


def _is_text(value: object) -> bool:
    return isinstance(value, str)
