# SPDX-License-Identifier: MPL-2.0
"""SIP user names: what a phone says when it registers, and which thing of the account it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crossbar.documents.document import Document
from crossbar.documents.document_types import DEVICE
from crossbar.documents.shape import Unique
from crossbar.documents.store import Store

SIP_TAKEN: Final = "SIP credentials already in use"


def username_claim(username: str, field: str = "sip.username") -> Unique:
    """What a device says with its SIP user name, whatever its case: nothing else of the account logs in with it."""
    return Unique("sip.username", username.lower(), field, SIP_TAKEN, cause=username)


async def device_ids(store: Store, account_id: str, usernames: Iterable[str]) -> dict[str, str]:
    """The ids of the account's devices with these SIP user names, by user name in lower case."""
    claims = {username.lower(): username_claim(username) for username in usernames}
    holders = await store.claims.holders(account_id, claims.values())
    found = {username: holders.get(claim.key) for username, claim in claims.items()}
    return {username: holder.id for username, holder in found.items() if holder and holder.type == DEVICE}


async def device_of_username(store: Store, account_id: str, username: str) -> Document | None:
    """The account's device with a SIP user name, or None."""
    device_id = (await device_ids(store, account_id, [username])).get(username.lower())
    return await store.get(account_id, DEVICE, device_id) if device_id else None
