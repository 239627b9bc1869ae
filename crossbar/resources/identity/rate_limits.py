# SPDX-License-Identifier: MPL-2.0
"""Rate limits: how many SIP packets an account's or one device's clients may send.

The limits of an account and of each device are a document of their own, with the id of whom they limit.
Source: KAZOO `cb_rate_limits`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.document_types import ACCOUNT, DEVICE
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Reply

TYPE: Final = "rate_limits"


async def sells(context: Context) -> bool | None:
    """Only the master account and resellers see and set rate limits."""
    caller = context.identity.account
    return None if caller.is_reseller or caller.id == await context.directory.master_id() else False


rate_limits = Collection(
    TYPE,
    (
        "/accounts/{account_id}/rate_limits/{rate_limits_id}",
        "/accounts/{account_id}/devices/{device_id}/rate_limits/{rate_limits_id}",
    ),
    Shape(TYPE, summary=Summary("id")),
    operations=(),
    hard_delete=True,
    who=sells,
)


@rate_limits.get("/accounts/{account_id}/rate_limits", "/accounts/{account_id}/devices/{device_id}/rate_limits")
async def read(context: Context) -> Reply:
    """The rate limits; `{}` if there are none."""
    document = await context.store.get(context.account_id, TYPE, _owner_id(context))
    return Reply({}) if document is None else Reply.document(document)


@rate_limits.post("/accounts/{account_id}/rate_limits", checks_itself=True, schema="account_rate_limits")
@rate_limits.post(
    "/accounts/{account_id}/devices/{device_id}/rate_limits", checks_itself=True, schema="device_rate_limits"
)
async def replace(context: Context) -> Reply:
    """Set the rate limits."""
    return Reply.document(await rate_limits.life.upsert(context, _owner_id(context), lambda _: dict(context.object)))


@rate_limits.delete(
    "/accounts/{account_id}/rate_limits", "/accounts/{account_id}/devices/{device_id}/rate_limits", checks_itself=True
)
async def remove(context: Context) -> Reply:
    """Remove the rate limits; no error where there are none."""
    document = await context.store.get(context.account_id, TYPE, _owner_id(context))
    context.ready_to_write(document.revision if document else None)
    if document is None:
        return Reply({})
    await rate_limits.life.remove(context, document)
    return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)


@rate_limits.check
async def fits(context: Context, draft: Draft) -> None:
    """An account has limits for itself and for each device, a device for itself alone."""
    draft.data, found = context.data_errors(draft.data)
    draft.errors.fields.update(found)


@rate_limits.finish
async def name_owner(context: Context, draft: Draft) -> None:
    """What a proxy finds the limits by."""
    device = context.parents.get("devices")
    draft.private |= {
        "pvt_owner_id": draft.id,
        "pvt_owner_type": DEVICE if device else ACCOUNT,
        "pvt_queryname": device.at("sip.username") if device else context.account.realm,
    }


def _is_device(context: Context) -> bool:
    return "devices" in context.parents


def _owner_id(context: Context) -> str:
    return context.parents["devices"].id if _is_device(context) else context.account_id
