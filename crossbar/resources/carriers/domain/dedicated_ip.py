# SPDX-License-Identifier: MPL-2.0
"""Dedicated addresses: an inventory of the installation's, from which accounts have some.

An address is one document, whoever has it; an account's are found by a tag.

Source: KAZOO `kz_ip.erl`, `kz_ips.erl`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Retries, Stale, Store
from crossbar.errors import JSON, Conflict
from crossbar.resources.identity.domain import account_removal
from crossbar.runtime import Runtime

PARTITION: Final = "dedicated_ips"
TYPE: Final = "dedicated_ip"
ASSIGNED_TO: Final = "pvt_assigned_to"
FREE: Final = "available"
"""Status, and tag, of an address that nobody has."""
ASSIGNED: Final = "assigned"
IN_ZONE: Final = "zone/"
ON_HOST: Final = "host/"
_SHOWN: Final = ("zone", "host", "status", "type", "assigned_to")


def free_in(zone: str) -> str:
    """Tag of the free addresses of a zone."""
    return f"{FREE}/{zone}"


def assigned_to(account_id: str) -> str:
    """Tag of the addresses of an account."""
    return f"{ASSIGNED}/{account_id}"


def _tags(address: Document) -> Iterator[str]:
    zone, owner = address.text("pvt_zone"), address.text(ASSIGNED_TO)
    yield IN_ZONE + zone
    yield ON_HOST + address.text("pvt_host")
    if owner:
        yield ASSIGNED
        yield assigned_to(owner)
    else:
        yield FREE
        yield free_in(zone)


DEDICATED_IP_SHAPE: Final = Shape(TYPE, summary=Summary(ip="id", zone="pvt_zone"), tags=_tags)


def canonical(text: str) -> str:
    """The one spelling of an address; what is none stays as it is."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def new(ip: str, zone: str, host: str) -> Document:
    """An address that nobody has yet."""
    fields = {"pvt_zone": zone, "pvt_host": host, "pvt_status": FREE}
    return Document(PARTITION, TYPE, canonical(ip), fields)


def shown(address: Document) -> dict[str, JSON]:
    """An address as clients see it."""
    told = {name: value for name in _SHOWN if (value := address.at(f"pvt_{name}")) is not None}
    return {"id": address.id, "ip": address.id, **told}


def stored(address: Document) -> dict[str, JSON]:
    """An address as its making is answered: what is stored of it."""
    told = {
        name: address.at(f"pvt_{name}") for name in ("created", "host", "modified", "status", "type", "vsn", "zone")
    }
    return {"_read_only": {"id": address.id, **told}}


def wrong_to_assign(address: Document | None, account_id: str) -> tuple[str, str] | None:
    """Why an account cannot have an address: the code and text of a validation error; None if it can."""
    if address is None:
        return "not_found", "ip not found"
    owner = address.text(ASSIGNED_TO)
    if owner == account_id:
        return "superfluous", "ip already assigned"
    return ("forbidden", "ip assigned to another account") if owner else None


def wrong_to_release(address: Document | None, account_id: str) -> tuple[str, str] | None:
    """Why an account cannot give an address back; None if it can."""
    if address is None:
        return "not_found", "ip not found"
    owner = address.text(ASSIGNED_TO)
    if owner == account_id:
        return None
    return ("forbidden", "ip assigned to another account") if owner else ("superfluous", "ip not assigned")


def given_to(account_id: str | None, address: Document) -> Document:
    """An address as an account's, or (None) as nobody's."""
    fields = {key: value for key, value in address.fields.items() if key != ASSIGNED_TO}
    fields["pvt_status"] = ASSIGNED if account_id else FREE
    if account_id:
        fields[ASSIGNED_TO] = account_id
    return replace(address, fields=fields)


async def move(store: Store, address: Document, account_id: str | None, author: Author | None = None) -> Document:
    """Give an address, as it was read, to an account, or (None) take it from the one that has it. Raises Stale."""
    moved = given_to(account_id, address)
    if author is not None:
        moved.fields.update(stamps(author, moved))
    return await store.replace(moved, address)


async def words(store: Store, prefix: str) -> list[str]:
    """The zones (`IN_ZONE`) or hosts (`ON_HOST`) that addresses are in."""
    found = await store.count_by_tag(Listing(PARTITION, TYPE), prefix=prefix)
    return sorted(word.removeprefix(prefix) for word in found)


async def count_of(store: Store, account_id: str) -> int:
    """How many addresses an account has."""
    tag = assigned_to(account_id)
    return (await store.count_by_tag(Listing(PARTITION, TYPE), words=[tag])).get(tag, 0)


@account_removal.also
async def free(runtime: Runtime, account_id: str) -> None:
    """Take its addresses from an account that is gone."""
    for address in await runtime.store.all(Listing(PARTITION, TYPE, tag=assigned_to(account_id))):
        await _free(runtime.store, account_id, address.id)


async def _free(store: Store, account_id: str, ip: str) -> None:
    async for _ in Retries():
        address = await store.get(PARTITION, TYPE, ip)
        if address is None or address.text(ASSIGNED_TO) != account_id:
            return
        try:
            await move(store, address, None)
        except Stale:
            continue
        return
    raise Conflict
