# SPDX-License-Identifier: MPL-2.0
"""Text messages, and what multimedia messages have in common with them.

Source: KAZOO `cb_sms`, `cb_mms`.
"""

from __future__ import annotations

from typing import Any

from crossbar.documents.document import Document, as_list
from crossbar.documents.shape import Shape
from crossbar.endpoint import Context, Endpoint, Handler, Lists, Reply, answer_listing
from crossbar.errors import JSON
from crossbar.resources.calls.messages.domain.message import FLAT_RATE, SMS_SHAPE, Sender, send


def message_endpoint(kind: Shape, create: Handler, *items: str) -> Endpoint:
    """The paths that messages of both kinds have: `items` are those of one message, `create` sends one."""
    endpoint = Endpoint(kind.type)
    paths = tuple(item.rpartition("/")[0] for item in items)

    endpoint.put(*paths, schema=kind.type)(create)

    @endpoint.get(*paths, lists=Lists.TIMES)
    async def messages(context: Context) -> Reply:
        """The messages of a time range, newest first."""
        tag, holder_id = _holder(context)

        async def name_holder(_: Context, rows: list[dict[str, Any]]) -> None:
            for row in rows:
                if key := as_list(row.get("key")):  # a whole document has none
                    row["key"] = [holder_id, key[0]]

        hooks = [name_holder] if tag else []
        return await answer_listing(
            context, kind.type, tag=tag, rows_hooks=hooks, time_range=context.config.api.maximum_range
        )

    @endpoint.get(*items)
    async def read(context: Context) -> Reply:
        """One message."""
        return Reply.document(await context.document(kind.type, context.path["message_id"]))

    @endpoint.delete(*items)
    async def delete(context: Context) -> Reply:
        """Delete a message, with its parts."""
        message = await context.document(kind.type, context.path["message_id"])
        await context.store.remove(message)
        await context.runtime.attachments.delete(message)
        return Reply({**message.public, "_read_only": {"deleted": True}}, revision=message.revision)

    return endpoint


def _holder(context: Context) -> tuple[str | None, str]:
    """The tag of the messages of the user or device in the path, and its id."""
    for noun, kind in (("users", "owner"), ("devices", "device")):
        if parent := context.parents.get(noun):
            return f"{kind}/{parent.id}", parent.id
    return None, ""


async def send_message(context: Context, kind: Shape, data: dict[str, JSON]) -> tuple[Document, Reply]:
    """Queue a message whose `data` fits its schema; returns it as kept, and the answer."""
    saved, told, off_net = await send(context.runtime, _sender(context), kind, data, author=context.author)
    return saved, Reply(told, extra={"charges": FLAT_RATE[kind.type]} if off_net else None)


def _sender(context: Context) -> Sender:
    """The user in the path, the device's owner, or the caller in its own account."""
    owner_id: str | None
    user, device, identity = context.parents.get("users"), context.parents.get("devices"), context.identity
    if user is not None:
        owner_id = user.id
    elif device is not None:
        owner_id = device.at("owner_id")
    else:
        owner_id = identity.owner_id if identity.account_id == context.account_id else None
    return Sender(context.account, owner_id, device.id if device else None)


async def create(context: Context) -> Reply:
    """Send a text."""
    _, reply = await send_message(context, SMS_SHAPE, context.valid_data())
    return reply


sms = message_endpoint(
    SMS_SHAPE,
    create,
    "/accounts/{account_id}/sms/{message_id}",
    "/accounts/{account_id}/users/{user_id}/sms/{message_id}",
    "/accounts/{account_id}/devices/{device_id}/sms/{message_id}",
)
