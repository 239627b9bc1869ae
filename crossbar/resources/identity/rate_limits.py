"""Rate limits: how many SIP packets an account's or one device's clients may send.

The limits of an account and of each device are a document of their own, with the id of whom they limit.
Source: KAZOO `cb_rate_limits`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Summary
from crossbar.endpoint import ACCOUNT, Call, Draft, Reply, Resource

TYPE: Final = "rate_limits"


async def sells(call: Call) -> bool | None:
    """Only the master account and resellers see and set rate limits."""
    caller = call.identity.account
    return None if caller.is_reseller or caller.id == await call.directory.master_id() else False


rate_limits = Resource(
    TYPE,
    document_type=TYPE,
    summary=Summary("id"),
    operations=(),
    scopes=(ACCOUNT, "accounts/devices"),
    hard_delete=True,
    who=sells,
)


@rate_limits.get()
async def read(call: Call) -> Reply:
    """The limits; `{}` if there are none."""
    document = await call.store.get(call.account_id, TYPE, _owner_id(call))
    return Reply({}) if document is None else Reply.document(document)


@rate_limits.post(checks_itself=True)
async def replace(call: Call) -> Reply:
    """Set the limits."""
    return Reply.document(await rate_limits.life.upsert(call, _owner_id(call), lambda _: dict(call.object)))


@rate_limits.delete(checks_itself=True)
async def remove(call: Call) -> Reply:
    """Remove the limits; where there are none, that is as well."""
    document = await call.store.get(call.account_id, TYPE, _owner_id(call))
    call.ready_to_write(document.revision if document else None)
    if document is None:
        return Reply({})
    await rate_limits.life.remove(call, document)
    return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)


@rate_limits.check
async def fits(call: Call, draft: Draft) -> None:
    """An account has limits for itself and for each device, a device for itself alone."""
    schema = "device_rate_limits" if _is_device(call) else "account_rate_limits"
    draft.data, found = call.schema_errors(schema, draft.data)
    draft.errors.fields.update(found)


@rate_limits.finish
async def name_owner(call: Call, draft: Draft) -> None:
    """What a proxy finds the limits by."""
    device = call.parents.get("devices")
    draft.private |= {
        "pvt_owner_id": draft.id,
        "pvt_owner_type": "device" if device else "account",
        "pvt_queryname": device.at("sip.username") if device else call.account.realm,
    }


def _is_device(call: Call) -> bool:
    return "devices" in call.parents


def _owner_id(call: Call) -> str:
    return call.parents["devices"].id if _is_device(call) else call.account_id
