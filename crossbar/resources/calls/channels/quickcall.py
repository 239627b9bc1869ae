# SPDX-License-Identifier: MPL-2.0
"""Quickcall: ring a device, or a user's devices, and connect whoever answers with a number.

The answer is what a switch is asked to do. Source: KAZOO `cb_quickcall`, `kz_endpoint`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crossbar.dialing import is_reconcilable
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, DEVICE, USER
from crossbar.documents.schemas.patterns import first_group
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON, Plain, SystemFault
from crossbar.ids import new_secret
from crossbar.resources.calls.channels.domain.channel_variables import AUTHORIZATION
from crossbar.resources.identity.devices import owned_by
from crossbar.wire.request_values import is_false, is_true

PUNCTUATION: Final = str.maketrans("", "", " ,.-()")
DEFAULT_TIMEOUT: Final = 30
SHORTEST_TIMEOUT: Final = 4
EXPORTED: Final = (*AUTHORIZATION, "Outbound-Callee-ID-Name", "Outbound-Callee-ID-Number", "Retain-CID")
"""Channel variables that the second leg gets from the first."""
_TYPES: Final = {"devices": DEVICE, "users": USER}

quickcall = Endpoint("quickcall")
OPTIONS: Final = {
    "auto_answer": "`false`: a lone device does not answer by itself",
    "number_filter": "`false`: the number as it is; else an expression that captures it",
    "custom_application_vars": "Variables of the call",
    "cid-number": "The number that is shown",
    "cid-name": "The name that is shown",
    "target_call_id": "A call to join",
    "ignore-early-media": "`false`: ringing counts",
    "media": "`bypass` or `process`",
    "timeout": "Seconds it may ring",
}


async def open_to_all(context: Context) -> bool:
    """Whether the device or user lets anybody ring it."""
    collection = context.nouns[-2]
    caller = await context.store.get(context.account_id, _TYPES[collection.name], collection.args[0])
    return caller is not None and is_true(caller.at("allow_anonymous_quickcalls"))


@quickcall.get(
    "/accounts/{account_id}/devices/{device_id}/quickcall/{number}",
    "/accounts/{account_id}/users/{user_id}/quickcall/{number}",
    open_if=open_to_all,
    options=OPTIONS,
    refuses=(500,),
)
async def ring(context: Context) -> Reply:
    """Ask for the call and do not wait."""
    return Reply(await _request(context))


@quickcall.post(
    "/accounts/{account_id}/devices/{device_id}/quickcall/{number}",
    "/accounts/{account_id}/users/{user_id}/quickcall/{number}",
    options=OPTIONS,
    refuses=(500,),
)
async def ring_and_wait(context: Context) -> Reply:
    """Ask for the call and wait until somebody answers: nobody, without a switch."""
    await _request(context)
    raise Plain(500, "quickcall initiation failed")


async def _request(context: Context) -> dict[str, JSON]:
    """What a switch is to do. Raises 429 when the caller's bucket is empty, 500 when there is nothing to ring."""
    context.runtime.access.costs.charge(context, suffix="quickcall")
    caller, devices = await _caller(context)
    endpoints = [endpoint for device in devices if (endpoint := _endpoint(context, device)) is not None]
    if not endpoints:
        raise SystemFault("unspecified_fault")
    if len(endpoints) == 1:
        endpoints[0]["custom_channel_vars"]["auto_answer"] = _on(context.query.get("auto_answer"))
    number = filtered(context.path["number"], context.query.get("number_filter"))
    caller_id = await _caller_id(context, caller, "external" if is_reconcilable(number) else "internal")
    value = context.values.get
    variables = value("custom_application_vars")
    request = {
        "application_name": "transfer",
        "application_data": {"route": context.path["number"]},
        "continue_on_fail": False,
        "custom_application_vars": variables if isinstance(variables, dict) else {},
        "custom_channel_vars": {
            "account_id": context.account_id,
            "authorizing_id": caller.id,
            "authorizing_type": caller.type,
            "inherit_codec": "false",
            "retain_cid": "false" if value("cid-number") is None else "true",
        },
        "dial_endpoint_method": "simultaneous",
        "endpoints": endpoints,
        "existing_call_id": value("target_call_id"),
        "export_custom_channel_vars": list(EXPORTED),
        "ignore_early_media": _on(value("ignore-early-media")),
        "media": "bypass" if value("media") == "bypass" else "process",
        "outbound_callee_id_name": value("cid-name") or caller_id.get("name"),
        "outbound_callee_id_number": value("cid-number") or caller_id.get("number"),
        "outbound_caller_id_name": "Device QuickCall",
        "outbound_caller_id_number": number,
        "timeout": timeout(value("timeout")),
    }
    return {key: item for key, item in request.items() if item is not None}


def filtered(number: str, wanted: JSON) -> str:
    """The number without punctuation (`wanted` is true or nothing), as it is (false), or what a pattern captures."""
    if wanted is None or is_true(wanted):
        return number.translate(PUNCTUATION)
    if is_false(wanted) or not isinstance(wanted, str):
        return number
    captured = first_group(wanted, number)
    return number if captured is None else captured


def timeout(wanted: JSON) -> int:
    """How many seconds it may ring."""
    try:
        seconds = int(wanted) if isinstance(wanted, int | str) else 0
    except ValueError:
        seconds = 0
    return seconds if seconds >= SHORTEST_TIMEOUT else DEFAULT_TIMEOUT


def _on(wanted: JSON) -> bool:
    """An option that is on unless something else is said."""
    return wanted is None or is_true(wanted)


async def _caller(context: Context) -> tuple[Document, Iterable[Document]]:
    """Who calls, and the devices to ring."""
    user = context.parents.get("users")
    if user is None:
        return context.parents["devices"], [context.parents["devices"]]
    return user, await owned_by(context, user.id)


def _endpoint(context: Context, device: Document) -> dict[str, Any] | None:
    """A device as the switch dials it; None for one that cannot ring."""
    username = device.at("sip.username")
    if device.at("enabled") is False or not (username or device.at("sip.ip")):
        return None
    endpoint = {
        "endpoint_type": "sip",
        "invite_format": device.at("sip.invite_format", "contact"),
        "to_user": username,
        "to_username": username,
        "to_realm": device.at("sip.realm") or context.account.realm,
        "to_ip": device.at("sip.ip"),
        "route": device.at("sip.route"),
        "codecs": device.at("media.audio.codecs"),
        "presence_id": device.at("presence_id"),
        "outbound_call_id": f"{new_secret(18)}-quickcall",
        "custom_channel_vars": {
            "account_id": context.account_id,
            "authorizing_id": device.id,
            "authorizing_type": "device",
            **({"owner_id": owner} if (owner := device.at("owner_id")) else {}),
            "retain_cid": "true",
        },
    }
    return {key: value for key, value in endpoint.items() if value is not None}


async def _caller_id(context: Context, caller: Document, kind: str) -> dict[str, str]:
    """`name` and `number` of the caller, else of its owner, else of its account."""
    owner_id = caller.at("owner_id")
    owner = await context.store.get(context.account_id, USER, owner_id) if owner_id else None
    account = await context.store.get(ACCOUNTS, ACCOUNT, context.account_id)
    found: dict[str, str] = {}
    for source in (account, owner, caller):
        caller_id = source.at(f"caller_id.{kind}") if source else None
        if isinstance(caller_id, dict):
            found |= {key: value for key in ("name", "number") if (value := caller_id.get(key))}
    return found
