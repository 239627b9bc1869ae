# SPDX-License-Identifier: MPL-2.0
"""Multimedia messages: a MIME message, or files that are packed into one.

Source: KAZOO `cb_mms`.
"""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

from crossbar.endpoint import Context, Reply
from crossbar.errors import JSON, Invalid
from crossbar.resources.calls.messages.domain.message import MMS
from crossbar.resources.calls.messages.sms import message_endpoint, send_message
from crossbar.wire.body import UploadedFile

MESSAGE: Final = "message.eml"
"""The attachment that holds what is sent."""


async def create(context: Context) -> Reply:
    """Send a MIME message, or the files that were uploaded."""
    data = context.valid_data()
    contents = _packed(context.files) if context.files else _checked(data.pop("body", None))
    message, reply = await send_message(context, MMS, data)
    await context.runtime.attachments.put(message, MESSAGE, "message/rfc822", contents)
    return reply


def _packed(files: list[UploadedFile]) -> bytes:
    """Files as a `multipart/related` message."""
    message = EmailMessage(policy=policy.SMTP)
    message.make_related()
    for file in files:
        main, _, sub = file.content_type.partition("/")
        message.add_related(file.contents, maintype=main, subtype=sub or "octet-stream", filename=file.name)
    return message.as_bytes()


def _checked(body: JSON) -> bytes:
    """A MIME message that names its type and can be read."""
    contents = body.encode() if isinstance(body, str) else b""
    message = message_from_bytes(contents, policy=policy.SMTP)
    if "Content-Type" not in message or message.defects:
        raise Invalid.field("body", "required", "add mime encoded body or upload one or more files")
    return contents


mms = message_endpoint(
    MMS,
    create,
    "/accounts/{account_id}/mms/{message_id}",
    "/accounts/{account_id}/users/{user_id}/mms/{message_id}",
    "/accounts/{account_id}/devices/{device_id}/mms/{message_id}",
)
