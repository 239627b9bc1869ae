# SPDX-License-Identifier: MPL-2.0
"""A FreeSWITCH that tells of a call, as the JSON form of its event socket has it; cut down to what matters."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson

from crossbar import clock
from crossbar.documents.listing import Listing
from tests.harness import Answer, Api, RunningServer, Tenant

MICROSECONDS = 1_000_000
Said = dict[str, Any]


@dataclass
class FreeSwitch:
    """A switch of an account's realm; each event is a hundred milliseconds after the last."""

    realm: str
    host: str = field(default_factory=lambda: f"fs-{uuid.uuid4().hex[:8]}.test")
    core: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=lambda: clock.unix_now() - 30)

    def __post_init__(self) -> None:
        self._sequence = itertools.count(1)

    def says(self, name: str, **headers: Any) -> Said:
        """An event; `Unique_ID` stands for the header `Unique-ID`."""
        sequence = next(self._sequence)
        at = int(self.began * MICROSECONDS) + sequence * MICROSECONDS // 10
        return {
            "Event-Name": name,
            "Core-UUID": self.core,
            "FreeSWITCH-Hostname": self.host,
            "FreeSWITCH-Switchname": self.host,
            "FreeSWITCH-IPv4": "10.0.0.1",
            "Event-Date-Timestamp": str(at),
            "Event-Sequence": str(sequence),
            **{key if key.startswith("variable_") else key.replace("_", "-"): value for key, value in headers.items()},
        }

    def custom(self, subclass: str, **headers: Any) -> Said:
        """A custom event."""
        return self.says("CUSTOM", Event_Subclass=subclass, **headers)

    def leg(self, name: str, call_id: str, direction: str, user: str, **headers: Any) -> Said:
        """An event of one leg of a call from 1000 to 2000."""
        other = {"inbound": "2000", "outbound": "1000"}[direction]
        return self.says(
            name,
            Unique_ID=call_id,
            Call_Direction=direction,
            Channel_Name=f"sofia/internal/{user}@{self.realm}",
            Answer_State=headers.pop("answer_state", "answered"),
            Caller_Username=user,
            Caller_Caller_ID_Name="Müller, Jörg",
            Caller_Caller_ID_Number="1000",
            Caller_Callee_ID_Number="2000",
            Caller_Destination_Number="2000",
            Caller_Channel_Created_Time=str(int(self.began * MICROSECONDS)),
            variable_user_name=user,
            variable_domain_name=self.realm,
            variable_presence_id=f"{user}@{self.realm}",
            variable_sip_from_uri=f"1000@{self.realm}",
            variable_sip_to_uri=f"2000@{self.realm}",
            variable_sip_req_uri=f"{other}@{self.realm}",
            **headers,
        )

    def call(self, a_leg: str, b_leg: str) -> list[Said]:
        """The life of a call: created, ringing, answered, bridged, held and taken back, ended by the caller."""
        a, b = (a_leg, "inbound", "1000"), (b_leg, "outbound", "2000")
        shared = {"variable_call_uuid": a_leg}
        ended = {"Hangup_Cause": "NORMAL_CLEARING", "answer_state": "hangup"}
        billed = {"variable_duration": "42", "variable_billsec": "37", "variable_progresssec": "5"}
        return [
            self.leg("CHANNEL_CREATE", *a, answer_state="ringing", **shared),
            self.leg("CHANNEL_CREATE", *b, answer_state="ringing", Other_Leg_Unique_ID=a_leg, **shared),
            self.leg("CHANNEL_PROGRESS", *b, answer_state="ringing", Other_Leg_Unique_ID=a_leg, **shared),
            self.leg("CHANNEL_ANSWER", *b, Other_Leg_Unique_ID=a_leg, **shared),
            self.leg("CHANNEL_ANSWER", *a, **shared),
            self.leg("CHANNEL_BRIDGE", *a, Other_Leg_Unique_ID=b_leg, Bridge_A_Unique_ID=a_leg,
                     Bridge_B_Unique_ID=b_leg, Other_Leg_Destination_Number="2000", **shared),
            self.leg("CHANNEL_HOLD", *b, **shared),
            self.leg("CHANNEL_UNHOLD", *b, **shared),
            self.leg("CHANNEL_HANGUP", *a, **ended, **shared),
            self.leg("CHANNEL_UNBRIDGE", *a, Bridge_A_Unique_ID=a_leg, Bridge_B_Unique_ID=b_leg, **ended, **shared),
            self.leg("CHANNEL_HANGUP", *b, **ended, **shared),
            self.leg("CHANNEL_HANGUP_COMPLETE", *a, **ended, **billed, **shared),
            self.leg("CHANNEL_DESTROY", *a, **ended, **billed, **shared),
            self.leg("CHANNEL_HANGUP_COMPLETE", *b, **ended, **billed, **shared),
            self.leg("CHANNEL_DESTROY", *b, **ended, **billed, **shared),
        ]  # fmt: skip

    def registers(self, user: str, call_id: str, *, expires: int = 300, **headers: Any) -> Said:
        """A phone registers."""
        return self.custom(
            "sofia::register",
            profile_name="internal",
            from_user=user,
            from_host=self.realm,
            contact=f'"{user}" <sip:{user}@192.168.1.20:5062;transport=tls>',
            call_id=call_id,
            rpid="unknown",
            status="Registered(TLS)",
            expires=str(expires),
            to_user=user,
            to_host=self.realm,
            network_ip="203.0.113.7",
            network_port="40123",
            username=user,
            realm=self.realm,
            user_agent="Yealink SIP-T46S 66.84.0.15",
            **headers,
        )


CREATED, RINGING, PROGRESS, B_ANSWERED, ANSWERED, BRIDGED, HELD, TAKEN_BACK, HUNG_UP = range(9)
"""Places in `FreeSwitch.call`."""


async def ingest_token(tenant: Tenant) -> Api:
    """The API as the switch of an account speaks with it."""
    created = await tenant.api.put("/ingest_tokens", {"name": "switch"})
    assert created.status == 201, created.envelope
    return tenant.root.acting(str(created.data["token"]))


async def post(switch: Api, *events: Said) -> Answer:
    """Hand in events, one as it is, several as an array."""
    body = orjson.dumps(events[0] if len(events) == 1 else list(events))
    answer = await switch.request("POST", "/hooks/freeswitch/event", body=body)
    assert answer.status == 200, answer.envelope
    return answer


async def raised(server: RunningServer, tenant: Tenant, category: str = "call_event") -> list[dict[str, Any]]:
    """The events of a category that an account has had, in the order of their time."""
    found = await server.runtime.store.all(Listing(tenant.id, "call_event"))
    events = [event.public for event in found if event.fields["event_category"] == category]
    return sorted(events, key=lambda event: int(event.get("msg_id", 0)))
