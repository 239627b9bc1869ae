# SPDX-License-Identifier: MPL-2.0
"""Dedicated addresses: the inventory, and those an account has.

Source: KAZOO `cb_ips`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crossbar.access.authorship import stamps
from crossbar.documents.document import Document
from crossbar.documents.store import Duplicate, Stale
from crossbar.endpoint import Context, Endpoint, Lists, Reply, Who, answer_listing
from crossbar.errors import JSON, Conflict, Forbidden, Invalid, NotFound
from crossbar.resources.carriers.domain import dedicated_ip
from crossbar.resources.carriers.domain.dedicated_ip import ASSIGNED, ASSIGNED_TO, FREE, PARTITION, TYPE
from crossbar.resources.numbers.domain.charge_check import CostlyChange, check_charges

Wrong = Callable[[Document | None, str], tuple[str, str] | None]
"""Why an address cannot be given to, or taken from, an account."""

ips = Endpoint("ips")
CHARGED: Final = {"accept_charges": "`true` accepts what the addresses cost"}


@ips.get("/accounts/{account_id}/ips", "/ips", lists=Lists.PAGES, options={"zone": "Where the addresses are"})
async def available(context: Context) -> Reply:
    """The addresses that nobody has, of a `zone` where one is named."""
    zone = context.query.get("zone")
    tag = dedicated_ip.free_in(zone) if isinstance(zone, str) and zone else FREE
    return await answer_listing(context, TYPE, PARTITION, tag=tag)


@ips.get("/accounts/{account_id}/ips/assigned", "/ips/assigned", lists=Lists.PAGES)
async def assigned(context: Context) -> Reply:
    """The addresses that the account has; without an account those that any has."""
    tag = dedicated_ip.assigned_to(context.target.id) if context.target else ASSIGNED
    return await answer_listing(context, TYPE, PARTITION, tag=tag)


@ips.get("/accounts/{account_id}/ips/zones", "/ips/zones")
async def zones(context: Context) -> Reply:
    """The zones in which there are addresses."""
    return Reply(await dedicated_ip.words(context.store, dedicated_ip.IN_ZONE))


@ips.get("/accounts/{account_id}/ips/hosts", "/ips/hosts")
async def hosts(context: Context) -> Reply:
    """The machines on which there are addresses."""
    return Reply(await dedicated_ip.words(context.store, dedicated_ip.ON_HOST))


@ips.put("/ips", checks_itself=True, schema="ip")
async def create(context: Context) -> Reply:
    """Add an address to the inventory."""
    data = context.valid_data()
    address = dedicated_ip.new(data["ip"], data["zone"], data["host"])
    address.fields.update(stamps(context.author, address))
    context.ready_to_write()
    try:
        saved = await context.store.insert(address)
    except Duplicate as duplicate:
        raise Conflict from duplicate
    return Reply(dedicated_ip.stored(saved), revision=saved.revision, location=f"/v2/ips/{saved.id}")


@ips.put("/accounts/{account_id}/ips")
async def create_in_account(_: Context) -> Reply:
    """The inventory is nobody's but the installation's."""
    raise Forbidden


@ips.get("/accounts/{account_id}/ips/{ip}", "/ips/{ip}")
async def read(context: Context) -> Reply:
    """One address. What other accounts have is told to those alone who run the installation."""
    address = await _load(context)
    owner = address.text(ASSIGNED_TO)
    if owner and not context.identity.superduper and (context.target is None or owner != context.target.id):
        raise NotFound(address.id)
    return Reply(dedicated_ip.shown(address), revision=address.revision)


@ips.post("/accounts/{account_id}/ips", checks_itself=True, schema="ips", options=CHARGED)
async def assign_many(context: Context) -> Reply:
    """Give addresses to the account."""
    return await _move(context, _named(context), dedicated_ip.wrong_to_assign, context.account_id)


@ips.delete("/accounts/{account_id}/ips", checks_itself=True, schema="ips", options=CHARGED)
async def release_many(context: Context) -> Reply:
    """Take addresses from the account."""
    return await _move(context, _named(context), dedicated_ip.wrong_to_release, None)


@ips.post("/accounts/{account_id}/ips/{ip}", checks_itself=True, options=CHARGED)
async def assign(context: Context) -> Reply:
    """Give one address to the account; the answer is that about many."""
    return await _move(context, [context.path["ip"]], dedicated_ip.wrong_to_assign, context.account_id)


@ips.delete("/accounts/{account_id}/ips/{ip}", checks_itself=True)
async def release(context: Context) -> Reply:
    """Take one address from the account."""
    [address] = await _checked(context, [context.path["ip"]], dedicated_ip.wrong_to_release)
    context.ready_to_write(address.revision)
    try:
        moved = await dedicated_ip.move(context.store, address, None, context.author)
    except Stale as stale:
        raise Conflict from stale
    return Reply(dedicated_ip.shown(moved), revision=moved.revision)


@ips.delete("/ips/{ip}", who=Who.SUPERDUPER, checks_itself=True)
async def delete(context: Context) -> Reply:
    """Take an address out of the inventory."""
    address = await _load(context)
    context.ready_to_write(address.revision)
    await context.store.remove(address)
    return Reply(dedicated_ip.shown(address), revision=address.revision)


async def _load(context: Context) -> Document:
    address = await context.store.get(PARTITION, TYPE, dedicated_ip.canonical(context.path["ip"]))
    if address is None:
        raise NotFound(context.path["ip"])
    return address


def _named(context: Context) -> list[str]:
    """The addresses of the request."""
    data = context.valid_data()
    if "ips" not in data:
        raise Invalid.field("ips", "required", "Field is required but missing", value="ips")
    named: list[str] = data["ips"]
    return named


async def _checked(context: Context, named: list[str], wrong: Wrong) -> list[Document]:
    """The addresses as they are stored. Raises 400 with all that cannot be moved."""
    wanted = list(dict.fromkeys(map(dedicated_ip.canonical, named)))
    found = await context.store.get_many(PARTITION, TYPE, wanted)
    errors = Invalid()
    for index, ip in enumerate(wanted):
        if reason := wrong(found.get(ip), context.account_id):
            errors.add(f"ips.{index}", *reason, value=ip)
    if errors.fields:
        raise errors
    return [found[ip] for ip in wanted]


async def _move(context: Context, named: list[str], wrong: Wrong, account_id: str | None) -> Reply:
    """Move addresses; of those that somebody else was faster with, the answer tells in `error`."""
    addresses = await _checked(context, named, wrong)
    moving = tuple(dedicated_ip.given_to(account_id, address) for address in addresses)
    change = CostlyChange(context.account_id, tuple(addresses), moving)
    accepts = context.values.is_true("accept_charges")
    await check_charges(context.runtime, context.identity, change, accepts=accepts)
    context.ready_to_write()
    success: dict[str, JSON] = {}
    error: dict[str, JSON] = {}
    for address in addresses:
        try:
            moved = await dedicated_ip.move(context.store, address, account_id, context.author)
        except Stale:
            error[address.id] = Conflict().message
        else:
            success[address.id] = dedicated_ip.shown(moved)
    return Reply({"success": success, "error": error})
