"""Text messages.

Source: KAZOO `cb_sms`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Reply
from crossbar.resources.calls.messages.domain.message import SMS, endpoint, send

sms = endpoint(SMS)


@sms.put(
    "/accounts/{account_id}/sms",
    "/accounts/{account_id}/users/{user_id}/sms",
    "/accounts/{account_id}/devices/{device_id}/sms",
)
async def create(context: Context) -> Reply:
    """Send a text."""
    _, reply = await send(context, SMS, context.valid("sms", context.object))
    return reply
