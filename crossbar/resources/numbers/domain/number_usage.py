# SPDX-License-Identifier: MPL-2.0
"""Who uses a number: it follows from what does, and is written nowhere else.

Source: KAZOO `knm_phone_number:used_by`, which others keep up to date there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from crossbar.dialing import ASSIGNED_TO, NUMBERS, held_number, normalize
from crossbar.documents.document import Document
from crossbar.documents.document_types import CALLFLOW, DEVICE
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Unique
from crossbar.documents.store import Store
from crossbar.resources.calls.flows.callflows import NUMBER_CLAIM
from crossbar.resources.numbers.domain.number import FEATURES, MOBILE, MODULE, STATE, State, module, new
from crossbar.resources.numbers.domain.number_features import TRUNKSTORE

MOBILE_DEVICE: Final = "mobile"
CONNECTIVITY: Final = "sys_info"
"""Type of the documents that deliver numbers to an account's own telephone systems."""


def delivering(number: str) -> str:
    """Tag of the connectivity document that delivers a number."""
    return f"did/{number}"


def dids(connectivity: Document) -> Iterator[str]:
    """The numbers that a connectivity document delivers, in E.164 form."""
    servers = connectivity.at("servers")
    for server in servers if isinstance(servers, list) else ():
        if isinstance(server, dict) and isinstance(server.get("DIDs"), dict):
            yield from map(normalize, server["DIDs"])


async def users_of(store: Store, account_id: str, numbers: Iterable[str]) -> dict[str, str]:
    """Number → what of the account uses it; spare ones are left out."""
    claims = {number: Unique(NUMBER_CLAIM, number, "numbers", "") for number in numbers}
    if not claims:
        return {}
    holders = await store.claims.holders(account_id, claims.values())
    words = {delivering(number): number for number in claims}
    delivered = await store.count_by_tag(Listing(account_id, CONNECTIVITY), words=list(words))
    return {
        **{number: CALLFLOW for number, claim in claims.items() if claim.key in holders},
        **dict.fromkeys(map(words.__getitem__, delivered), TRUNKSTORE),
    }


async def mobile_of(store: Store, number: str) -> Document | None:
    """The number of a mobile device, as the device tells of it."""
    claim = held_number(number, "number")
    holder = (await store.claims.holders(NUMBERS, [claim])).get(claim.key)
    device = await store.get(*holder) if holder and holder.partition != NUMBERS else None
    return _mobile(number, device) if device else None


async def mobiles_of(store: Store, account_id: str) -> list[Document]:
    """The numbers of an account's mobile devices."""
    claims = await store.claims.held_by_type(account_id, DEVICE, "number")
    devices = await store.get_many(account_id, DEVICE, list(claims.values()))
    return [_mobile(number, devices[device_id]) for number, device_id in claims.items() if device_id in devices]


def _mobile(number: str, device: Document) -> Document:
    document = new(number)
    document.fields |= {
        STATE: str(State.IN_SERVICE),
        ASSIGNED_TO: device.partition,
        MODULE: module(MOBILE),
        FEATURES: {},
        "pvt_created": device.fields.get("pvt_created"),
        "pvt_modified": device.fields.get("pvt_modified"),
    }
    return document
