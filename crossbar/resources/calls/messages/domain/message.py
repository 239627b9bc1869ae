# SPDX-License-Identifier: MPL-2.0
"""Text and multimedia messages as they are kept, and how one is sent.

Without a switch a message stays queued: it is kept, and whoever carries messages tells of its fate (see ingest).

Source: KAZOO `cb_sms`, `cb_mms`, `kapps_im`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, Final

from crossbar import clock
from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import Account
from crossbar.dialing import account_dial_plan, accounts_of, is_reconcilable, normalize
from crossbar.documents.document import ACCOUNTS, Document, public_fields
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON, Invalid, SystemFault
from crossbar.ids import monthly_id
from crossbar.resources.records.domain.cdr import insert_once, kept_fields
from crossbar.runtime import Runtime

FLAT_RATE: Final = {"sms": 0.007, "mms": 0.015}
"""What a message to the public network costs, in dollars."""


def tags(message: Document) -> Iterator[str]:
    """Listing by owner and by device."""
    for kind in ("owner", "device"):
        if holder := message.at(f"{kind}_id"):
            yield f"{kind}/{holder}"


def _key(message: Document) -> list[JSON]:
    return [message.fields["pvt_created"], message.id]


def _date(message: Document) -> str:
    return format_datetime(clock.moment(message.fields["pvt_created"]), usegmt=True)


def _value(message: Document) -> dict[str, JSON]:
    names = ("from", "to", "direction", "status", "body")
    fields = {name: message.fields[name] for name in names if name in message.fields}
    return {"id": message.id, "created": message.fields["pvt_created"], **fields}


def shape(document_type: str) -> Shape:
    """How messages of a type are kept: by the time they were sent, found by their owner and their device."""
    row = Summary("id", key=_key, value=_value, date=_date)
    return Shape(document_type, summary=row, sort="pvt_created", tags=tags, announced=True, stored_in="records")


SMS_SHAPE: Final = shape("sms")
MMS: Final = shape("mms")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a message: an account, and in it a user or a device where they are known."""

    account: Account
    owner_id: str | None = None
    device_id: str | None = None


async def send(
    runtime: Runtime, sender: Sender, kind: Shape, data: dict[str, JSON], *, author: Author
) -> tuple[Document, dict[str, JSON], bool]:
    """Queue a message whose `data` fits its schema; returns it as kept, what its sender is told, and whether it leaves.

    Raises 400 `disabled` for a disabled account, and 400 on `from` where a message to the public network does not
    come from a number of the account.
    """
    account, owner_id, store = sender.account, sender.owner_id, runtime.store
    if not account.enabled:
        raise SystemFault("disabled")
    to = normalize(str(data["to"]), await account_dial_plan(store, account.id))
    off_net = is_reconcilable(to)
    number = str(data.get("from") or await _caller_id(store, sender, "external" if off_net else "internal"))
    if off_net:
        number = normalize(number)
        await _check_number(store, account.id, number)
    fields: dict[str, JSON] = {
        "from": number,
        "to": to if off_net else data["to"],
        "direction": "outbound",
        "status": "queued",
        "message_id": author.request_id,
        "route_type": "offnet" if off_net else "onnet",
    }
    if "body" in data:
        fields["body"] = data["body"]
    if owner_id:
        fields["owner_id"] = owner_id
    if sender.device_id:
        fields["device_id"] = sender.device_id
    message = Document(account.id, kind.type, monthly_id(), fields)
    message.fields |= stamps(author, message)
    saved = await store.insert(message)
    answer: dict[str, JSON] = {
        key: fields[key] for key in ("message_id", "from", "to", "body", "route_type") if key in fields
    }
    variables = {
        "account_id": account.id,
        "reseller_id": await runtime.access.directory.reseller_of(account),
        "authorizing_type": "user" if owner_id else "account",
        "authorizing_id": owner_id or account.id,
    } | ({"owner_id": owner_id} if owner_id else {})
    return saved, {**answer, "account_id": account.id, "custom_vars": variables}, off_net


async def _caller_id(store: Store, sender: Sender, kind: str) -> str:
    """The number a message shows when none is given: the sender's, else the account's."""
    user, account = await asyncio.gather(
        store.get(sender.account.id, USER, sender.owner_id or ""), store.get(ACCOUNTS, ACCOUNT, sender.account.id)
    )
    numbers = (holder.at(f"caller_id.{kind}.number") for holder in (user, account) if holder)
    return str(next(filter(None, numbers), ""))


async def _check_number(store: Store, account_id: str, number: str) -> None:
    """Only a number that the account holds may speak to the public network."""
    holder = (await accounts_of(store, [number])).get(number)
    if holder is None:
        raise Invalid.field("from", "invalid", "number is invalid", cause=number)
    if holder != account_id:
        raise Invalid.field("from", "forbidden", "number does not belong to account", cause=number)


def sms_of(account_id: str, data: dict[str, Any]) -> Document:
    """A message that somebody carried; its id is `id`, else month and message id."""
    fields = public_fields(data)
    at = fields.setdefault("timestamp", clock.now())
    message_id = fields.pop("id", None) or f"{clock.year_month(at)}-{fields['message_id']}"
    return Document(account_id, SMS_SHAPE.type, message_id, fields | kept_fields(account_id, SMS_SHAPE.type, at))


async def keep_sms(store: Store, messages: list[Document]) -> list[bool]:
    """Keep messages; one told of twice is kept once."""
    return await asyncio.gather(*(insert_once(store, message) for message in messages))
