# SPDX-License-Identifier: MPL-2.0
"""What happened in the example office within a month: calls by the hours of a week, and what they left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from crossbar import clock
from crossbar.care.demo_api import DemoRefused
from crossbar.care.demo_office import TIMEZONE, DemoOffice, Worker
from crossbar.care.demo_people import CUSTOMERS
from crossbar.care.demo_sounds import fax_page

DAYS: Final = 30
CALLS: Final = 2_500
"""Of two legs each."""
DAY_WEIGHTS: Final = (1.15, 1.05, 1.0, 1.0, 0.85, 0.12, 0.06)
"""Monday to Sunday."""
HOUR_WEIGHTS: Final = (
    0,
    0,
    0,
    0,
    0,
    0,
    0.02,
    0.1,
    0.5,
    1.0,
    1.2,
    1.1,
    0.6,
    0.8,
    1.1,
    1.0,
    0.8,
    0.4,
    0.15,
    0.06,
    0.03,
    0.02,
    0,
    0,
)
LEGS_AT_A_TIME: Final = 500
Record = dict[str, Any]
VOICEMAILS: Final = (
    "Hello, this is {name}. Please call me back about the invoice.",
    "Hi, {name} here. The delivery has arrived, thank you.",
    "Good morning, this is {name}. Can we move the meeting to Thursday?",
)


@dataclass(frozen=True, slots=True)
class DemoCall:
    """A call between somebody of the office and somebody outside, or two of the office."""

    number: int
    start: int
    """Gregorian seconds."""
    worker: Worker
    kind: str
    """`inbound`, `outbound` or `internal`."""
    other: str
    other_name: str
    ringing: int
    talking: int
    """Seconds; 0: nobody answered."""


def calls(office: DemoOffice, now: int) -> list[DemoCall]:
    """A month of calls until now, in their order."""
    chance, zone = office.chance, ZoneInfo(TIMEZONE)
    today = clock.moment(now).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(DAYS, -1, -1)]
    weights = [DAY_WEIGHTS[day.weekday()] for day in days]
    starts = sorted(_moment(chance, chance.choices(days, weights)[0]) for _ in range(CALLS + CALLS // 20))
    within = [start for start in starts if start < now - 900][-CALLS:]
    return [_call(office, chance, number, start) for number, start in enumerate(within)]


def _moment(chance: random.Random, day: datetime) -> int:
    hour = chance.choices(range(24), HOUR_WEIGHTS)[0]
    return clock.gregorian((day + timedelta(hours=hour, seconds=chance.randrange(3600))).timestamp())


def _call(office: DemoOffice, chance: random.Random, number: int, start: int) -> DemoCall:
    kind = chance.choices(("inbound", "outbound", "internal"), (5, 3, 2))[0]
    worker = chance.choice(office.workers)
    colleague = chance.choice([one for one in office.workers if one is not worker])
    answered = chance.random() < (0.82 if kind == "inbound" else 0.75)
    talking = int(chance.lognormvariate(4.6, 0.9)) + 5 if answered else 0
    other = colleague.extension if kind == "internal" else office.customer()
    other_name = colleague.name if kind == "internal" else CUSTOMERS[int(other[-2:]) % len(CUSTOMERS)]
    return DemoCall(number, start, worker, kind, other, other_name, chance.randint(3, 24), talking)


def legs(office: DemoOffice, call: DemoCall) -> Iterator[Record]:
    """Both legs of a call: the caller's and the callee's."""
    mine = (office.number(0) if call.kind != "internal" else call.worker.extension, call.worker.name)
    theirs = (call.other, call.other_name)
    (from_number, from_name), (to_number, to_name) = (theirs, mine) if call.kind == "inbound" else (mine, theirs)
    cause = "NORMAL_CLEARING" if call.talking else "NO_ANSWER"
    ids = (f"demo-{call.number:05}-a@{office.realm}", f"demo-{call.number:05}-b@{office.realm}")
    for at, direction in enumerate(("inbound", "outbound")):
        inside = (at == 1) == (call.kind == "inbound") or call.kind == "internal"
        variables: Record = {
            "account_id": office.account_id,
            "call_interaction_id": f"{call.start}-demo{call.number:05}",
        }
        if inside:
            variables |= {
                "owner_id": call.worker.user_id,
                "authorizing_id": call.worker.device_id,
                "authorizing_type": "device",
            }
        elif call.kind == "outbound":
            variables |= {"resource_id": "demo", "account_billing": "flat_rate"}
        else:
            variables |= {"account_billing": "allotment_did_us"}
        yield {
            "account_id": office.account_id,
            "call_id": ids[at],
            "other_leg_call_id": ids[1 - at],
            "call_direction": direction,
            "caller_id_number": from_number,
            "caller_id_name": from_name,
            "callee_id_number": to_number,
            "callee_id_name": to_name,
            "from": f"{from_number}@{office.realm}",
            "to": f"{to_number}@{office.realm}",
            "request": f"{to_number}@{office.realm}",
            "ringing_seconds": call.ringing,
            "billing_seconds": call.talking,
            "duration_seconds": call.ringing + call.talking,
            "hangup_cause": cause,
            "timestamp": call.start + call.ringing + call.talking,
            "channel_created_time": clock.unix(call.start) * 1_000_000 + at * 150_000,
            "interaction_id": f"{call.start}-demo{call.number:05}",
            "custom_channel_vars": variables,
        }


class DemoMonth:
    """Hands in what a switch would have handed in."""

    def __init__(self, office: DemoOffice, now: int) -> None:
        self._office = office
        self._now = now
        self.calls = calls(office, now)

    async def hand_in_calls(self) -> None:
        """The legs of all calls."""
        records = [leg for call in self.calls for leg in legs(self._office, call)]
        for start in range(0, len(records), LEGS_AT_A_TIME):
            await self._hand_in("cdrs", records[start : start + LEGS_AT_A_TIME])

    async def _hand_in(self, kind: str, records: list[Record]) -> None:
        body = b"\n".join(map(orjson.dumps, records))
        answer = await self._office.api.send_raw("POST", f"/ingest/{kind}", body, "application/x-ndjson")
        if answer["refused"]:
            raise DemoRefused(f"{kind}: {answer['refusals'][:1]}")

    async def hand_in_queue(self) -> None:
        """Calls of the support queue, and what its agents did."""
        office, chance = self._office, self._office.chance
        agents, stats, statuses = office.team("support"), list[Record](), list[Record]()
        recent = [call for call in self.calls if call.kind == "inbound"][-160:]
        for at, call in enumerate(recent[::2]):
            entered = call.start if at % 4 else self._now - 60 * (at + 5)
            stat: Record = {
                "call_id": f"queue-{call.number:05}",
                "queue_id": office.ids["queue"],
                "entered_timestamp": entered,
            }
            stat |= {"caller_id_number": call.other, "caller_id_name": call.other_name, "entered_position": 1}
            agent, waited = chance.choice(agents).user_id, chance.randint(5, 120)
            if chance.random() < 0.15:
                stat |= {
                    "status": "abandoned",
                    "abandoned_timestamp": entered + waited,
                    "abandoned_reason": "member_hangup",
                }
            else:
                stat |= {"status": "processed", "agent_id": agent, "handled_timestamp": entered + waited}
                stat |= {"processed_timestamp": entered + waited + max(call.talking, 30)}
            stats.append({"account_id": office.account_id, **stat})
        for member in agents:
            for name, ago in (
                ("logged_in", 3600),
                ("ready", 3500),
                ("connected", 900),
                ("wrapup", 600),
                ("ready", 500),
            ):
                status = {"agent_id": member.user_id, "status": name, "timestamp": self._now - ago}
                statuses.append({"account_id": office.account_id, **status})
        await self._hand_in("call_stats", stats)
        await self._hand_in("agent_statuses", statuses)

    async def hand_in_messages(self) -> None:
        """Short messages, and what a phone said to the switch."""
        office = self._office
        texts = ("Your table is ready.", "Running ten minutes late.", "Thank you, received.", "Call me when you can?")
        sms: list[Record] = []
        for at, call in enumerate(self.calls[-12:]):
            direction = "inbound" if at % 2 else "outbound"
            ends = (call.other, office.number(0)) if at % 2 else (office.number(0), call.other)
            about = {
                "message_id": f"sms-{at}",
                "direction": direction,
                "from": ends[0],
                "to": ends[1],
                "body": texts[at % 4],
            }
            sms.append(
                {"account_id": office.account_id, **about, "timestamp": call.start, "owner_id": call.worker.user_id}
            )
        await self._hand_in("sms", sms)
        call = self.calls[-1]
        raw = (
            f"INVITE sip:{call.other}@{office.realm} SIP/2.0\r\nCall-ID: demo-{call.number:05}-a@{office.realm}\r\n\r\n"
        )
        message = {
            "call_id": f"demo-{call.number:05}-a@{office.realm}",
            "timestamp": call.start,
            "raw": raw,
            "host": "switch",
        }
        between = {"src": "192.0.2.10:5060", "dst": "192.0.2.20:5060"}
        await self._hand_in("sip_messages", [{"account_id": office.account_id, **message, **between}])

    async def hand_in_files(self) -> None:
        """Voicemail, recordings and faxes."""
        office = self._office
        missed = [call for call in self.calls if call.kind == "inbound" and not call.talking][-18:]
        for at, call in enumerate(missed):
            sound = await office.sounds.spoken(VOICEMAILS[at % 3].format(name=call.other_name))
            about = {"call_id": f"voicemail-{call.number}", "vmbox_id": call.worker.vmbox_id, "timestamp": call.start}
            about |= {"caller_id_number": call.other, "caller_id_name": call.other_name, "length": len(sound) // 16}
            about["folder"] = "saved" if at % 3 == 0 else "new"
            await self._hand_in_file("voicemails", about, sound, "audio/wav")
        for call in [call for call in self.calls if call.talking][-6:]:
            sound = await office.sounds.spoken("This call is recorded. Thank you for calling the demo office.")
            about = {
                "call_id": f"demo-{call.number:05}-a@{office.realm}",
                "name": f"call-{call.number}.wav",
                "start": call.start,
            }
            about |= {"caller_id_number": call.other, "owner_id": call.worker.user_id, "duration": call.talking}
            about |= {
                "direction": "inbound",
                "media_type": "wav",
                "interaction_id": f"{call.start}-demo{call.number:05}",
            }
            await self._hand_in_file("recordings", about, sound, "audio/wav")
        for at, call in enumerate(self.calls[-8:]):
            page = fax_page("Demo Office", f"Order {1000 + at}", "Twelve boxes of paper", call.other_name)
            ends = (call.other, office.number(1)) if at % 2 else (office.number(1), call.other)
            about = {"folder": "inbox" if at % 2 else "outbox", "call_id": f"fax-{at}", "timestamp": call.start}
            about |= {"from_number": ends[0], "to_number": ends[1], "faxbox_id": office.ids["faxbox"]}
            result = {"success": True, "pages_sent": 1, "time_elapsed": 34, "fax_speed": 14400}
            await self._hand_in_file("faxes", {**about, "tx_result": result}, page, "image/tiff")

    async def _hand_in_file(self, kind: str, about: Record, contents: bytes, content_type: str) -> None:
        data = {"account_id": self._office.account_id, **about}
        await self._office.api.send_file(f"/ingest/{kind}", data, contents, content_type)
