"""Text and multimedia messages as they are kept, and how one is sent.

Without a switch a message stays queued: it is kept, and whoever carries messages tells of its fate (see ingest).

Source: KAZOO `cb_sms`, `cb_mms`, `kapps_im`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, Final

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.dialing import account_dial_plan, accounts_of, is_reconcilable, normalize
from crossbar.documents.document import ACCOUNTS, Document, public_fields
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.endpoint import Context, Endpoint, Reply, answer_listing
from crossbar.errors import JSON, Invalid, NotFound, SystemFault
from crossbar.ids import monthly_id
from crossbar.resources.records.domain.cdr import insert_once, kept_fields

FLAT_RATE: Final = {"sms": 0.007, "mms": 0.015}
"""What a message to the public network costs, in dollars."""


def _tags(message: Document) -> Iterator[str]:
    for kind in ("owner", "device"):
        if holder := message.at(f"{kind}_id"):
            yield f"{kind}/{holder}"


def _key(message: Document) -> list[JSON]:
    return [message.fields["pvt_created"], message.id]


def _date(message: Document) -> str:
    return formatdate(clock.unix(message.fields["pvt_created"]), usegmt=True)


def _value(message: Document) -> dict[str, JSON]:
    names = ("from", "to", "direction", "status", "body")
    fields = {name: message.fields[name] for name in names if name in message.fields}
    return {"id": message.id, "created": message.fields["pvt_created"], **fields}


def shape(document_type: str) -> Shape:
    """How messages of a type are kept: by the time they were sent, found by their owner and their device."""
    row = Summary("id", key=_key, value=_value, date=_date)
    return Shape(document_type, summary=row, sort="pvt_created", tags=_tags, collection="records")


SMS: Final = shape("sms")
MMS: Final = shape("mms")


def endpoint(kind: Shape) -> Endpoint:
    """The paths that messages of both kinds have, but for sending one."""
    resource = Endpoint(kind.type)
    paths = tuple(
        f"/accounts/{{account_id}}{where}/{kind.type}" for where in ("", "/users/{user_id}", "/devices/{device_id}")
    )
    items = tuple(f"{path}/{{message_id}}" for path in paths)

    @resource.get(*paths)
    async def messages(context: Context) -> Reply:
        """The messages of a time range, newest first."""
        tag, holder_id = _holder(context)

        async def name_holder(_: Context, rows: list[dict[str, Any]]) -> None:
            for row in rows:
                row["key"] = [holder_id, row["key"][0]]

        hooks = [name_holder] if tag else []
        return await answer_listing(
            context, kind.type, tag=tag, rows_hooks=hooks, time_range=context.config.api.maximum_range
        )

    @resource.get(*items)
    async def read(context: Context) -> Reply:
        """One message."""
        return Reply.document(await _load(context, kind))

    @resource.delete(*items)
    async def delete(context: Context) -> Reply:
        """Delete a message, with its parts."""
        message = await _load(context, kind)
        await context.store.remove(message)
        await context.runtime.attachments.delete(message)
        return Reply({**message.public, "_read_only": {"deleted": True}}, revision=message.revision)

    return resource


async def _load(context: Context, kind: Shape) -> Document:
    message_id = context.path["message_id"]
    message = await context.store.get(context.account_id, kind.type, message_id)
    if message is None:
        raise NotFound(message_id)
    return message


def _holder(context: Context) -> tuple[str | None, str]:
    """The tag of the messages of the user or device in the path, and its id."""
    for noun, kind in (("users", "owner"), ("devices", "device")):
        if parent := context.parents.get(noun):
            return f"{kind}/{parent.id}", parent.id
    return None, ""


async def send(context: Context, kind: Shape, data: dict[str, JSON]) -> tuple[Document, Reply]:
    """Queue a message whose `data` fits its schema; returns it as kept, and the answer.

    Raises 400 `disabled` for a disabled account, and 400 on `from` where a message to the public network does not
    come from a number of the account.
    """
    if not context.account.enabled:
        raise SystemFault("disabled")
    owner_id = _owner_of(context)
    to = normalize(str(data["to"]), await account_dial_plan(context.store, context.account_id))
    off_net = is_reconcilable(to)
    sender = str(data.get("from") or await _caller_id(context, owner_id, "external" if off_net else "internal"))
    if off_net:
        sender = normalize(sender)
        await _check_number(context, sender)
    fields: dict[str, JSON] = {
        "from": sender,
        "to": to if off_net else data["to"],
        "direction": "outbound",
        "status": "queued",
        "message_id": context.request_id,
        "route_type": "offnet" if off_net else "onnet",
    }
    if "body" in data:
        fields["body"] = data["body"]
    if owner_id:
        fields["owner_id"] = owner_id
    if device := context.parents.get("devices"):
        fields["device_id"] = device.id
    message = Document(context.account_id, kind.type, monthly_id(), fields)
    message.fields |= stamps(context.author, message)
    saved = await context.store.insert(message)
    answer = {key: fields[key] for key in ("message_id", "from", "to", "body", "route_type") if key in fields}
    variables = {
        "account_id": context.account_id,
        "reseller_id": await context.directory.reseller_of(context.account),
        "authorizing_type": "user" if owner_id else "account",
        "authorizing_id": owner_id or context.account_id,
    } | ({"owner_id": owner_id} if owner_id else {})
    reply = Reply({**answer, "account_id": context.account_id, "custom_vars": variables})
    if off_net:
        reply.extra = {"charges": FLAT_RATE[kind.type]}
    return saved, reply


def _owner_of(context: Context) -> str | None:
    """The user who sends: the one in the path, the device's owner, or the caller in its own account."""
    if user := context.parents.get("users"):
        return user.id
    if device := context.parents.get("devices"):
        return device.at("owner_id")  # type: ignore[no-any-return]
    return context.identity.owner_id if context.identity.account_id == context.account_id else None


async def _caller_id(context: Context, owner_id: str | None, kind: str) -> str:
    """The number a message shows when none is given: the sender's, else the account's."""
    user, account = await asyncio.gather(
        context.store.get(context.account_id, "user", owner_id or ""),
        context.store.get(ACCOUNTS, "account", context.account_id),
    )
    numbers = (holder.at(f"caller_id.{kind}.number") for holder in (user, account) if holder)
    return str(next(filter(None, numbers), ""))


async def _check_number(context: Context, number: str) -> None:
    """Only a number that the account holds may speak to the public network."""
    holder = (await accounts_of(context.store, [number])).get(number)
    if holder is None:
        raise Invalid.field("from", "invalid", "number is invalid", cause=number)
    if holder != context.account_id:
        raise Invalid.field("from", "forbidden", "number does not belong to account", cause=number)


def sms_of(account_id: str, data: dict[str, Any]) -> Document:
    """A message that somebody carried; its id is `id`, else month and message id."""
    fields = public_fields(data)
    at = fields.setdefault("timestamp", clock.now())
    message_id = fields.pop("id", None) or f"{clock.year_month(at)}-{fields['message_id']}"
    return Document(account_id, SMS.type, message_id, fields | kept_fields(account_id, SMS.type, at))


async def keep_sms(store: Store, messages: list[Document]) -> list[bool]:
    """Keep messages; one told of twice is kept once."""
    return await asyncio.gather(*(insert_once(store, message) for message in messages))
