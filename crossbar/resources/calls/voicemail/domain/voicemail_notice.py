# SPDX-License-Identifier: MPL-2.0
"""What is told of voicemail messages: that one was left, saved or deleted, and that a box is full.

Source: KAZOO `kvm_util.erl` (`publish_voicemail_saved`, `publish_voicemail_deleted`), `cf_voicemail.erl`
(`publish_voicemail_full`).
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document, as_object
from crossbar.errors import JSON
from crossbar.events.notices import notice

NEW_MESSAGE: Final = "voicemail_new"
SAVED_MESSAGE: Final = "voicemail_saved"
DELETED_MESSAGE: Final = "voicemail_deleted"
FULL_BOX: Final = "voicemail_full"
BY_CLIENT: Final = "crossbar_action"
"""Why a message was deleted: somebody asked for it here."""


def message_notice(event: str, message: Document, **more: JSON) -> Document:
    """The notice of what happened to a message."""
    about = as_object(message.at("metadata"))
    from_user, _, from_realm = str(about.get("from") or "").partition("@")
    to_user, _, to_realm = str(about.get("to") or "").partition("@")
    payload: dict[str, Any] = {
        "call_id": about.get("call_id"),
        "caller_id_name": about.get("caller_id_name"),
        "caller_id_number": about.get("caller_id_number"),
        "from_user": from_user,
        "from_realm": from_realm,
        "to_user": to_user,
        "to_realm": to_realm,
        "voicemail_box": message.at("source_id"),
        "voicemail_id": message.id,
        "voicemail_length": about.get("length"),
        "voicemail_timestamp": about.get("timestamp"),
        **more,
    }
    if event == NEW_MESSAGE:
        payload["voicemail_transcription"] = about.get("transcription")
    return notice(event, message.partition, {key: value for key, value in payload.items() if value is not None})


def full_notice(box: Document, *, messages: int, most: int) -> Document:
    """The notice that a box takes no more messages."""
    payload = {"voicemail_box": box.id, "message_count": messages, "max_message_count": most}
    return notice(FULL_BOX, box.partition, payload)
