# SPDX-License-Identifier: MPL-2.0
"""Access lists: from which addresses a SIP client of an account, or one device, may come.

They are a field of the account or device itself. Source: KAZOO `applications/frontier/src/cb_access_lists.erl`.
"""

from __future__ import annotations

from typing import Final

from crossbar.access.authorship import stamps
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON, NotFound

KEY: Final = "access_lists"

access_lists = Endpoint(KEY)


@access_lists.get("/accounts/{account_id}/access_lists", "/accounts/{account_id}/devices/{device_id}/access_lists")
async def read(context: Context) -> Reply:
    """The access lists; `{}` if there are none."""
    owner = await _owner(context)
    return Reply(owner.at(KEY, {}), revision=owner.revision)


@access_lists.post(
    "/accounts/{account_id}/access_lists",
    "/accounts/{account_id}/devices/{device_id}/access_lists",
    checks_itself=True,
    schema=KEY,
)
async def replace(context: Context) -> Reply:
    """Set the access lists."""
    return await _write(context, context.valid_data())


@access_lists.delete(
    "/accounts/{account_id}/access_lists", "/accounts/{account_id}/devices/{device_id}/access_lists", checks_itself=True
)
async def remove(context: Context) -> Reply:
    """Remove the access lists: anybody may come from anywhere."""
    return await _write(context, None)


async def _owner(context: Context) -> Document:
    """The device in the path, else the account."""
    device = context.parents.get("devices")
    owner = device or await context.store.get(ACCOUNTS, ACCOUNT, context.account_id)
    if owner is None:
        raise NotFound(context.account_id)
    return owner


async def _write(context: Context, lists: dict[str, JSON] | None) -> Reply:
    owner = await _owner(context)

    def write(stored: Document) -> None:
        context.ready_to_write(stored.revision)
        stored.fields.update(stamps(context.author, stored))
        if lists is None:
            stored.fields.pop(KEY, None)
        else:
            stored.fields[KEY] = lists

    saved = await context.store.update(owner.partition, owner.type, owner.id, write)
    if saved is None:
        raise NotFound(owner.id)
    return Reply(lists or {}, revision=saved.revision)
