# SPDX-License-Identifier: MPL-2.0
"""What FreeSWITCH says of calls, in KAZOO's words.

Source: `ecallmgr_call_events.erl` (`generic_call_event_props`, `specific_call_event_props`), `ecallmgr_fs_channel.erl`
(`get_other_leg`); `mod_valet_parking.c`, `mod_spandsp_fax.c`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from crossbar import clock
from crossbar.documents.store import MICROSECONDS
from crossbar.errors import JSON
from crossbar.resources.ingest.domain.freeswitch_event import FreeswitchEvent
from crossbar.resources.ingest.domain.freeswitch_realms import REALMS
from crossbar.resources.system.domain.switch_event import CALL


class Wording(NamedTuple):
    """An event in KAZOO's words: its category and name, its body, and further facts that are no part of it."""

    category: str
    name: str
    fields: dict[str, JSON]
    about: dict[str, JSON] = {}


NAMES: Final = {
    "CHANNEL_CREATE": "CHANNEL_CREATE",
    "CHANNEL_ANSWER": "CHANNEL_ANSWER",
    "CHANNEL_BRIDGE": "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE": "CHANNEL_UNBRIDGE",
    "CHANNEL_HOLD": "CHANNEL_HOLD",
    "CHANNEL_UNHOLD": "CHANNEL_UNHOLD",
    "CHANNEL_PARK": "CHANNEL_UPDATE",
    "CHANNEL_UNPARK": "CHANNEL_UPDATE",
    "CHANNEL_DATA": "CHANNEL_UPDATE",
    "CHANNEL_ORIGINATE": "CHANNEL_UPDATE",
    "CHANNEL_PROGRESS": "CHANNEL_UPDATE",
    "CHANNEL_PROGRESS_MEDIA": "CHANNEL_UPDATE",
    "CALL_UPDATE": "CHANNEL_UPDATE",
    "CHANNEL_HANGUP": "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE": "CHANNEL_DESTROY",
    "CHANNEL_DESTROY": "CHANNEL_DESTROY",
}
"""FreeSWITCH's name of an event → KAZOO's; `CHANNEL_UPDATE` and `CHANNEL_HANGUP` change a channel and are no events."""
SLOTS: Final = (
    "valet_extension",
    "variable_parking_slot",
    "variable_ecallmgr_parking_slot",
    "variable_valet_lot_extension",
)
"""What may name the slot that a call is parked in."""
_PARKED: Final = {"CHANNEL_PARK": "PARK_PARKED", "CHANNEL_UNPARK": "PARK_RETRIEVED"}
_VALET: Final = {"hold": "PARK_PARKED", "bridge": "PARK_RETRIEVED", "exit": "PARK_LEFT"}
_FAX_STEPS: Final = {"negociateresult": "negotiate", "pageresult": "pagetransfer", "result": "transfer"}
_FAX: Final = (
    "fax_success", "fax_result_code", "fax_result_text", "fax_document_total_pages", "fax_document_transferred_pages",
    "fax_image_resolution", "fax_transfer_rate", "fax_remote_station_id", "fax_local_station_id", "fax_ecm_used",
    "fax_bad_rows",
)  # fmt: skip


def call_of(event: FreeswitchEvent) -> Wording | None:
    """What happened to a call."""
    name = NAMES[event.name]
    if event.name in _PARKED and event.get(*SLOTS):
        name = _PARKED[event.name]
    if not event.get("unique_id"):
        return None
    return _translation(event, name)


def valet_of(event: FreeswitchEvent) -> Wording | None:
    """What happened to a parked call."""
    name = _VALET.get(event.get("action"))
    if name is None or not event.get("unique_id") or not event.get(*SLOTS):
        return None
    return _translation(event, name)


def fax_of(event: FreeswitchEvent) -> Wording | None:
    """How far a fax has come."""
    kind = event.name.partition("::")[2]
    step = next((step for ending, step in _FAX_STEPS.items() if kind.endswith(ending)), "")
    call_id = event.get("unique_id", "uuid")
    if not call_id or not step:
        return None
    info = {name: said for name in _FAX if (said := event.get(f"variable_{name}", name))}
    fields: dict[str, JSON] = {
        "application_event": step,
        "call_id": call_id,
        "custom_channel_vars": event.channel_variables,
        "fax_id": event.channel_variables.get("fax_id", call_id),
        "fax_info": info,
        "fax_state": "receive" if kind.startswith("rx") else "send",
        "job_id": event.channel_variables.get("fax_job_id"),
        "status": info.get("fax_result_text", step),
    }
    return Wording("fax", "status", said_only(fields) | common(event))


def common(event: FreeswitchEvent) -> dict[str, JSON]:
    """What every event says of itself."""
    return {
        "app_name": "freeswitch",
        "media_server": event.host,
        "msg_id": str(event.at),
        "timestamp": clock.gregorian(event.at // MICROSECONDS),
    }


def said_only(fields: Mapping[str, JSON]) -> dict[str, JSON]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}


def realm_of(event: FreeswitchEvent) -> str:
    """The realm of a channel, as the switch knows it."""
    return event.get(*(f"variable_{name}" for name in REALMS))


def _translation(event: FreeswitchEvent, name: str) -> Wording:
    fields = _generic(event)
    if name in ("CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_DESTROY"):
        fields |= _addresses(event)
    if name == "CHANNEL_DESTROY":
        fields |= {
            "duration_seconds": event.number("variable_duration"),
            "billing_seconds": event.number("variable_billsec"),
            "ringing_seconds": event.number("variable_progresssec"),
            "user_agent": event.get("variable_sip_user_agent"),
        }
    if name.startswith("PARK_"):
        fields["parking_slot"] = event.get(*SLOTS)
    return Wording(CALL, name, said_only(fields) | common(event), said_only(_about(event)))


def _generic(event: FreeswitchEvent) -> dict[str, JSON]:
    return {
        "call_direction": event.get("call_direction", "variable_direction"),
        "call_id": event.get("unique_id"),
        "callee_id_name": event.get("variable_effective_callee_id_name", "caller_callee_id_name"),
        "callee_id_number": event.get("variable_effective_callee_id_number", "caller_callee_id_number"),
        "caller_id_name": event.get("variable_effective_caller_id_name", "caller_caller_id_name"),
        "caller_id_number": event.get("variable_effective_caller_id_number", "caller_caller_id_number"),
        "channel_call_state": event.get("channel_call_state"),
        "channel_created_time": event.number("caller_channel_created_time"),
        "channel_is_loopback": event.is_true("variable_is_loopback") or None,
        "channel_name": event.get("channel_name"),
        "channel_state": event.get("channel_state"),
        "custom_application_vars": event.application_variables,
        "custom_channel_vars": event.channel_variables,
        "disposition": event.get("variable_endpoint_disposition", "variable_originate_disposition"),
        "from_tag": event.get("variable_sip_from_tag"),
        "hangup_cause": event.get("hangup_cause", "variable_hangup_cause"),
        "hangup_code": event.get("variable_proto_specific_hangup_cause"),
        "other_leg_call_id": _other_leg(event),
        "other_leg_caller_id_name": event.get("other_leg_caller_id_name"),
        "other_leg_caller_id_number": event.get("other_leg_caller_id_number"),
        "other_leg_destination_number": event.get("other_leg_destination_number"),
        "other_leg_direction": event.get("other_leg_direction"),
        "presence_id": event.get("variable_presence_id", "channel_presence_id"),
        "switch_hostname": event.host,
        "switch_nodename": f"freeswitch@{event.host}",
        "to_tag": event.get("variable_sip_to_tag"),
    }


def _addresses(event: FreeswitchEvent) -> dict[str, JSON]:
    realm = realm_of(event)
    dialled = event.get("caller_destination_number")
    return {
        "from": event.get("variable_sip_from_uri"),
        "from_uri": event.get("variable_sip_from_uri"),
        "request": event.get("variable_sip_req_uri") or (f"{dialled}@{realm}" if dialled and realm else ""),
        "to": event.get("variable_sip_to_uri") or (f"{dialled}@{realm}" if dialled and realm else ""),
        "to_uri": event.get("variable_sip_to_uri"),
    }


def _about(event: FreeswitchEvent) -> dict[str, Any]:
    """What a channel has beside what its events say."""
    return {
        "answer_state": event.get("answer_state"),
        "bridge_id": event.get("variable_call_uuid", "channel_call_uuid"),
        "destination": event.get("caller_destination_number"),
        "realm": realm_of(event),
        "slot_presence_id": f"{event.get('valet_extension')}@{realm_of(event)}" if event.get("valet_extension") else "",
        "username": _username(event),
    }


def _username(event: FreeswitchEvent) -> str:
    """The SIP user name of the phone that a leg leads to."""
    if own := event.get("variable_user_name"):
        return own
    if event.get("call_direction", "variable_direction") == "inbound":
        return event.get("variable_sip_auth_username", "caller_username", "variable_sip_from_user")
    presence = event.get("variable_presence_id", "channel_presence_id").partition("@")[0]
    return event.get("variable_dialed_user") or presence


def _other_leg(event: FreeswitchEvent) -> str:
    own = event.get("unique_id")
    if other := event.get("other_leg_unique_id", "other_leg_call_id"):
        return other
    first, second = event.get("bridge_a_unique_id"), event.get("bridge_b_unique_id")
    if own in (first, second):
        return second if own == first else first
    bridge = event.get("variable_bridge_uuid", "variable_signal_bond")
    return bridge if bridge != own else ""
