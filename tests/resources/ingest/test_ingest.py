# SPDX-License-Identifier: MPL-2.0
"""`/ingest/{kind}` and the tokens that open it."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest

from tests.call_records import START, hand_in, leg
from tests.harness import Api, RunningServer, Tenant


async def token_of(tenant: Tenant) -> str:
    created = await tenant.api.put("/ingest_tokens", {"name": "switch"})
    assert created.status == 201, created.envelope
    return str(created.data["token"])


def record(kind: str, account_id: str) -> dict[str, Any]:
    """A good record of each kind, but for the key under which it is told apart."""
    return {
        "cdrs": leg(account_id, 0),
        "call_stats": {"account_id": account_id, "call_id": "c", "queue_id": "q", "entered_timestamp": START},
        "agent_statuses": {"account_id": account_id, "agent_id": "a", "status": "ready", "timestamp": START},
        "call_events": {
            "account_id": account_id,
            "call_id": "c",
            "event_name": "CHANNEL_ANSWER",
            "timestamp": START,
        },
        "sip_messages": {
            "account_id": account_id,
            "call_id": "c",
            "src": "10.0.0.1:5060",
            "dst": "10.0.0.2:5060",
            "raw": "OPTIONS sip:x SIP/2.0",
            "timestamp": START,
        },
    }[kind]


@pytest.mark.parametrize("kind", ["cdrs", "call_stats", "agent_statuses", "call_events", "sip_messages"])
async def test_each_kind_is_kept_once(server: RunningServer, tenant: Tenant, kind: str) -> None:
    root = server.master.root
    first = await root.post(f"/ingest/{kind}", record(kind, tenant.id))
    assert (first.status, first.data["account_id"], first.data["new"]) == (200, tenant.id, True)
    again = await root.post(f"/ingest/{kind}", record(kind, tenant.id))
    assert (again.status, again.data) == (200, {**first.data, "new": False})
    batch = await hand_in(root, kind, record(kind, tenant.id), record(kind, tenant.id))
    assert batch.data == {"kept": 0, "known": 2, "refused": 0, "refusals": []}


async def test_a_batch_keeps_what_is_good_and_names_what_is_not(server: RunningServer, tenant: Tenant) -> None:
    good, bad = leg(tenant.id, 1), leg(tenant.id, 2, duration_seconds="long")
    answer = await hand_in(server.master.root, "cdrs", good, bad, {"call_id": "lost"}, leg("0" * 32, 3))
    assert (answer.data["kept"], answer.data["known"], answer.data["refused"]) == (1, 0, 3)
    assert [(refusal["record"], refusal["error"], list(refusal["data"])) for refusal in answer.data["refusals"]] == [
        (2, "400", ["duration_seconds"]),
        (3, "400", ["account_id"]),
        (4, "400", ["account_id"]),
    ]
    broken = await server.master.root.request(
        "POST", "/ingest/cdrs", body=b'{"call_id": \n\n[1]\n', content_type="application/x-ndjson"
    )
    assert [(refusal["record"], list(refusal["data"])) for refusal in broken.data["refusals"]] == [
        (1, ["json"]),
        (3, [""]),
    ]
    array = await server.master.root.post("/ingest/cdrs", [good, leg(tenant.id, 4)])
    assert (array.data["kept"], array.data["known"]) == (1, 1)


async def test_single_records_are_refused_whole(server: RunningServer, tenant: Tenant) -> None:
    root = server.master.root
    bad = await root.post("/ingest/cdrs", leg(tenant.id, 0, call_direction="sideways"))
    assert (bad.status, list(bad.data)) == (400, ["call_direction"])
    unknown = await root.post("/ingest/nonsense", {})
    assert (unknown.status, list(unknown.data)) == (400, ["kind"])
    realm = await root.post("/ingest/cdrs", {"call_id": "by-realm", "account_realm": tenant.realm.upper()})
    assert (realm.status, realm.data["account_id"]) == (200, tenant.id)
    nowhere = await root.post("/ingest/cdrs", {"call_id": "x", "account_realm": "nowhere.test"})
    assert (nowhere.status, list(nowhere.data)) == (400, ["account_realm"])
    plain = await root.request("POST", "/ingest/cdrs", body=b"x", content_type="text/html")
    assert plain.status == 415


async def test_an_ingest_token_opens_its_own_account_and_nothing_else(tenant: Tenant, stranger: Tenant) -> None:
    switch: Api = tenant.root.acting(await token_of(tenant))
    own = await switch.post("/ingest/cdrs", {"call_id": "own"})
    assert (own.status, own.data["account_id"]) == (200, tenant.id)
    foreign = await switch.post("/ingest/cdrs", leg(stranger.id, 0))
    assert foreign.error()[:3] == (403, "403", "forbidden")
    for verb, path in (
        ("GET", f"/accounts/{tenant.id}"),
        ("GET", f"/accounts/{tenant.id}/cdrs"),
        ("PUT", f"/accounts/{tenant.id}/users"),
        ("GET", f"/accounts/{tenant.id}/ingest_tokens"),
        ("GET", "/accounts"),
    ):
        answer = await switch.request(verb, path, {})
        assert answer.error()[:3] in ((403, "403", "forbidden"), (405, "405", "invalid_method")), path
    # An administrator of the account who is no superduper admin has to use a token.
    assert (await tenant.root.post("/ingest/cdrs", leg(tenant.id, 0))).error()[:3] == (403, "403", "forbidden")


async def test_a_token_is_shown_once_and_ends_at_once(tenant: Tenant) -> None:
    created = await tenant.api.put("/ingest_tokens", {"name": "switch"})
    token = created.data.pop("token")
    assert (created.status, created.data) == (201, {"id": created.id, "name": "switch"})
    listed = await tenant.api.get("/ingest_tokens")
    assert [(row["id"], row["name"]) for row in listed.data] == [(created.id, "switch")]
    secret = token.rpartition("-")[2].encode()
    assert secret not in listed.raw

    switch = tenant.root.acting(token)
    assert (await switch.post("/ingest/cdrs", {"call_id": "a"})).status == 200
    wrong = tenant.root.acting(token[:-1] + ("0" if token[-1] != "0" else "1"))
    assert (await wrong.post("/ingest/cdrs", {"call_id": "b"})).status == 401
    deleted = await tenant.api.delete(f"/ingest_tokens/{created.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await switch.post("/ingest/cdrs", {"call_id": "c"})).status == 401
    assert (await tenant.api.delete(f"/ingest_tokens/{created.id}")).error()[:3] == (404, "404", "bad_identifier")
    unnamed = await tenant.api.put("/ingest_tokens", {})
    assert (unnamed.status, list(unnamed.data)) == (400, ["name"])


@pytest.mark.parametrize("limit", ["max_json_values", "max_json_depth"])
async def test_records_in_other_forms_are_held_to_the_limits_of_bodies(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    config = server.runtime.config
    limits = dataclasses.replace(config.limits, **{limit: 50})
    monkeypatch.setattr(server.runtime.settings, "config", dataclasses.replace(config, limits=limits))
    value = b"[" + b"1," * 60 + b"1]" if limit == "max_json_values" else b"[" * 60 + b"]" * 60
    large = b'{"call_id": "c", "x": ' + value + b"}"
    root = server.master.root
    lines = await root.request("POST", "/ingest/cdrs", body=large, content_type="application/x-ndjson")
    assert [list(refusal["data"]) for refusal in lines.data["refusals"]] == [["json"]]
    form = b"cdr=" + base64.b64encode(large)
    switch = await root.request(
        "POST", "/hooks/freeswitch/cdr", body=form, content_type="application/x-www-form-base64-encoded"
    )
    assert (switch.status, list(switch.data)) == (400, ["json"])
