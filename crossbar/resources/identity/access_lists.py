"""Access lists: from which addresses a SIP client of an account, or one device, may come.

They are a field of the account or device itself. Source: KAZOO `applications/frontier/src/cb_access_lists.erl`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.document import ACCOUNTS, Document
from crossbar.endpoint import ACCOUNT, Call, Reply, Resource, stamps
from crossbar.errors import JSON, NotFound

KEY: Final = "access_lists"

access_lists = Resource(KEY, scopes=(ACCOUNT, "accounts/devices"))


@access_lists.get()
async def read(call: Call) -> Reply:
    """The access lists; `{}` if there are none."""
    owner = await _owner(call)
    return Reply(owner.at(KEY, {}), revision=owner.revision)


@access_lists.post(checks_itself=True)
async def replace(call: Call) -> Reply:
    """Set the access lists."""
    return await _write(call, call.valid(KEY, call.object))


@access_lists.delete(checks_itself=True)
async def remove(call: Call) -> Reply:
    """Remove the access lists: anybody may come from anywhere."""
    return await _write(call, None)


async def _owner(call: Call) -> Document:
    """The device in the path, else the account."""
    device = call.parents.get("devices")
    owner = device or await call.store.get(ACCOUNTS, "account", call.account_id)
    if owner is None:
        raise NotFound(call.account_id)
    return owner


async def _write(call: Call, lists: dict[str, JSON] | None) -> Reply:
    owner = await _owner(call)

    def write(stored: Document) -> None:
        call.ready_to_write(stored.revision)
        stored.fields.update(stamps(call, stored))
        if lists is None:
            stored.fields.pop(KEY, None)
        else:
            stored.fields[KEY] = lists

    saved = await call.store.change(owner.database, owner.type, owner.id, write)
    if saved is None:
        raise NotFound(owner.id)
    return Reply(lists or {}, revision=saved.revision)
