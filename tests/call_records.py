# SPDX-License-Identifier: MPL-2.0
"""Records of calls for tests: handed in as a switch hands them in."""

from __future__ import annotations

from typing import Any

import orjson

from tests.harness import Answer, Api, RunningServer

START = 63_876_852_000
"""2024-03-05 10:00:00 UTC, in Gregorian seconds."""
RANGE = {"created_from": START - 86_400, "created_to": START + 86_400}


def leg(account_id: str, number: int, **fields: Any) -> dict[str, Any]:
    """The CDR of one leg that began `number` minutes after `START` and lasted 30 seconds."""
    begun = START + number * 60
    variables = {"account_id": account_id, **fields.pop("custom_channel_vars", {})}
    return {
        "call_id": f"call-{number}",
        "call_direction": "inbound",
        "caller_id_name": "Doe, Jane",
        "caller_id_number": f"+1415555{number:04}",
        "callee_id_number": "1000",
        "duration_seconds": 30,
        "billing_seconds": 20,
        "timestamp": begun + 30,
        "from": f"+1415555{number:04}@pbx.test",
        "to": "1000@pbx.test",
        "request": "1000@pbx.test",
        "hangup_cause": "NORMAL_CLEARING",
        "channel_created_time": (begun - 62_167_219_200) * 1_000_000 + 250_000,
        "interaction_id": f"{begun}-int{number}",
        "custom_channel_vars": variables,
        **fields,
    }


async def hand_in(api: Api, kind: str, *records: dict[str, Any]) -> Answer:
    """A batch, one JSON document a line."""
    body = b"\n".join(map(orjson.dumps, records))
    return await api.request("POST", f"/ingest/{kind}", body=body, content_type="application/x-ndjson")


async def given(server: RunningServer, kind: str, *records: dict[str, Any]) -> None:
    """Hand records in as the superduper administrator; all of them are new and good."""
    answer = await hand_in(server.master.root, kind, *records)
    assert (answer.status, answer.data) == (
        200,
        {"kept": len(records), "known": 0, "refused": 0, "refusals": []},
    ), answer.envelope
