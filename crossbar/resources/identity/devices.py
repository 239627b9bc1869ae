# SPDX-License-Identifier: MPL-2.0
"""Devices: phones and other things that register or receive calls.

Source: KAZOO `cb_devices`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

from crossbar.dialing import held_number, normalize_at
from crossbar.documents.document import Document, value_at
from crossbar.documents.document_types import DEVICE
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary, Unique, or_default, owner_tag
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, answer_listing
from crossbar.errors import Forbidden, Plain
from crossbar.resources.identity.domain import plain_user
from crossbar.resources.identity.domain.live_registrations import registered_devices
from crossbar.resources.identity.domain.sip_username import SIP_TAKEN, device_ids, username_claim

NOT_REGISTRABLE: Final = frozenset({"application", "cellphone", "sip_uri", "landline", "smartphone"})
OWNED: Final = ("id", "name", "mac_address", "owner_id", "enabled", "device_type", "hotdesked", "call_recording")
"""The fields of a row in the listing of one user's devices."""
HOTDESKED: Final = "hotdesked"
"""Tag of the devices at which anybody is logged in."""
IP_TAKEN: Final = "SIP IP already in use"
_NOT_HEX = re.compile(r"[^0-9a-fA-F]+")


def hotdesked_users(device: Document) -> list[str]:
    """The ids of the users who are logged in at a device."""
    users = device.at("hotdesk.users")
    return sorted(users) if isinstance(users, dict) else []


def hotdesked_to(user_id: str) -> str:
    """Tag of the devices at which a user is logged in."""
    return f"hotdesk/{user_id}"


def tags(device: Document) -> Iterator[str]:
    """Listings by user (its owner, and everybody hotdesked to it) and of hotdesked devices."""
    hotdesked = hotdesked_users(device)
    owners = {device.text("owner_id"), *hotdesked} - {""}
    yield from (owner_tag(user) for user in sorted(owners))
    yield from (hotdesked_to(user) for user in hotdesked)
    if hotdesked:
        yield HOTDESKED


def ip_claim(address: str, field: str, message: str, cause: Any) -> Unique:
    """What is known by its IPv4 address: nothing else in the whole system is."""
    return Unique("sip.ip", address, field, message, cause=cause, system=True)


def claims(device: Document) -> Iterator[Unique]:
    """The MAC address, the SIP identity and the mobile number that no second device may have."""
    if mac := device.text("mac_address"):
        yield Unique("device.mac_address", mac, "mac_address", "MAC address already in use", cause=mac)
    match device.at("sip.method", "password"):
        case "password" if username := device.text("sip.username"):
            yield username_claim(username)
            if realm := device.text("sip.realm"):
                identity = f"{username}@{realm}".lower()
                yield Unique("sip.identity", identity, "sip.username", SIP_TAKEN, cause=username, system=True)
        case "ip" if address := device.text("sip.ip"):
            yield ip_claim(address, "sip.ip", IP_TAKEN, address)
    if device.at("device_type") == "mobile" and (mdn := device.text("mobile.mdn")):
        yield held_number(mdn, "mobile.mdn", "Mobile Device Number already exists in the system")


devices = Collection(
    "devices",
    "/accounts/{account_id}/devices/{device_id}",
    Shape(
        DEVICE,
        summary=Summary(
            "id",
            "name",
            "owner_id",
            "enabled",
            "mobile",
            "call_recording",
            username="sip.username",
            mac_address=or_default("mac_address", ""),
            device_type=or_default("device_type", "sip_device"),
            flags=or_default("flags", []),
        ),
        tags=tags,
        unique=claims,
    ),
    schema="devices",
)


@devices.normalize
async def normalize(context: Context, draft: Draft) -> None:
    """Bring MAC address, flags, realm, provisioning keys and emergency number into their stored form."""
    data = draft.data
    data.pop("sync", None)
    if isinstance(mac := data.get("mac_address"), str):
        data["mac_address"] = _NOT_HEX.sub("", mac).lower()
    match data.get("outbound_flags"):
        case list(flags):
            data["outbound_flags"] = [flag.strip() if isinstance(flag, str) else flag for flag in flags]
        case dict() | None:
            pass
        case _:
            data["outbound_flags"] = []
    realm = value_at(data, "sip.realm")
    if isinstance(realm, str) and realm.lower() == context.account.realm.lower():
        data["sip"] = {key: value for key, value in data["sip"].items() if key != "realm"}
    if isinstance(provision := data.get("provision"), dict):
        data["provision"] = {
            key: _without_nulls(value) if key in ("combo_keys", "feature_keys") else value
            for key, value in provision.items()
        }
    normalize_at(data, "caller_id.emergency.number")


@devices.check
async def mobile_number_stays(context: Context, draft: Draft) -> None:
    """A mobile device has a number, and only a superduper admin changes it."""
    if draft.data.get("device_type") != "mobile":
        return
    mdn = value_at(draft.data, "mobile.mdn")
    if not mdn:
        draft.errors.add("mobile.mdn", "required", "Field is required but missing", value="mdn")
    elif draft.previous and draft.changed("mobile.mdn") and not context.identity.superduper:
        draft.errors.add("mobile.mdn", "invalid", "Mobile Device Number cannot be changed", cause=mdn)


@devices.check
async def sip_method_fits(context: Context, draft: Draft) -> None:
    """A device proves itself by password or by a fixed IPv4 address, which no trusted network has."""
    sip = draft.data.get("sip")
    if not isinstance(sip, dict):
        return
    method, address = sip.get("method", "password"), sip.get("ip")
    if method == "ip":
        if not is_ipv4(address):
            draft.errors.add("sip.ip", "type", "Must be a valid IPv4 RFC 791", cause=address)
        elif draft.changed("sip.ip") and is_trusted(context, address):
            draft.errors.add("sip.ip", "unique", IP_TAKEN, cause=address)
    elif method != "password":
        target = ["password", "ip"]
        draft.errors.add("sip.method", "enum", "SIP authentication method is invalid", target=target, cause=method)


@devices.check
async def type_stays(context: Context, draft: Draft) -> None:
    """Only a superduper admin changes what kind of thing a device is."""
    if draft.previous and draft.changed("device_type") and not context.identity.superduper:
        cause = draft.data.get("device_type")
        draft.errors.add("device_type", "invalid", "Not authorized to change type of device", cause=cause)


@devices.finish
async def guard_restrictions(context: Context, draft: Draft) -> None:
    """A plain user does not lift what a device is denied."""
    if context.is_guarded and plain_user.loosens(draft.data, draft.previous):
        raise Forbidden


@devices.decorate_rows(asked_by="with_status")
async def registration_status(context: Context, rows: list[dict[str, Any]]) -> None:
    """Whether each device can be and is registered."""
    registered = await _registered(context)
    for row in rows:
        row["registrable"] = str(row.get("device_type")) not in NOT_REGISTRABLE
        if row["registrable"]:
            row["registered"] = row["id"] in registered


@devices.get("/accounts/{account_id}/users/{user_id}/devices", lists=Lists.PAGES, options=devices.options["list"])
async def list_of_user(context: Context) -> Reply:
    """The devices that a user owns or is hotdesked to."""
    user_id = context.parents["users"].id

    async def as_owned(context: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["hotdesked"] = row.get("owner_id") != user_id
            for key in row.keys() - set(OWNED):
                del row[key]

    hooks = [as_owned, *devices.hooks.rows_for(context)]
    return await answer_listing(context, DEVICE, tag=owner_tag(user_id), rows_hooks=hooks)


devices.put("/accounts/{account_id}/users/{user_id}/devices", **devices.about("create"))(devices.life.create)


@devices.get("/accounts/{account_id}/devices/status")
async def status(context: Context) -> Reply:
    """Which devices are registered."""
    return Reply([{"device_id": device_id, "registered": True} for device_id in sorted(await _registered(context))])


@devices.put("/accounts/{account_id}/devices/{device_id}", schema="devices_notify", options={"action": "`notify`"})
async def act(context: Context) -> Reply:
    """`action: notify` sends the device a SIP NOTIFY."""
    device = await devices.life.load(context, context.path["device_id"])
    action = context.values.get("action")
    if not action:
        raise Plain(400, "action required")
    if action != "notify":
        raise Plain(400, "invalid action")
    context.valid_data()
    return Reply("NOTIFY sent", revision=device.revision)


@devices.post("/accounts/{account_id}/devices/{device_id}/sync")
async def sync(context: Context) -> Reply:
    """Ask the device to fetch its configuration anew."""
    await devices.life.load(context, context.path["device_id"])
    return Reply("sync request sent")


async def owned_by(context: Context, user_id: str) -> list[Document]:
    """The devices that a user owns."""
    found = await context.store.all(Listing(context.account_id, DEVICE, tag=owner_tag(user_id)))
    return [device for device in found if device.at("owner_id") == user_id]


async def holder_of_username(context: Context, username: str) -> str | None:
    """The id of the account's device with a SIP user name; None without one."""
    return (await device_ids(context.store, context.account_id, [username])).get(username.lower())


async def _registered(context: Context) -> set[str]:
    return await registered_devices(context.store, context.account_id, silence_s=context.config.live.silence_s)


def _without_nulls(members: Any) -> Any:
    if not isinstance(members, dict):
        return members
    return {key: value for key, value in members.items() if value is not None}


def is_trusted(context: Context, address: str) -> bool:
    """Whether an address belongs to one of the system's ACLs."""
    networks = context.runtime.settings.get("ecallmgr", "acls")
    cidrs = [network.get("cidr") for network in networks.values() if isinstance(network, dict)] if networks else []
    return any(_contains(cidr, address) for cidr in cidrs)


def _contains(cidr: Any, address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(cidr, strict=False)
    except ValueError:
        return False


def is_ipv4(text: Any) -> TypeGuard[str]:
    """Whether a value is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return isinstance(text, str)
