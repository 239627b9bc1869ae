# SPDX-License-Identifier: MPL-2.0
"""The events that webhooks can be told of: names, modifiers, and the keys of what is sent.

Source: KAZOO `applications/webhooks/src/modules/*.erl`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

ANY: Final = "all"
OBJECT_TYPES: Final = (
    "account",
    "callflow",
    "device",
    "faxbox",
    "media",
    "user",
    "vmbox",
    "fax",
    "mailbox_message",
    "call_recording",
)
OBJECT_ACTIONS: Final = ("doc_created", "doc_edited", "doc_deleted")
OPERATOR_EVENTS: Final = ("system_alert", "webhook_disabled")
"""Notifications that only the operator is told of."""

_CHANNEL: Final = (
    "hook_event account_id authorizing_id authorizing_type call_direction call_forwarded call_id callee_id_name"
    " callee_id_number caller_id_name caller_id_number custom_channel_vars custom_application_vars"
    " emergency_resource_used from inception is_internal_leg local_resource_id local_resource_used"
    " other_leg_call_id owner_id request reseller_id timestamp to"
)
_PARK: Final = (
    "event_name account_id call_id callee_id_name callee_id_number caller_id_name caller_id_number parking_slot"
)
_MESSAGE: Final = "id account_id type from to body origin charges"


@dataclass(frozen=True, slots=True)
class Hook:
    """A kind of webhook. `keys` are those of its payload."""

    name: str
    description: str
    keys: tuple[str, ...]
    modifiers: dict[str, Any] = field(default_factory=dict)


def _hook(name: str, description: str, keys: str, **modifiers: Any) -> Hook:
    return Hook(name, description, tuple(keys.split()), modifiers)


_FROM_TO: Final = "from_realm from_user to_realm to_user"
_CALLER: Final = "call_id caller_id_name caller_id_number"
_CALLEE: Final = "callee_id_name callee_id_number"
_MISSED: Final = f"{_CALLER} {_FROM_TO} call_bridged message_left notify to timestamp"
_EMERGENCY: Final = (
    "call_id emergency_caller_id_name emergency_caller_id_number outbound_caller_id_name outbound_caller_id_number"
)
_REGISTRATION: Final = (
    "account_db authorizing_id call_id contact event_timestamp expires from_host from_user network_ip network_port"
    " realm suppress_unregister_notify to_host to_user user_agent username"
)
_FAX: Final = f"{_CALLER} {_CALLEE} fax_id fax_info fax_notifications fax_timestamp faxbox_id"
_INBOUND_FAX: Final = f"{_FAX} {_FROM_TO} owner_id"
_OUTBOUND_FAX: Final = f"{_FAX} account_db fax_jobid fax_timezone"
_PORT: Final = "authorized_by local_number number number_state port port_request_id version"
_PAYMENT: Final = (
    "add_ons amount billing_address card_last_four currency_code date discounts id purchase_order response success"
    " tax_amount timestamp"
)
_RECOVERY: Final = "account_db email first_name last_name password_reset_link timezone user_id"
_CUSTOMERS: Final = "databag recipient_id template_id user_type"
_CNAM: Final = "acquired_for cnam local_number number number_state"
_SMTP_FAX: Final = (
    "errors fax_from_email fax_to_email faxbox_id faxbox_name faxbox_timezone number original_number owner_id timestamp"
)
_VOICEMAIL: Final = f"{_CALLER} {_FROM_TO} voicemail_box voicemail_id voicemail_length voicemail_timestamp"

NOTIFICATIONS: Final[dict[str, tuple[str, str, str]]] = {
    "account_zone_change": ("Account Zone Change", "An account moved to other zones", "zones"),
    "bill_reminder": (
        "Payment Reminder",
        "The account's bill is about to be due",
        "due_date items payment_token timestamp",
    ),
    "cf_notification": (
        "Callflow Notification",
        "A call came to a callflow's notification",
        f"{_MISSED} template_id notification_media comments",
    ),
    "missed_call": ("Missed Call", "Nobody answered a call", _MISSED),
    "cnam_request": ("Caller Name Request", "A number's caller name is to change", _CNAM),
    "customer_update": ("Customer Update", "The operator sent a message to customers", _CUSTOMERS),
    "denied_emergency_bridge": ("Denied Emergency Call", "An emergency call was refused", _EMERGENCY),
    "emergency_bridge": ("Emergency Call", "An emergency call was made", _EMERGENCY),
    "deregister": (
        "Deregister Notice",
        "A device's registration ended",
        f"{_REGISTRATION} freeswitch_hostname presence_hosts profile_name rpid status",
    ),
    "register": ("Register Notice", "A device registered", f"{_REGISTRATION} authorizing_type owner_id"),
    "first_occurrence": ("First Occurrence", "An account made its first call or registration", "occurrence"),
    "inbound_fax": ("Inbound Fax", "A fax was received", _INBOUND_FAX),
    "inbound_fax_error": (
        "Inbound Fax Error",
        "A fax could not be received",
        f"{_INBOUND_FAX} fax_error fax_result_code",
    ),
    "outbound_fax": ("Outbound Fax", "A fax was sent", _OUTBOUND_FAX),
    "outbound_fax_error": ("Outbound Fax Error", "A fax could not be sent", f"{_OUTBOUND_FAX} fax_error"),
    "outbound_smtp_fax_error": ("Mail to Fax Error", "A mail could not be turned into a fax", _SMTP_FAX),
    "low_balance": ("Low Balance", "The account's balance fell below its threshold", "current_balance"),
    "new_account": ("New Account", "An account was created", "account_api_key account_db account_name account_realm"),
    "new_user": ("New User", "A user was created", "password user_id"),
    "password_recovery": ("Password Recovery", "A user asked for a new password", _RECOVERY),
    "port_request": ("Port Request", "A port request was submitted", _PORT),
    "port_pending": ("Port Pending", "A port request was sent to the losing carrier", _PORT),
    "port_scheduled": ("Port Scheduled", "A port request has a date", _PORT),
    "port_rejected": ("Port Rejected", "A port request was rejected", f"{_PORT} reason"),
    "port_cancel": ("Port Canceled", "A port request was canceled", f"{_PORT} reason"),
    "ported": ("Ported", "Numbers of a port request are in service", _PORT),
    "port_unconfirmed": ("Port Unconfirmed", "A port request waits to be submitted", _PORT),
    "port_comment": ("Port Comment", "A port request got a comment", f"{_PORT} comment"),
    "service_added": ("Service Added", "The account's services changed", "audit_log items timestamp"),
    "system_alert": (
        "System Alert",
        "Something happened in the system",
        "details message module pid request_id subject",
    ),
    "topup": ("Top Up", "Credit was added to the account", _PAYMENT),
    "transaction": ("Transaction", "A payment was made", f"{_PAYMENT} service_plan"),
    "voicemail_new": ("New Voicemail", "A message was left", f"{_VOICEMAIL} voicemail_transcription"),
    "voicemail_saved": ("Saved Voicemail", "A message was saved", _VOICEMAIL),
    "voicemail_deleted": ("Deleted Voicemail", "A message was deleted", _VOICEMAIL),
    "voicemail_full": (
        "Full Voicemail Box",
        "A voicemail box is full",
        "max_message_count message_count voicemail_box",
    ),
    "webhook": ("Webhook", "A callflow's webhook was reached", "account_db data hook timestamp"),
    "webhook_disabled": ("Webhook Disabled", "A webhook failed too often and was turned off", "hook_id"),
    "number_feature_manual_action": (
        "Number Feature Request",
        "A feature of a number has to be set up by hand",
        "feature number",
    ),
}
"""Event → its name, when it happens, and the keys it has beside the common ones."""
COMMON: Final = (
    "account_id",
    "event_category",
    "event_name",
    "app_name",
    "app_version",
    "msg_id",
    "node",
    "server_id",
    "system_log_id",
)
"""Keys of every notification."""

HOOKS: Final[dict[str, Hook]] = {
    "channel_create": _hook("Channel Create", "A call leg comes into being", _CHANNEL),
    "channel_answer": _hook("Channel Answer", "A call leg is answered", _CHANNEL),
    "channel_bridge": _hook(
        "Channel Bridge", "Two call legs are connected", f"{_CHANNEL} original_number other_leg_destination_number"
    ),
    "channel_destroy": _hook(
        "Channel Destroy",
        "A call leg ends",
        f"{_CHANNEL} hangup_cause hangup_code duration_seconds billing_seconds ringing_seconds",
    ),
    "parking": _hook("Call Parking", "A call is parked, retrieved or abandoned", _PARK),
    "object": _hook(
        "Object",
        "A document is created, changed or deleted",
        "id account_id action type",
        type={
            "type": "array",
            "description": "Types of documents to tell of",
            "items": [ANY, *OBJECT_TYPES],
        },
        action={
            "type": "array",
            "description": "What has to happen to a document",
            "items": [ANY, *OBJECT_ACTIONS],
        },
    ),
    "notifications": _hook(
        "Notifications",
        "A notification is sent",
        " ".join(COMMON),
        type={
            "type": "object",
            "items": {
                **{
                    event: {"friendly_name": name, "description": why}
                    for event, (name, why, _) in NOTIFICATIONS.items()
                },
                ANY: {"friendly_name": "All", "description": "Every notification"},
            },
        },
    ),
    "sms": _hook("SMS", "A text message is sent or received", _MESSAGE),
    "mms": _hook("MMS", "A picture message is sent or received", _MESSAGE),
}


def catalog() -> list[dict[str, Any]]:
    """The hooks as clients choose among them."""
    return [
        {
            "id": hook_id,
            "name": hook.name,
            "description": hook.description,
            **({"modifiers": hook.modifiers} if hook.modifiers else {}),
        }
        for hook_id, hook in HOOKS.items()
    ]
