"""Text messages.

Source: KAZOO `cb_sms`.
"""

from __future__ import annotations

from crossbar.endpoint import Call, Reply
from crossbar.resources.calls.messages.domain.message import SMS, endpoint, send

sms = endpoint(SMS)


@sms.put()
async def create(call: Call) -> Reply:
    """Send a text."""
    _, reply = await send(call, SMS, call.valid("sms", call.object))
    return reply
