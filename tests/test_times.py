# SPDX-License-Identifier: MPL-2.0
"""Whatever a client sends for a time, in a body or in a query: the server refuses it by field or bears it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from crossbar import clock
from crossbar.resources.calls.media.domain.local_time import file_time, local_time
from crossbar.resources.records.domain.cdr_row import datetime_text, moment
from tests.harness import Answer, Tenant, send_parts

TIME: Final = 63_962_997_928
GOOD: Final = (TIME, str(TIME), float(TIME))
BAD: Final[tuple[Any, ...]] = (
    *(-1, 0, 1, "12", 1.5, 315_569_520_000, -(10**15), 2**63 - 1, -(2**63), 2**64, 10**30, -(10**30), 10**400),
    *("soon", "", "NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "٦٣٩٦٢٩٩٧٩٢٨", True, [], {}, [TIME], 1e308),
    *(-1e308, 5e-324, {"a": 1}),
)
LEG: Final = {"call_id": "call-1", "call_direction": "inbound", "duration_seconds": 5}
KINDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "voicemails": ("timestamp", {"mailbox": "1001"}),
    "recordings": ("start", {"name": "a recording"}),
    "faxes": ("timestamp", {"from_number": "+14155550100", "to_number": "+14155550101"}),
    "cdrs": ("timestamp", LEG),
    "call_stats": ("entered_timestamp", {"call_id": "call-1", "queue_id": "q", "status": "waiting"}),
    "agent_statuses": ("timestamp", {"agent_id": "ann", "status": "ready"}),
    "call_events": ("timestamp", {"call_id": "call-1", "event_name": "CHANNEL_CREATE"}),
    "sms": ("timestamp", {"message_id": "m", "from": "1", "to": "2", "direction": "inbound"}),
    "sip_messages": ("timestamp", {"call_id": "call-1", "src": "a:1", "dst": "b:1", "raw": "INVITE sip:a@b SIP/2.0"}),
}
"""What a switch hands in: the field of its time, and what it needs besides."""


def body(data: Any) -> bytes:
    """An envelope with whole numbers of any size, which only the standard library writes."""
    return json.dumps({"data": data}).encode()


@pytest_asyncio.fixture(loop_scope="session")
async def passing(tenant: Tenant, master: Tenant) -> AsyncIterator[Tenant]:
    """An account whose strange old records go with it: other tests count what is old in all accounts."""
    yield tenant
    assert (await master.root.delete(f"/accounts/{tenant.id}")).status == 200


async def box_of(tenant: Tenant) -> str:
    made = await tenant.api.put("/vmboxes", {"name": "box", "mailbox": "1001"})
    assert made.status == 201, made.envelope
    return made.id


def refused_by_field(answer: Answer, field: str) -> None:
    """400 with an error on the field; a number that fits nowhere is refused with the whole body."""
    assert (answer.status, answer.envelope["message"]) == (400, "validation error"), answer.envelope
    assert answer.data.keys() in ({field}, {"json"}), answer.data


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_handed_in_has_a_time_of_the_calendar(tenant: Tenant, master: Tenant, kind: str) -> None:
    field, rest = KINDS[kind]
    await box_of(tenant)
    for value in BAD:
        data = {**rest, "account_id": tenant.id, field: value}
        refused_by_field(await master.root.post(f"/ingest/{kind}", body=body(data)), field)
    for number, value in enumerate(GOOD):
        data = {**rest, "account_id": tenant.id, field: value, "call_id": f"call-{number}"}
        taken = await master.root.post(f"/ingest/{kind}", data)
        assert taken.status == 200, taken.envelope


async def test_a_voicemail_message_has_a_time_of_the_calendar(tenant: Tenant) -> None:
    path = f"/vmboxes/{await box_of(tenant)}/messages"
    for value in BAD:
        refused_by_field(await tenant.api.put(path, body=body({"timestamp": value})), "timestamp")
    refused_by_field(await send_parts(tenant.api, "PUT", path, {"timestamp": -1}, (b"ID3", "audio/mpeg")), "timestamp")
    assert (await tenant.api.get(path)).data == []
    for value in GOOD:
        made = await tenant.api.put(path, {"timestamp": value})
        assert (made.status, made.data["metadata"]["timestamp"]) == (201, TIME)


@pytest.mark.parametrize("field", ["end_epoch", "start_uepoch", "duration", "billsec", "progresssec"])
async def test_a_switch_reports_any_time(passing: Tenant, master: Tenant, field: str) -> None:
    for value in BAD:
        text = value if isinstance(value, str) else body(value).decode()
        variables = {"uuid": "leg", "direction": "inbound", "ecallmgr_Account-ID": passing.id, field: text}
        for about in (
            {"variables": variables},
            {"variables": variables, "callflow": [{"times": {"created_time": value}}]},
        ):
            answer = await master.root.post("/hooks/freeswitch/cdr", body=body(about)[9:-1])
            assert answer.status in (200, 400), (value, answer.envelope)


QUERIES: Final = (
    *("/cdrs", "/cdrs/interaction", "/cdrs/summary", "/recordings", "/faxes/inbox", "/sms", "/vmboxes/messages"),
    *("/services/audit", "/services/audit/summary", "/services/audit_summary", "/queues/stats", "/agents/stats"),
    *("/devices", "/users", "/agents/status", "/webhooks/attempts", "/notifications/smtplog", "/security/attempts"),
    *("/call_inspector", "/acdc_call_stats", "/clicktocall", "/tasks", "/alerts", "/user_auth"),
)
PARAMETERS: Final = (
    *("created_from", "created_to", "modified_from", "modified_to", "start_range", "end_range", "utc_offset"),
    *("start_key", "end_key", "page_size", "limit"),
)


def texts() -> Iterator[str]:
    yield from (value if isinstance(value, str) else body(value)[9:-1].decode() for value in BAD)


@pytest.mark.parametrize("path", QUERIES)
async def test_a_query_asks_for_any_time(tenant: Tenant, master: Tenant, path: str) -> None:
    await master.root.post("/ingest/cdrs", {**LEG, "account_id": tenant.id, "timestamp": clock.now()})
    together = ("created_from", "created_to", "start_range", "end_range")
    for parameters in (*((parameter,) for parameter in PARAMETERS), together):
        queries = [dict.fromkeys(parameters, text) for text in texts()]
        answers = await asyncio.gather(*(tenant.api.get(path, query=query) for query in queries))
        for query, answer in zip(queries, answers, strict=True):
            assert answer.status < 500, (query, answer.envelope)


@pytest.mark.parametrize(
    ("path", "field"), [("/cdrs", "utc_offset"), ("/queues/stats", "start_range"), ("/agents/stats", "end_range")]
)
async def test_a_query_is_refused_by_field(tenant: Tenant, path: str, field: str) -> None:
    for text in ("1000000000000000", "-1000000000000000", "9" * 18):
        refused = await tenant.api.get(path, query={field: text})
        assert (refused.status, list(refused.data)) == (400, [field]), refused.envelope


async def test_an_offset_is_added_to_times_at_the_end_of_the_calendar(passing: Tenant, master: Tenant) -> None:
    for number, timestamp in enumerate((63_000_000_000, 99_999_999_999)):
        data = {**LEG, "call_id": f"leg-{number}", "account_id": passing.id, "timestamp": timestamp}
        assert (await master.root.post("/ingest/cdrs", data)).status == 200
        for offset in (86_400, -86_400):
            query = {"created_from": timestamp, "created_to": timestamp, "utc_offset": offset}
            found = await passing.api.get("/cdrs", query=query)
            assert found.data[0]["datetime"] == datetime_text(timestamp - 5 + offset)


@pytest.mark.parametrize("value", BAD)
async def test_other_places_of_times(tenant: Tenant, master: Tenant, value: Any) -> None:
    rule = {"name": "r", "start_date": value, "time_window_start": value}
    alert = {"title": "t", "message": "m", "from": [], "to": [], "expiration_date": value}
    sent = [
        await tenant.api.put("/temporal_rules", body=body(rule)),
        await master.api.put("/alerts", body=body(alert)),
        await tenant.api.put("/faxes", body=body({"to_number": "1", "from_number": "2", "timestamp": value})),
        await tenant.api.post(f"/agents/{tenant.admin_id}/status", body=body({"status": "pause", "timeout": value})),
    ]
    for answer in sent:
        assert answer.status < 500, answer.envelope
    for path in ("/temporal_rules", "/alerts", "/agents/status"):
        assert (await tenant.api.get(path)).status == 200


@given(st.integers() | st.sampled_from((0, -(2**63), 2**63, clock.GREGORIAN_OFFSET, 10**30)))
def test_every_number_has_a_date(seconds: int) -> None:
    assert len(clock.year_month(seconds)) == 6
    assert datetime.fromisoformat(datetime_text(seconds).replace("_", "T"))
    assert all(moment(seconds))
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "America", "", None, ["x"], "No/Where", "../x"):
        assert len(file_time(local_time(seconds, zone))) == 19


def test_dates_in_the_calendar_are_their_own() -> None:
    assert clock.year_month(TIME) == "202611"
    assert moment(TIME).rfc_1036 == "Fri, 27 Nov 2026 11:25:28 GMT"
    assert moment(TIME).iso_8601_combined == "2026-11-27T11:25:28Z"
    assert orjson.loads(orjson.dumps(moment(TIME).unix)) == str(TIME - clock.GREGORIAN_OFFSET)
