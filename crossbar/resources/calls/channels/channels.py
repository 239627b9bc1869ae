# SPDX-License-Identifier: MPL-2.0
"""Channels: calls that are going on, as a switch tells of them. Without one, none is.

What is to be done with a call is raised as an event (`metaflow`, `action` or `flow`), for whoever can have the switch
do it. Source: KAZOO `cb_channels`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import DEVICE, USER
from crossbar.documents.store import MICROSECONDS, Live, Switch
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON, Invalid, Plain
from crossbar.ids import new_id
from crossbar.resources.calls.channels.domain.live_channels import channel, channels_of, detailed, listed
from crossbar.resources.identity.devices import owned_by
from crossbar.resources.records.domain.call_event import raise_call_event
from crossbar.resources.system.domain.switch_event import SwitchEvent

METAFLOW: Final = "metaflow"
"""The category of the events that tell what is to be done with a call."""

_ARGUMENTS: Final = {
    "transfer": ("moh",),
    "hangup": (),
    "hold": ("moh_aleg", "moh_bleg", "unhold_key"),
    "break": (),
    "callflow": ("id", "captures", "collected"),
    "intercept": ("target_type", "target_id", "unbridged_only"),
}
"""What can be done with a call → what may be said about it."""
_OPTIONS: Final = (
    {"action": ", ".join(f"`{name}`" for name in _ARGUMENTS)}
    | {name: f"Of `{action}`" for action, names in _ARGUMENTS.items() for name in names}
    | {
        "target": "Of `transfer`: where to",
        "transfer_type": "Of `transfer`: how; `blind` without",
        "transfer-type": "The same",
    }
)

channels = Endpoint("channels")


@channels.get("/channels")
async def everywhere(context: Context) -> Reply:
    """The calls of all accounts, where `crossbar.channels.system_wide_channels_list` is set; else none."""
    if context.runtime.settings.get("crossbar.channels", "system_wide_channels_list") is not True:
        return Reply([])
    return _listed(await channels_of(context.store, None, silence_s=context.config.live.silence_s))


@channels.get("/accounts/{account_id}/channels")
async def index(context: Context) -> Reply:
    """The account's calls."""
    return _listed(await _all(context))


@channels.get("/accounts/{account_id}/devices/{device_id}/channels")
async def of_device(context: Context) -> Reply:
    """The calls of a device."""
    return await _of_devices(context, [context.parents["devices"]])


@channels.get("/accounts/{account_id}/users/{user_id}/channels")
async def of_user(context: Context) -> Reply:
    """The calls of a user's devices."""
    user = context.parents["users"]
    return await _of_devices(context, await owned_by(context, user.id), owners=[user.id])


@channels.get("/accounts/{account_id}/groups/{group_id}/channels")
async def of_group(context: Context) -> Reply:
    """The calls of the devices in a group, and of its users' devices."""
    endpoints = as_object(context.parents["groups"].at("endpoints"))
    of_type: dict[str, list[str]] = {USER: [], DEVICE: []}
    for endpoint_id, endpoint in endpoints.items():
        of_type.get(as_object(endpoint).get("type", ""), []).append(endpoint_id)
    devices = list((await context.store.get_many(context.account_id, DEVICE, of_type[DEVICE])).values())
    for user_id in of_type[USER]:
        devices += await owned_by(context, user_id)
    return await _of_devices(context, devices, owners=of_type[USER])


@channels.get("/accounts/{account_id}/channels/{call_id}")
async def read(context: Context) -> Reply:
    """One call."""
    return Reply(detailed(await _channel(context)))


@channels.post("/accounts/{account_id}/channels/{call_id}", options=_OPTIONS)
async def act(context: Context) -> Reply:
    """Ask for something to be done with a call (`action`)."""
    call = await _channel(context)
    action = context.values.get("action")
    if not isinstance(action, str) or action not in _ARGUMENTS:
        raise Plain(400, "invalid data")
    data = {name: context.values.get(name) for name in _ARGUMENTS[action]}
    if action == "transfer":
        data |= _transfer(context, call)
    elif action == "intercept":
        for name, text in (("target_type", "No target type specified"), ("target_id", "No target id specified")):
            if not data[name]:
                raise Invalid.field(name, "required", text)
    given = {name: value for name, value in data.items() if value is not None}
    await _order(context, "action", {"action": action, "data": given})
    return Reply(f"{action} initiated")


@channels.put("/accounts/{account_id}/channels/{call_id}", schema="metaflow", options={"action": f"`{METAFLOW}`"})
async def run_metaflow(context: Context) -> Reply:
    """Ask for a metaflow to be run on a call."""
    await _channel(context)
    if context.values.envelope_first("action") != METAFLOW:
        raise Plain(400, "invalid data")
    await _order(context, "flow", {"flow": context.valid_data()})
    return Reply("metaflow sent")


def _listed(found: Iterable[Live]) -> Reply:
    return Reply([listed(live) for live in found])


async def _all(context: Context) -> list[Live]:
    return await channels_of(context.store, context.account_id, silence_s=context.config.live.silence_s)


async def _of_devices(context: Context, devices: list[Document], owners: Iterable[str] = ()) -> Reply:
    """The calls that are made with one of the devices, or that are an owner's."""
    ids, usernames = {device.id for device in devices}, {device.text("sip.username").lower() for device in devices}
    owned, usernames = set(owners), usernames - {""}
    return _listed(
        live
        for live in await _all(context)
        if live.fields.get("authorizing_id") in ids
        or live.fields.get("username") in usernames
        or live.fields.get("owner_id") in owned
    )


async def _channel(context: Context) -> Live:
    call_id, silence_s = context.path["call_id"], context.config.live.silence_s
    found = await channel(context.store, context.account_id, call_id, silence_s=silence_s)
    if found is None:
        raise Plain(404, "bad identifier", [call_id])
    return found


def _transfer(context: Context, call: Live) -> dict[str, JSON]:
    """Where to, and how. Raises 400 for a call that is connected with nobody, and where no target is named."""
    if not call.fields.get("other_leg"):
        raise Invalid.field("other_leg_call_id", "required", "Channel is not bridged")
    target = context.values.get("target")
    if not target:
        raise Invalid.field("target", "required", "No target destination specified")
    how = context.values.get("transfer-type") or context.values.get("transfer_type") or "blind"
    return {"target": target, "transfer_type": how, "transferor": call.id}


async def _order(context: Context, name: str, order: dict[str, Any]) -> None:
    fields = {"call_id": context.path["call_id"], "timestamp": clock.now(), **order}
    order_id = f"{clock.year_month()}-{new_id()}"
    now, teller = int(clock.unix_now() * MICROSECONDS), Switch(context.account_id, "-")
    event = SwitchEvent(context.account_id, order_id, METAFLOW, name, now, fields, {}, teller)
    await raise_call_event(context.store, event)
