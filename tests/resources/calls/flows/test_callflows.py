# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/callflows`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness import Tenant

HANGUP: dict[str, Any] = {"module": "hangup", "data": {}, "children": {}}


async def make(tenant: Tenant, path: str, **data: Any) -> str:
    made = await tenant.api.put(path, data)
    assert made.status == 201, made.envelope
    return made.id


async def test_create_list_and_delete(tenant: Tenant) -> None:
    flow = {
        "module": "menu",
        "data": {"id": "m"},
        "children": {
            "1": {
                "module": "user",
                "data": {"id": "u"},
                "children": {"_": {"module": "voicemail", "data": {}, "children": {}}},
            },
            "2": {"module": "user", "data": {"id": "u2"}, "children": {}},
            "_": {"module": "hangup", "data": {"skip_module": True}, "children": {}},
        },
    }
    created = await tenant.api.put(
        "/callflows",
        {
            "name": "Main",
            "numbers": ["4155550100", "2001"],
            "flow": flow,
            "type": "main",
            "ui_metadata": {"origin": "x"},
        },
    )
    assert (created.status, created.data["numbers"], created.data["patterns"]) == (201, ["+14155550100", "2001"], [])
    assert created.data["flow"]["children"]["1"]["data"] == {"id": "u", **USER_DEFAULTS}
    assert "metadata" not in created.data
    code = await tenant.api.put(
        "/callflows",
        {
            "numbers": ["*97"],
            "featurecode": {"name": "voicemail[action=check]", "number": "97"},
            "owner_id": "o",
            "group_id": "g",
            "flags": ["f"],
            "flow": HANGUP,
        },
    )
    rows = (await tenant.api.get("/callflows?paginate=false")).data
    assert sorted(rows, key=lambda row: row["numbers"]) == [
        {
            "id": code.id,
            "numbers": ["*97"],
            "patterns": [],
            "owner_id": "o",
            "group_id": "g",
            "featurecode": {"name": "voicemail[action=check]", "number": "97"},
            "modules": ["hangup"],
            "flags": ["f"],
        },
        {
            "id": created.id,
            "name": "Main",
            "type": "main",
            "numbers": ["+14155550100", "2001"],
            "patterns": [],
            "featurecode": False,
            "modules": ["menu", "user", "voicemail"],
            "flags": [],
        },
    ]
    only = await tenant.api.get("/callflows?has_key=featurecode")
    assert [row["id"] for row in only.data] == [code.id]
    only = await tenant.api.get("/callflows?filter_ui_metadata.origin=x")
    assert [row["id"] for row in only.data] == [created.id]

    for query, found in (("type=main", created.id), ("owner_id=o", code.id), ("group_id=g", code.id)):
        only = await tenant.api.get(f"/callflows?filter_{query}")
        assert [row["id"] for row in only.data] == [found]

    deleted = await tenant.api.delete(f"/callflows/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**created.data, "_read_only": {"deleted": True}})
    again = await tenant.api.put("/callflows", {"numbers": ["2001"], "flow": HANGUP})
    assert again.status == 201


USER_DEFAULTS = {"delay": 0, "strategy": "simultaneous", "timeout": 20}


async def test_metadata_names_what_a_flow_refers_to(tenant: Tenant, stranger: Tenant) -> None:
    user = await make(tenant, "/users", first_name="Ada", last_name="Lovelace")
    device = await make(tenant, "/devices", name="Desk")
    rule = await make(tenant, "/temporal_rules", name="Office", cycle="daily")
    foreign = await make(stranger, "/devices", name="Not yours")
    gone = await make(tenant, "/devices", name="Gone")
    await tenant.api.delete(f"/devices/{gone}")
    other = await make(tenant, "/callflows", name="Other", numbers=["2002"], flow=HANGUP)
    flow = {
        "module": "temporal_route",
        "data": {},
        "children": {
            rule: {"module": "user", "data": {"id": user, "timeout": 5}, "children": {}},
            "_": {
                "module": "device",
                "data": {"id": device},
                "children": {
                    "_": {
                        "module": "intercept",
                        "data": {"approved_device_id": foreign, "device_id": gone, "user_id": "unknown"},
                        "children": {"_": {"module": "callflow", "data": {"id": other}, "children": {}}},
                    }
                },
            },
        },
    }
    created = await tenant.api.put("/callflows", {"numbers": ["2001"], "flow": flow})
    read = await tenant.api.get(f"/callflows/{created.id}")
    metadata = {
        rule: {"name": "Office", "pvt_type": "temporal_rule"},
        user: {"name": "Ada Lovelace", "pvt_type": "user"},
        device: {"name": "Desk", "pvt_type": "device"},
        other: {"name": "Other", "numbers": ["2002"], "pvt_type": "callflow"},
    }
    assert (read.status, read.data) == (200, {**created.data, "metadata": metadata})
    bare = await tenant.api.put("/callflows", {"patterns": ["^7$"]})
    assert (await tenant.api.get(f"/callflows/{bare.id}")).data["metadata"] == {}


async def test_replace_and_merge(tenant: Tenant) -> None:
    created = await tenant.api.put("/callflows", {"name": "A", "numbers": ["2001"], "flow": HANGUP})
    merged = await tenant.api.patch(f"/callflows/{created.id}", {"numbers": ["2001", "4155550101"], "name": None})
    assert (merged.status, merged.data) == (
        200,
        {"id": created.id, "numbers": ["2001", "+14155550101"], "patterns": [], "flow": HANGUP},
    )
    replaced = await tenant.api.post(f"/callflows/{created.id}", {"patterns": ["^9$"], "flow": HANGUP})
    assert (replaced.status, replaced.data) == (
        200,
        {"id": created.id, "numbers": [], "patterns": ["^9$"], "flow": HANGUP},
    )
    refused = await tenant.api.patch(f"/callflows/{created.id}", {"patterns": []})
    assert refused.invalid() == {"numbers": {"required": {"message": MISSING}}}


MISSING = "Callflows must be assigned at least one number or pattern"


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"name": 5}, {"numbers": {"required": {"message": MISSING}}}),
        ({"numbers": [], "patterns": []}, {"numbers": {"required": {"message": MISSING}}}),
        (
            {"numbers": "2001", "name": 5},
            {"numbers": {"type": {"message": "Value did not match type: array", "target": "array", "value": "2001"}}},
        ),
        (
            {"patterns": {"a": 1}},
            {
                "patterns": {
                    "type": {"message": "Value did not match type: array", "target": "array", "value": {"a": 1}}
                }
            },
        ),
        (
            {"numbers": ["1"], "patterns": 7},
            {"patterns": {"type": {"message": "Value did not match type(s): array", "target": "array", "value": 7}}},
        ),
        (
            {"numbers": ["4155550100", "+14155550100"]},
            {
                "numbers": {
                    "uniqueItems": {
                        "message": "List of items is not unique",
                        "value": ["+14155550100", "+14155550100"],
                    }
                }
            },
        ),
        (
            {"numbers": ["1"], "flow": {"module": "nosuch", "data": {}}},
            {
                "flow.module": {
                    "error": {"message": "unable to find callflow schema for module nosuch", "value": "nosuch"}
                },
                "schema": {"schema": {"message": "schema not found", "schema": "callflows.nosuch"}},
            },
        ),
        (
            {
                "numbers": ["1"],
                "flow": {"module": "user", "data": {}, "children": {"_": {"module": "user", "data": {"timeout": "x"}}}},
            },
            {
                "flow.children._.data.timeout": {
                    "type": {"message": "Value did not match type(s): integer", "target": "integer", "value": "x"}
                }
            },
        ),
        (
            {"numbers": ["1"], "flow": {"module": "pivot", "data": {"voice_url": "http://127.0.0.1/x"}}},
            {"flow.data.voice_url": {"error": {"message": "invalid client URL", "value": "http://127.0.0.1/x"}}},
        ),
    ],
)
async def test_refused(tenant: Tenant, data: dict[str, Any], errors: dict[str, Any]) -> None:
    refused = await tenant.api.put("/callflows", data)
    assert refused.invalid() == errors


async def test_a_number_or_pattern_leads_to_one_callflow(tenant: Tenant, stranger: Tenant) -> None:
    named = await tenant.api.put("/callflows", {"name": "First", "numbers": ["4155550100"], "patterns": ["^1$"]})
    nameless = await tenant.api.put("/callflows", {"numbers": ["2001"]})
    clash = await tenant.api.put(
        "/callflows", {"numbers": ["2000", "4155550100"], "patterns": ["^1$", "^2$"], "flow": HANGUP}
    )
    expected = {
        "numbers": {
            "unique": {
                "message": f"Number +14155550100 exists in callflow {named.id} First",
                "cause": "+14155550100",
            }
        },
        "patterns": {"unique": {"message": f"Pattern ^1$ exists in callflow {named.id} First", "cause": "^1$"}},
    }
    assert clash.invalid() == expected
    with_others = await tenant.api.put("/callflows", {"numbers": ["4155550100"], "name": 5})
    assert set(with_others.data) == {"name", "numbers"}

    moved = await tenant.api.patch(f"/callflows/{named.id}", {"numbers": ["2001"]})
    message = f"Number 2001 exists in callflow {nameless.id} {nameless.id}"
    expected = {"numbers": {"unique": {"message": message, "cause": "2001"}}}
    assert moved.invalid() == expected
    same = await tenant.api.post(f"/callflows/{named.id}", {"name": "First", "numbers": ["4155550100"]})
    assert same.status == 200
    elsewhere = await stranger.api.put("/callflows", {"numbers": ["4155550100"]})
    assert elsewhere.status == 201


async def test_only_one_of_many_at_once_gets_a_number(tenant: Tenant) -> None:
    answers = await asyncio.gather(*(tenant.api.put("/callflows", {"numbers": ["2001"]}) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [400] * 7
    (winner,) = (answer.id for answer in answers if answer.status == 201)
    message = f"Number 2001 exists in callflow {winner} {winner}"
    refused = {"numbers": {"unique": {"message": message, "cause": "2001"}}}
    assert [answer.data for answer in answers if answer.status == 400] == [refused] * 7


async def test_numbers_of_other_accounts(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    await make(stranger, "/devices", name="Mobile", device_type="mobile", mobile={"mdn": "+14155550177"})
    wanted = {"numbers": ["4155550177", "4155550178", "177"]}
    refused = await tenant.api.put("/callflows", wanted)
    expected = {"message": "unauthorized to use +14155550177"}
    assert refused.error() == (403, "403", "forbidden", expected)
    assert (await tenant.api.get("/callflows")).data == []
    assert (await stranger.api.put("/callflows", wanted)).status == 201
    by_master = await master.root.put(f"/accounts/{tenant.id}/callflows", wanted)
    assert by_master.status == 201


async def test_numbers_follow_the_dial_plan_of_the_account(tenant: Tenant) -> None:
    plan = {"dial_plan": {r"^(\d{7})$": {"prefix": "+1415"}}}
    assert (await tenant.api.patch("", plan)).status == 200
    created = await tenant.api.put("/callflows", {"numbers": ["5550100", "2001"]})
    assert created.data["numbers"] == ["+14155550100", "2001"]
