# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/cdrs`."""

from __future__ import annotations

import csv
from io import StringIO

from crossbar.resources.records.domain.cdr_row import COLUMNS, call_cost
from tests.call_records import RANGE, START, given, leg
from tests.harness import Answer, RunningServer, Tenant

PLAIN_COLUMNS = [*COLUMNS]


def rows_of(sheet: Answer) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(sheet.raw.decode(), newline="")))


async def test_a_leg_is_listed_in_flat_columns(server: RunningServer, tenant: Tenant) -> None:
    variables = {"owner_id": "u" * 32, "authorizing_id": tenant.id, "account_billing": "per_minute", "rate": "300"}
    record = leg(tenant.id, 0, custom_channel_vars=variables, other_leg_call_id="other")
    await given(server, "cdrs", record)

    listed = await tenant.api.get("/cdrs", query=RANGE)
    assert (listed.status, listed.envelope["page_size"]) == (200, 1)
    assert listed.data == [
        {
            "id": "202403-call-0",
            "call_id": "call-0",
            "caller_id_number": "+14155550000",
            "caller_id_name": "Doe, Jane",
            "callee_id_number": "1000",
            "callee_id_name": "",
            "duration_seconds": 30,
            "billing_seconds": 20,
            "timestamp": str(START),
            "hangup_cause": "NORMAL_CLEARING",
            "other_leg_call_id": "other",
            "owner_id": "u" * 32,
            "to": "1000@pbx.test",
            "from": "+14155550000@pbx.test",
            "direction": "inbound",
            "request": "1000@pbx.test",
            "authorizing_id": "",
            "cost": "300",
            "dialed_number": "1000",
            "calling_from": "+14155550000",
            "datetime": "2024-03-05_10:00:00",
            "unix_timestamp": "1709632800",
            "unix_timestamp_micro": "1709632800.25",
            "rfc_1036": "Tue, 05 Mar 2024 10:00:00 GMT",
            "iso_8601": "2024-03-05",
            "iso_8601_combined": "2024-03-05T10:00:00Z",
            "call_type": "per_minute",
            "rate": "0.03",
            "rate_name": "",
            "bridge_id": "",
            "recording_url": "",
            "media_recordings": [],
            "media_server": "",
            "call_priority": "",
            "interaction_id": f"{START}-int0",
        }
    ]
    assert list(listed.data[0]) == PLAIN_COLUMNS

    read = await tenant.api.get("/cdrs/202403-call-0")
    assert (read.status, read.data) == (
        200,
        {
            **record,
            "id": "202403-call-0",
            "custom_channel_vars": {"account_id": tenant.id, **variables},
            "interaction_time": START,
            "interaction_key": "int0",
        },
    )


async def test_pages_are_newest_first_and_stay_full_with_filters(server: RunningServer, tenant: Tenant) -> None:
    legs = [leg(tenant.id, n, hangup_cause="USER_BUSY" if n % 3 == 0 else "NORMAL_CLEARING") for n in range(9)]
    await given(server, "cdrs", *legs)

    first = await tenant.api.get("/cdrs", query={**RANGE, "page_size": 2, "filter_hangup_cause": "USER_BUSY"})
    assert [row["call_id"] for row in first.data] == ["call-6", "call-3"]
    rest = await tenant.api.get(
        "/cdrs",
        query={
            **RANGE,
            "page_size": 2,
            "filter_hangup_cause": "USER_BUSY",
            "start_key": first.envelope["next_start_key"],
        },
    )
    assert [row["call_id"] for row in rest.data] == ["call-0"]
    assert "next_start_key" not in rest.envelope

    # A filter without an index, one that is a list, a negated one, and a call id with its month.
    for query, calls in (
        ({"filter_callee_id_number": "1000", "filter_to": "1000@pbx.test", "page_size": 1}, ["call-8"]),
        ({"filter_call_id": '["call-1","call-4"]'}, ["call-4", "call-1"]),
        ({"filter_not_hangup_cause": "NORMAL_CLEARING"}, ["call-6", "call-3", "call-0"]),
        ({"filter_call_id": "202403-call-5"}, ["call-5"]),
        ({"filter_call_id": "nothing"}, []),
        ({"ascending": "true", "page_size": 2}, ["call-0", "call-1"]),
    ):
        answer = await tenant.api.get("/cdrs", query={**RANGE, **query})
        assert [row["call_id"] for row in answer.data] == calls, query


async def test_a_user_sees_its_own_calls(server: RunningServer, tenant: Tenant) -> None:
    owner = {"owner_id": tenant.admin_id}
    await given(server, "cdrs", leg(tenant.id, 1, custom_channel_vars=owner), leg(tenant.id, 2))

    for path in ("/cdrs", "/cdrs/interaction"):
        listed = await tenant.api.get(f"/users/{tenant.admin_id}{path}", query=RANGE)
        assert [row["call_id"] for row in listed.data] == ["call-1"]
    missing = await tenant.api.get(f"/users/{'f' * 32}/cdrs", query=RANGE)
    assert missing.error()[:3] == (404, "404", "bad_identifier")


async def test_an_interaction_shows_the_leg_that_began_first(server: RunningServer, tenant: Tenant) -> None:
    interaction = f"{START}-abc"
    a_leg = leg(tenant.id, 0, interaction_id=interaction)
    b_leg = leg(tenant.id, 1, interaction_id=interaction, custom_channel_vars={"owner_id": tenant.admin_id})
    other = leg(tenant.id, 2)
    # The leg that began first ends, and comes, last; it comes twice.
    await given(server, "cdrs", b_leg, other)
    await given(server, "cdrs", a_leg)
    again = await server.master.root.post("/ingest/cdrs", a_leg)
    assert again.data == {"id": "202403-call-0", "account_id": tenant.id, "new": False}

    listed = await tenant.api.get("/cdrs/interaction", query=RANGE)
    assert [row["call_id"] for row in listed.data] == ["call-2", "call-0"]
    assert list(listed.data[0]) == PLAIN_COLUMNS
    of_user = await tenant.api.get(f"/users/{tenant.admin_id}/cdrs/interaction", query=RANGE)
    assert [row["call_id"] for row in of_user.data] == ["call-1"]

    page = await tenant.api.get("/cdrs/interaction", query={**RANGE, "page_size": 1})
    assert [row["call_id"] for row in page.data] == ["call-2"]
    last = await tenant.api.get(
        "/cdrs/interaction", query={**RANGE, "page_size": 1, "start_key": page.envelope["next_start_key"]}
    )
    assert ([row["call_id"] for row in last.data], "next_start_key" in last.envelope) == (["call-0"], False)
    filtered = await tenant.api.get("/cdrs/interaction", query={**RANGE, "filter_caller_id_number": "+14155550000"})
    assert [row["call_id"] for row in filtered.data] == ["call-0"]

    for leg_id in (interaction, "202403-call-1"):
        legs = await tenant.api.get(f"/cdrs/legs/{leg_id}")
        assert [found["call_id"] for found in legs.data] == ["call-0", "call-1"]
        assert legs.data[0]["channel_created_time"] == a_leg["channel_created_time"]


async def test_unknown_ids(tenant: Tenant) -> None:
    for path, expected in (
        ("/cdrs/nonsense", (404, "404", "could not find cdr with supplied id", {})),
        ("/cdrs/202403-none", (404, "404", "bad_identifier", {"message": "bad identifier", "cause": "202403-none"})),
        ("/cdrs/legs/202403-none", (404, "404", "could not find legs for supplied id", {})),
        ("/cdrs/legs/nonsense", (404, "404", "bad identifier", ["nonsense"])),
    ):
        assert (await tenant.api.get(path)).error() == expected
    assert (await tenant.api.get(f"/cdrs/legs/{START}-none")).data == []


async def test_ranges_and_offsets(server: RunningServer, tenant: Tenant) -> None:
    await given(server, "cdrs", leg(tenant.id, 0))
    assert (await tenant.api.get("/cdrs")).data == []
    too_long = await tenant.api.get("/cdrs", query={"created_from": START, "created_to": START + 2_682_001})
    text = f"created_to {START + 2_682_001} is more than 2682000 seconds from created_from {START}"
    assert too_long.invalid() == {"created_from": {"date_range": {"message": text, "cause": START + 2_682_001}}}
    shifted = await tenant.api.get("/cdrs", query={**RANGE, "utc_offset": "-3600"})
    assert shifted.data[0]["datetime"] == "2024-03-05_09:00:00"
    assert shifted.data[0]["rfc_1036"] == "Tue, 05 Mar 2024 10:00:00 GMT"
    refused = await tenant.api.get("/cdrs", query={"utc_offset": "west"})
    assert refused.error() == (404, "404", "utc_offset must be a number", {})
    chunks = await tenant.api.get("/cdrs/interaction", query={"chunk_size": "51"})
    assert chunks.error()[:3] == (404, "404", "faulty_request")


async def test_a_sheet_has_every_row_of_the_range(server: RunningServer, tenant: Tenant) -> None:
    await given(server, "cdrs", *(leg(tenant.id, n) for n in range(60)))

    sheet = await tenant.api.get("/cdrs", query={**RANGE, "accept": "csv"})
    assert (sheet.status, sheet.headers["Content-Type"]) == (200, "text/csv")
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="result.csv"'
    lines = sheet.raw.split(b"\r\n")
    assert lines[0].decode() == ",".join(PLAIN_COLUMNS)
    rows = rows_of(sheet)
    assert [row["call_id"] for row in rows] == [f"call-{n}" for n in reversed(range(60))]
    assert (rows[0]["caller_id_name"], rows[0]["media_recordings"]) == ("Doe, Jane", "")

    named = await tenant.api.get(
        "/cdrs/interaction",
        query={**RANGE, "page_size": 3, "file_name": "calls.csv"},
        headers={"Accept": "text/csv"},
    )
    assert named.headers["Content-Disposition"] == 'attachment; filename="calls.csv"'
    assert [row["call_id"] for row in rows_of(named)] == ["call-59", "call-58", "call-57"]

    empty = await tenant.api.get("/cdrs", query={"accept": "csv"})
    assert (empty.status, empty.raw) == (204, b"")


async def test_a_long_list_is_streamed_as_an_ordinary_envelope(server: RunningServer, tenant: Tenant) -> None:
    count = 1100
    await given(server, "cdrs", *(leg(tenant.id, n % 60, call_id=f"c{n:04}") for n in range(count)))
    for path in ("/cdrs", "/cdrs/interaction"):
        short = await tenant.api.get(path, query={**RANGE, "paginate": "false", "filter_call_id": "c0007"})
        expected = {"data", "status", "revision", "auth_token", "request_id", "node", "version", "timestamp", "tokens"}
        assert set(short.envelope) == expected
    whole = await tenant.api.get("/cdrs", query={**RANGE, "paginate": "false"})
    assert whole.headers["Transfer-Encoding"] == "chunked"
    assert (whole.envelope["status"], set(whole.envelope)) == ("success", expected)
    assert len({row["id"] for row in whole.data}) == count
    ends = [int(row["timestamp"]) for row in whole.data]
    assert ends == sorted(ends, reverse=True)

    pretty = await tenant.api.get("/cdrs", query={**RANGE, "paginate": "false", "pretty_print": "true"})
    assert (len(pretty.data), pretty.raw[:4]) == (count, b"{\n  ")


async def test_resellers_see_what_they_are_charged(server: RunningServer, tenant: Tenant) -> None:
    variables = {"reseller_billing": "per_minute", "rate": 100, "rate_increment": "30", "rate_minimum": "30"}
    await given(server, "cdrs", leg(tenant.id, 0, billing_seconds=61, custom_channel_vars=variables))
    listed = await server.master.root.get(f"/accounts/{tenant.id}/cdrs", query=RANGE)
    assert (listed.data[0]["reseller_cost"], listed.data[0]["reseller_call_type"]) == ("150", "per_minute")
    assert listed.data[0]["cost"] == "0"
    sheet = await server.master.root.get(f"/accounts/{tenant.id}/cdrs/interaction", query={**RANGE, "accept": "csv"})
    assert list(rows_of(sheet)[0]) == [*PLAIN_COLUMNS, "reseller_cost", "reseller_call_type"]


def test_cost_of_a_call() -> None:
    rating = {"rate": "300", "rate_increment": "6", "rate_minimum": "60", "surcharge": "50", "rate_nocharge_time": "5"}
    assert call_cost(0, rating) == 0
    assert call_cost(5, rating) == 0
    assert call_cost(6, rating) == 350
    assert call_cost(61, rating) == 380
    assert call_cost(61, {**rating, "discount_percentage": "50"}) == 190


async def test_summary_adds_billing_seconds(server: RunningServer, tenant: Tenant) -> None:
    carrier = {"resource_id": "r1", "rate_name": "intl"}
    outbound = {"call_direction": "outbound", "to": "+442071838750@acme.test", "custom_channel_vars": carrier}
    await given(
        server,
        "cdrs",
        leg(tenant.id, 0, to="+14158867900@pbx.test"),
        leg(tenant.id, 1, to="+18005551234@pbx.test"),
        leg(tenant.id, 2, **outbound),
        leg(tenant.id, 3, **outbound),
        leg(tenant.id, 4, custom_channel_vars={"authorizing_id": "d" * 32}),
        leg(tenant.id, 5, call_direction="outbound"),
        leg(tenant.id, 6, channel_name="loopback/1000-a"),
    )
    summary = await tenant.api.get("/cdrs/summary", query=RANGE)
    assert summary.data == {
        "inbound": {"pbx.test": {"did_us": {"total": 20}, "tollfree_us": {"total": 20}}},
        "outbound": {"acme.test": {"international": {"total": 40, "intl": 40}}},
    }
    assert (await tenant.api.get("/cdrs/summary")).data == {"inbound": {}, "outbound": {}}
