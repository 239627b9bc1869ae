# SPDX-License-Identifier: MPL-2.0
"""`POST /hooks/freeswitch/cdr`: what `mod_json_cdr` sends, in each of its forms."""

from __future__ import annotations

import base64
import copy
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.harness import RunningServer, Tenant

A_LEG = "7a3c4f46-9b1e-4d8e-9c07-5f64e4f3a001"
B_LEG = "7a3c4f46-9b1e-4d8e-9c07-5f64e4f3a002"
STARTED = 1_709_632_800
RANGE = {"created_from": STARTED + 62_167_219_200 - 60, "created_to": STARTED + 62_167_219_200 + 3600}


def report(realm: str, uuid: str = A_LEG, *, begun: int = STARTED, **variables: str) -> dict[str, Any]:
    """One leg as FreeSWITCH describes it, cut down to what matters."""
    return {
        "core-uuid": "c39ba1a6-1e0b-4d3e-8c43-8c8b2c0a3f11",
        "switchname": "fs1.pbx.test",
        "channel_data": {"state": "CS_REPORTING", "direction": "inbound", "state_number": "11", "flags": "0=1;1=1"},
        "variables": {
            "direction": "inbound",
            "uuid": uuid,
            "call_uuid": A_LEG,
            "channel_name": f"sofia/internal/1000@{realm}",
            "sip_from_user": "1000",
            "sip_from_uri": f"1000@{realm}",
            "sip_from_host": realm,
            "sip_to_uri": f"2000@{realm}",
            "sip_to_host": realm,
            "sip_req_uri": f"2000@{realm}",
            "sip_call_id": "NzQ4ZjRi@10.0.0.5",
            "sip_user_agent": "Yealink SIP-T46S 66.84.0.15",
            "hangup_cause": "NORMAL_CLEARING",
            "endpoint_disposition": "ANSWER",
            "proto_specific_hangup_cause": "sip:200",
            "start_stamp": "2024-03-05 10:00:00",
            "start_epoch": str(begun),
            "start_uepoch": f"{begun}250000",
            "end_epoch": str(STARTED + 42),
            "duration": "42",
            "billsec": "37",
            "progresssec": "5",
            "bridge_uuid": B_LEG,
            **variables,
        },
        "app_log": {"applications": [{"app_name": "bridge", "app_data": f"user/2000@{realm}"}]},
        "callflow": [
            {
                "dialplan": "XML",
                "profile_index": "1",
                "caller_profile": {
                    "username": "1000",
                    "caller_id_name": "Müller, Jörg",
                    "caller_id_number": "1000",
                    "callee_id_name": "",
                    "callee_id_number": "",
                    "destination_number": "2000",
                    "uuid": uuid,
                },
                "times": {"created_time": f"{begun}250000", "answered_time": f"{begun + 5}250000"},
            }
        ],
    }


def with_encoded_values(document: dict[str, Any]) -> dict[str, Any]:
    """The module's default: each variable's value percent-encoded."""
    document = copy.deepcopy(document)
    document["variables"] = {name: quote(value, safe="/-_.") for name, value in document["variables"].items()}
    return document


def body_of(form: str, document: dict[str, Any]) -> tuple[bytes, str]:
    text = orjson.dumps(document)
    match form:
        case "json":
            return text, "application/json"
        case "form":
            return b"cdr=" + quote(text).encode(), "application/x-www-form-urlencoded"
        case "form, base64":
            return b"cdr=" + base64.b64encode(text), "application/x-www-form-urlencoded"
        case _:
            return b"cdr=" + base64.b64encode(text), "application/x-www-form-base64-encoded"


@pytest.mark.parametrize("form", ["json", "form", "form, base64", "base64"])
@pytest.mark.parametrize("encode_values", [True, False])
async def test_each_form_becomes_the_same_cdr(
    server: RunningServer, tenant: Tenant, form: str, encode_values: bool
) -> None:
    document = report(tenant.realm)
    body, content_type = body_of(form, with_encoded_values(document) if encode_values else document)
    answer = await server.master.root.request(
        "POST", f"/hooks/freeswitch/cdr?uuid={A_LEG}", body=body, content_type=content_type
    )
    cdr_id = f"202403-{A_LEG}"
    assert (answer.status, answer.data) == (200, {"id": cdr_id, "account_id": tenant.id, "new": True})

    begun = STARTED + 62_167_219_200
    interaction_id = f"{begun}-{answer_key(await tenant.api.get(f'/cdrs/{cdr_id}'))}"
    assert (await tenant.api.get(f"/cdrs/{cdr_id}")).data == {
        "id": cdr_id,
        "call_id": A_LEG,
        "call_direction": "inbound",
        "timestamp": begun + 42,
        "duration_seconds": 42,
        "billing_seconds": 37,
        "ringing_seconds": 5,
        "channel_created_time": STARTED * 1_000_000 + 250_000,
        "media_server": "fs1.pbx.test",
        "custom_channel_vars": {},
        "caller_id_name": "Müller, Jörg",
        "caller_id_number": "1000",
        "callee_id_number": "2000",
        "disposition": "ANSWER",
        "from": f"1000@{tenant.realm}",
        "from_uri": f"1000@{tenant.realm}",
        "to": f"2000@{tenant.realm}",
        "to_uri": f"2000@{tenant.realm}",
        "request": f"2000@{tenant.realm}",
        "user_agent": "Yealink SIP-T46S 66.84.0.15",
        "hangup_cause": "NORMAL_CLEARING",
        "hangup_code": "sip:200",
        "channel_name": f"sofia/internal/1000@{tenant.realm}",
        "other_leg_call_id": B_LEG,
        "interaction_id": interaction_id,
        "interaction_time": begun,
        "interaction_key": interaction_id.partition("-")[2],
    }


def answer_key(answer: Any) -> str:
    key = answer.data["interaction_key"]
    assert len(key) == 8
    return str(key)


async def test_kazoo_variables_decide(server: RunningServer, tenant: Tenant) -> None:
    variables = {
        "ecallmgr_Account-ID": tenant.id,
        "ecallmgr_Owner-ID": tenant.admin_id,
        "ecallmgr_Call-Interaction-ID": "63876852000-74e8f4b0",
    }
    answer = await server.master.root.request(
        "POST",
        "/hooks/freeswitch/cdr",
        body=orjson.dumps(with_encoded_values(report("nowhere.test", **variables))),
    )
    assert answer.status == 200, answer.envelope
    listed = await tenant.api.get(f"/users/{tenant.admin_id}/cdrs", query=RANGE)
    assert [(row["call_id"], row["interaction_id"]) for row in listed.data] == [(A_LEG, "63876852000-74e8f4b0")]


async def test_the_legs_of_a_call_share_an_interaction(server: RunningServer, tenant: Tenant) -> None:
    b_leg = report(tenant.realm, B_LEG, begun=STARTED + 2, direction="outbound", bridge_uuid=A_LEG)
    for document in (b_leg, report(tenant.realm)):  # the leg that began first ends last
        sent = await server.master.root.request("POST", "/hooks/freeswitch/cdr", body=orjson.dumps(document))
        assert sent.status == 200, sent.envelope
    listed = await tenant.api.get("/cdrs/interaction", query=RANGE)
    assert [row["call_id"] for row in listed.data] == [A_LEG]
    legs = await tenant.api.get(f"/cdrs/legs/202403-{B_LEG}")
    assert [leg["call_id"] for leg in legs.data] == [A_LEG, B_LEG]


async def test_a_switch_proves_itself_with_the_token_as_password(tenant: Tenant, stranger: Tenant) -> None:
    token = (await tenant.api.put("/ingest_tokens", {"name": "fs1"})).data["token"]
    anonymous = tenant.root.acting(None)
    login = {"Authorization": "Basic " + base64.b64encode(f"freeswitch:{token}".encode()).decode()}
    body = orjson.dumps(report(tenant.realm))

    without = await anonymous.request("POST", "/hooks/freeswitch/cdr", body=body)
    assert without.error()[:3] == (401, "401", "invalid_credentials")
    kept = await anonymous.request("POST", "/hooks/freeswitch/cdr", body=body, headers=login)
    assert (kept.status, kept.data["account_id"]) == (200, tenant.id)
    # A realm that no account has leaves the account of the token; one of another account is refused.
    other = orjson.dumps(report("nowhere.test", B_LEG))
    assert (await anonymous.request("POST", "/hooks/freeswitch/cdr", body=other, headers=login)).status == 200
    foreign = orjson.dumps(report(stranger.realm))
    refused = await anonymous.request("POST", "/hooks/freeswitch/cdr", body=foreign, headers=login)
    assert refused.error()[:3] == (403, "403", "forbidden")


async def test_nonsense_is_refused(server: RunningServer) -> None:
    for body, content_type, field in (
        (b"{}", "application/json", "account_id"),
        (b"cdr=abcde", "application/x-www-form-urlencoded", "cdr"),
        (b"cdr=e30", "application/x-www-form-base64-encoded", "account_id"),
        (b"nonsense", "application/x-www-form-base64-encoded", "json"),
        (b"[]", "application/json", "json"),
    ):
        answer = await server.master.root.request("POST", "/hooks/freeswitch/cdr", body=body, content_type=content_type)
        assert (answer.status, list(answer.data)) == (400, [field])
