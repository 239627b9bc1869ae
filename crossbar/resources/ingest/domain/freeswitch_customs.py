# SPDX-License-Identifier: MPL-2.0
"""What FreeSWITCH says of registrations, presence, conferences and queues, in KAZOO's words.

Source: `ecallmgr_fs_conference.erl`, `ecallmgr_util.erl` (`conference_channel_vars`), `kapi_presence.erl`,
`kapi_registration.erl`, `kapi_acdc_stats.erl`; `sofia_reg.c`, `sofia_presence.c`, `mod_conference`, `mod_callcenter.c`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from crossbar import clock
from crossbar.documents.store import MICROSECONDS
from crossbar.errors import JSON
from crossbar.resources.calls.conferences.domain.running_conferences import CONFERENCE
from crossbar.resources.calls.queues.domain.queue_events import AGENT_STATUS, QUEUE_CALL
from crossbar.resources.identity.domain.live_presence import PRESENCE, SUBSCRIBED
from crossbar.resources.identity.domain.live_registrations import DIRECTORY
from crossbar.resources.ingest.domain.freeswitch_calls import (
    NAMES,
    Wording,
    call_of,
    common,
    fax_of,
    said_only,
    valet_of,
)
from crossbar.resources.ingest.domain.freeswitch_event import FreeswitchEvent

USUAL_EXPIRES: Final = 3600
"""Seconds of a subscription that does not say for how long it is."""

_REGISTRATION: Final = (
    "call_id", "contact", "expires", "from_host", "from_user", "network_ip", "network_port", "presence_hosts",
    "profile_name", "realm", "rpid", "status", "to_host", "to_user", "user_agent", "username",
)  # fmt: skip
_DIALOG: Final = {
    "early": "early",
    "ringing": "early",
    "confirmed": "confirmed",
    "answered": "confirmed",
    "terminated": "terminated",
    "hangup": "terminated",
}
"""FreeSWITCH's state of an answer → that of a dialog."""
_FLAGS: Final = ("hear", "see", "speak", "talking", "video", "mute_detect", "floor", "hold")
_ENERGY: Final = ("energy_level", "current_energy")
_AGENT_STATUSES: Final = {
    "Available": "ready",
    "Available (On Demand)": "ready",
    "Logged Out": "logged_out",
    "On Break": "paused",
    "Waiting": "ready",
    "Receiving": "connecting",
    "In a queue call": "connected",
}
"""What FreeSWITCH calls an agent's status or state → KAZOO's word."""
_COUNTS: Final = re.compile(r"(\d{1,9})/(\d{1,9})(?:\s*\((\d{1,9})/(\d{1,9})\))?", re.ASCII)


def translated(event: FreeswitchEvent) -> Wording | None:
    """An event in KAZOO's words; None for one that says nothing of what is followed here."""
    translate = _TRANSLATORS.get(event.name)
    return None if translate is None else translate(event)


def _registered(event: FreeswitchEvent) -> Wording | None:
    fields: dict[str, JSON] = {name: event.get(name) for name in _REGISTRATION}
    fields["username"] = event.get("username", "from_user", "user")
    fields["realm"] = event.get("realm", "from_host", "host")
    name = "reg_success" if event.name == "sofia::register" else "unregister"
    return Wording(DIRECTORY, name, said_only(fields) | common(event))


def _presence(event: FreeswitchEvent) -> Wording | None:
    state = _DIALOG.get(event.get("answer_state"))
    presence_id = event.get("from").removeprefix("sip:")
    if state is None or not presence_id:
        return None
    user, _, realm = presence_id.partition("@")
    fields: dict[str, JSON] = {
        "call_id": event.get("unique_id", "variable_uuid"),
        "direction": "initiator" if event.get("call_direction") == "inbound" else "recipient",
        "event_package": "dialog",
        "from": f"sip:{presence_id}",
        "from_realm": realm,
        "from_user": user,
        "presence_id": presence_id,
        "state": state,
        "to": event.get("variable_sip_to_uri", "caller_destination_number"),
    }
    return Wording(PRESENCE, "dialog_update", said_only(fields) | common(event))


def _subscribed(event: FreeswitchEvent) -> Wording | None:
    call_id, watched = event.get("sub_call_id"), event.get("to").removeprefix("sip:")
    if not call_id or not watched:
        return None
    expires = event.number("expires", "sub_expires")
    fields: dict[str, JSON] = {
        "call_id": call_id,
        "contact": event.get("contact"),
        "event_package": event.get("proto_specific_event_name", "alt_event_type"),
        "expires": USUAL_EXPIRES if expires is None else expires,
        "from": event.get("from").removeprefix("sip:"),
        "user": watched,
        "user_agent": event.get("user_agent"),
    }
    return Wording(PRESENCE, SUBSCRIBED, said_only(fields) | {"expires": fields["expires"]} | common(event))


def _message_waiting(event: FreeswitchEvent) -> Wording | None:
    account = event.get("mwi_message_account").removeprefix("sip:")
    if not account:
        return None
    user, _, realm = account.partition("@")
    counts = _COUNTS.match(event.get("mwi_voice_message"))
    new, saved, urgent, urgent_saved = (int(count or 0) for count in counts.groups()) if counts else (0, 0, 0, 0)
    fields: dict[str, JSON] = {
        "from": f"sip:{account}",
        "from_realm": realm,
        "from_user": user,
        "message_account": f"sip:{account}",
        "messages_new": new,
        "messages_saved": saved,
        "messages_urgent": urgent,
        "messages_urgent_saved": urgent_saved,
        "messages_waiting": "yes" if event.is_true("mwi_messages_waiting") else "no",
        "presence_id": account,
        "to": f"sip:{account}",
        "to_realm": realm,
        "to_user": user,
    }
    return Wording(PRESENCE, "mwi_update", fields | common(event))


def _conference(event: FreeswitchEvent) -> Wording | None:
    name, action = event.get("conference_name"), event.get("action")
    if not name or not action:
        return None
    variables: dict[str, JSON] = {flag: event.is_true(flag) for flag in _FLAGS if event.get(flag)}
    variables |= {level: event.number(level) for level in _ENERGY if event.number(level) is not None}
    if (member := event.number("member_id")) is not None:
        variables |= {"member_id": member, "is_moderator": "moderator" in event.get("member_type").lower()}
    fields: dict[str, JSON] = {
        "call_id": event.get("unique_id"),
        "caller_id_name": event.get("caller_caller_id_name"),
        "caller_id_number": event.get("caller_caller_id_number"),
        "channel_presence_id": event.get("variable_presence_id", "channel_presence_id"),
        "conference_channel_vars": variables,
        "conference_id": name,
        "custom_application_vars": event.application_variables,
        "custom_channel_vars": event.channel_variables,
        "event": action,
        "instance_id": event.get("conference_unique_id"),
        "participant_id": member,
        "profile_name": event.get("conference_profile_name"),
        "switch_hostname": event.host,
    }
    return Wording(CONFERENCE, "event", said_only(fields) | common(event))


def _call_center(event: FreeswitchEvent) -> Wording | None:
    action = event.get("cc_action")
    if action in ("agent-status-change", "agent-state-change"):
        status = _AGENT_STATUSES.get(event.get("cc_agent_status" if "status" in action else "cc_agent_state"))
        return None if status is None else Wording(AGENT_STATUS, status, _of_queue(event))
    if action not in ("member-queue-start", "member-queue-end", "bridge-agent-start", "bridge-agent-fail"):
        return None
    name, more = _of_call(event, action)
    return Wording(QUEUE_CALL, name, _of_queue(event) | more)


def _of_call(event: FreeswitchEvent, action: str) -> tuple[str, dict[str, JSON]]:
    """What became of a queue's call, and what there is to say of that."""
    at = clock.gregorian(event.at // MICROSECONDS)
    match action:
        case "member-queue-start":
            return "waiting", {}
        case "bridge-agent-start":
            return "handled", {"handled_timestamp": _seconds(event, "cc_agent_answered_time") or at}
        case "bridge-agent-fail":
            return "missed", {"miss_reason": event.get("cc_hangup_cause")}
    if event.get("cc_cause").lower() == "terminated":
        return "processed", {"processed_timestamp": at}
    return "abandoned", {"abandoned_timestamp": at, "abandoned_reason": event.get("cc_cancel_reason", "cc_cause")}


def _of_queue(event: FreeswitchEvent) -> dict[str, JSON]:
    fields: dict[str, JSON] = {
        "agent_id": event.get("cc_agent"),
        "call_id": event.get("cc_member_session_uuid", "cc_member_uuid"),
        "caller_id_name": event.get("cc_member_cid_name"),
        "caller_id_number": event.get("cc_member_cid_number"),
        "entered_timestamp": _seconds(event, "cc_member_joined_time"),
        "queue_id": event.get("cc_queue"),
    }
    return said_only(fields) | common(event)


def _seconds(event: FreeswitchEvent, name: str) -> int | None:
    """A time that the module gives in seconds since the Unix epoch, in Gregorian seconds."""
    seconds = event.number(name)
    return clock.gregorian(seconds) if seconds else None


_TRANSLATORS: Final[Mapping[str, Callable[[FreeswitchEvent], Wording | None]]] = {
    **dict.fromkeys(NAMES, call_of),
    **dict.fromkeys(("sofia::register", "sofia::unregister", "sofia::expire"), _registered),
    **dict.fromkeys(
        (f"spandsp::{way}fax{step}" for way in ("rx", "tx") for step in ("negociateresult", "pageresult", "result")),
        fax_of,
    ),
    "valet_parking::info": valet_of,
    "conference::maintenance": _conference,
    "callcenter::info": _call_center,
    "PRESENCE_IN": _presence,
    "PRESENCE_PROBE": _subscribed,
    "MESSAGE_WAITING": _message_waiting,
}
