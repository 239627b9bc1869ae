# SPDX-License-Identifier: MPL-2.0
"""Who decides on port requests: the account that a whitelabel names, else the master account.

Source: KAZOO `kzd_port_requests:find_port_authority`, `cb_port_requests:set_port_authority`. A request keeps its
authority from when it was made.
"""

from __future__ import annotations

from typing import NamedTuple

from crossbar.access.directory import Account, Directory
from crossbar.access.identity import Identity
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import WHITELABEL
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain.port_request import AUTHORITY, DATABASE, TYPE, PortState, decided_in, is_of


class PortSettings(NamedTuple):
    """What an account's whitelabel says of porting."""

    authority: str | None
    support_email: str | None
    hidden: bool


async def port_settings(store: Store, account_id: str) -> PortSettings:
    """What the whitelabel of an account says; nothing where it has none."""
    document = await store.get(account_id, WHITELABEL, WHITELABEL)
    fields = document.fields if document else {}
    port = as_object(fields.get("port"))
    named = port.get("authority")
    authorities = [named] if isinstance(named, str) else as_list(named)
    authority = next((name for name in authorities if isinstance(name, str) and name), None)
    email = port.get("support_email")
    return PortSettings(authority, email if isinstance(email, str) and email else None, fields.get("hide_port") is True)


async def authority_for(store: Store, directory: Directory, account: Account) -> str:
    """The account that decides on the requests of an account.

    What an account says of itself holds for those below it alone; the accounts between a reseller and the master
    account have no say.
    """
    master = await directory.master_id() or account.id
    asked: Account | None = account
    while asked is not None and asked.id != master:
        named = (await port_settings(store, asked.id)).authority
        if named is not None and named != account.id:
            return named
        above = master if asked.is_reseller else asked.parent_id
        asked = await directory.account(above) if above else None
    return master


async def decides_as(store: Store, directory: Directory, account: Account) -> str:
    """The authority that speaks when an account asks what there is to decide.

    That is the account where it names itself, or others named it when they made a request.
    """
    named = [decided_in(account.id, state) for state in PortState]
    if (await port_settings(store, account.id)).authority == account.id:
        return account.id
    if await store.count_by_tag(Listing(DATABASE, TYPE), words=named):
        return account.id
    return await authority_for(store, directory, account)


def is_authority(identity: Identity, request: Document) -> bool:
    """Whether the caller decides on a request."""
    return identity.superduper or request.text(AUTHORITY) == identity.account_id


def may_see(identity: Identity, request: Document) -> bool:
    """Whether a request is the caller's own, one of an account below, or the caller's to decide on."""
    return is_authority(identity, request) or is_of(request, identity.account_id)
