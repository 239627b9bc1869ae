# SPDX-License-Identifier: MPL-2.0
"""What a webhook sends, by example: payloads made from the keys of each event.

Source: KAZOO `applications/crossbar/priv/webhooks_*-samples.json`.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from crossbar.errors import JSON
from crossbar.resources.notices.domain.webhook_event import COMMON, HOOKS, NOTIFICATIONS, OBJECT_ACTIONS, OBJECT_TYPES

ACCOUNT_ID: Final = "5a7f1c30d94e4b0f8f1d3f2b6a9c0e11"
MOMENT: Final = 63_870_000_000
"""Gregorian seconds of the examples: December 2023."""
VALUES: Final[dict[str, JSON]] = {
    "account_id": ACCOUNT_ID,
    "account_name": "Example",
    "account_realm": "sip.example.com",
    "realm": "sip.example.com",
    "from_realm": "sip.example.com",
    "to_realm": "sip.example.com",
    "authorizing_type": "device",
    "call_direction": "inbound",
    "body": "Hello",
    "charges": 0,
    "type": "sms",
    "origin": "api",
    "event_category": "notification",
    "app_name": "crossbar",
    "app_version": "5.0.0",
    "email": "ada@example.com",
    "from": "1001@sip.example.com",
    "to": "+14155550100@sip.example.com",
    "request": "+14155550100@sip.example.com",
    "caller_id_name": "Ada Lovelace",
    "callee_id_name": "Charles Babbage",
    "hangup_cause": "NORMAL_CLEARING",
    "hangup_code": "sip:200",
    "parking_slot": "101",
    "password_reset_link": "https://portal.example.com/?recovery=0123456789abcdef",
    "username": "1001",
    "zones": {"home": "local"},
}
OBJECTS: Final = frozenset(
    [
        "add_ons",
        "audit_log",
        "billing_address",
        "custom_application_vars",
        "custom_channel_vars",
        "databag",
        "data",
        "details",
        "discounts",
        "fax_info",
        "fax_notifications",
        "feature",
        "notify",
        "payment_token",
        "port",
        "comment",
        "voicemail_transcription",
    ]
)
BOOLEANS: Final = frozenset(
    [
        "call_bridged",
        "call_forwarded",
        "emergency_resource_used",
        "is_internal_leg",
        "local_resource_used",
        "message_left",
        "success",
        "suppress_unregister_notify",
    ]
)
ENDINGS: Final[dict[tuple[str, ...], JSON]] = {
    ("timestamp", "date"): MOMENT,
    ("_seconds", "_count", "_length", "expires", "balance", "amount", "_port"): 60,
    ("number",): "+14155550100",
}
"""Values of keys that end alike."""


def samples(hook_id: str) -> list[dict[str, Any]]:
    """Example payloads of a hook: one, or one for each kind of event it tells of."""
    keys = HOOKS[hook_id].keys
    match hook_id:
        case "object":
            return [
                {**_payload(keys), "action": action, "type": document_type}
                for document_type in OBJECT_TYPES
                for action in OBJECT_ACTIONS
            ]
        case "notifications":
            return [
                {**_payload((*COMMON, *own.split())), "event_name": event}
                for event, (_, _, own) in NOTIFICATIONS.items()
            ]
        case "parking":
            return [
                {**_payload(keys), "event_name": event} for event in ("PARK_PARKED", "PARK_RETRIEVED", "PARK_ABANDONED")
            ]
        case "sms" | "mms":
            return [{**_payload(keys), "type": hook_id}]
        case _:
            return [{**_payload(keys), "hook_event": hook_id}]


def _payload(keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: _value(key) for key in keys}


def _value(key: str) -> JSON:
    if key in VALUES:
        return VALUES[key]
    if key in OBJECTS:
        return {}
    if key in BOOLEANS:
        return False
    return next((value for endings, value in ENDINGS.items() if key.endswith(endings)), None) or _text(key)


def _text(key: str) -> str:
    is_id = key == "id" or key.endswith("_id")
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest() if is_id else key.replace("_", " ")
