# SPDX-License-Identifier: MPL-2.0
"""Voicemail boxes and messages for tests."""

from __future__ import annotations

from typing import Any

from tests.harness import Answer, Tenant, send_parts
from tests.samples import MP3

DEFAULTS = {
    "announcement_only": False,
    "check_if_owner": True,
    "delete_after_notify": False,
    "include_message_on_notify": True,
    "include_transcription_on_notify": True,
    "is_setup": False,
    "is_voicemail_ff_rw_enabled": False,
    "media": {},
    "media_extension": "mp3",
    "not_configurable": False,
    "notify_email_addresses": [],
    "oldest_message_first": False,
    "require_pin": False,
    "save_after_notify": False,
    "seek_duration_ms": 10000,
    "skip_envelope": False,
    "skip_greeting": False,
    "skip_instructions": False,
    "transcribe": False,
}
DAY = 86_400
TAKEN = "Invalid mailbox number or already exists"


async def new_box(tenant: Tenant, mailbox: str = "100", **fields: Any) -> str:
    created = await tenant.api.put("/vmboxes", {"name": f"Box {mailbox}", "mailbox": mailbox, **fields})
    assert created.status == 201, created.envelope
    return created.id


async def leave(tenant: Tenant, box: str, contents: bytes = MP3, **metadata: Any) -> str:
    """A message with a sound; returns its id."""
    sent = await multipart(tenant, box, metadata, contents)
    assert sent.status == 201, sent.envelope
    return str(sent.data["media_id"])


async def multipart(tenant: Tenant, box: str, metadata: dict[str, Any], *files: bytes) -> Answer:
    return await send_parts(
        tenant.api, "PUT", f"/vmboxes/{box}/messages", metadata, *((file, "audio/mp3") for file in files)
    )


async def folders(tenant: Tenant, box: str) -> dict[str, str]:
    """Message id → folder of all listed messages of a box."""
    listed = await tenant.api.get(f"/vmboxes/{box}/messages")
    return {row["media_id"]: row["folder"] for row in listed.data}
