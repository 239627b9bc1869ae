# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/conferences`."""

from __future__ import annotations

from typing import Any

from tests.harness import Tenant

MEMBER = {"join_muted": True, "join_deaf": False, "numbers": [], "pins": []}
MODERATOR = {"join_muted": False, "join_deaf": False, "numbers": [], "pins": []}
DEFAULTS = {"conference_numbers": [], "member": MEMBER, "moderator": MODERATOR, "play_name": False}
EMPTY = {"members": 0, "moderators": 0, "duration": 0, "is_locked": False}


async def test_create_read_list_change_delete(tenant: Tenant) -> None:
    created = await tenant.api.put("/conferences", {"name": "Board", "conference_numbers": ["5001"]})
    document = {**DEFAULTS, "id": created.id, "name": "Board", "conference_numbers": ["5001"]}
    assert (created.status, created.data) == (201, document)
    assert created.headers["Location"].endswith(f"/conferences/{created.id}")

    read = await tenant.api.get(f"/conferences/{created.id}")
    assert (read.status, read.data) == (200, {**document, "_read_only": {**EMPTY, "participants": []}})

    listed = await tenant.api.get("/conferences")
    row = {
        "id": created.id,
        "name": "Board",
        "member": MEMBER,
        "moderator": MODERATOR,
        "conference_numbers": ["5001"],
        "_read_only": EMPTY,
    }
    assert listed.data == [row]

    patched = await tenant.api.patch(f"/conferences/{created.id}", {"play_name": True})
    assert (patched.status, patched.data) == (200, {**document, "play_name": True})
    replaced = await tenant.api.post(f"/conferences/{created.id}", {"name": "Board"})
    assert replaced.data == {**DEFAULTS, "id": created.id, "name": "Board"}

    deleted = await tenant.api.delete(f"/conferences/{created.id}")
    assert deleted.data["_read_only"] == {"deleted": True}
    assert (await tenant.api.get("/conferences")).data == []


async def test_an_unknown_conference_is_made_up_but_cannot_be_changed(tenant: Tenant) -> None:
    gone = await tenant.api.put("/conferences", {"name": "Gone"})
    await tenant.api.delete(f"/conferences/{gone.id}")
    for conference_id in (gone.id, "nobody-knows"):
        read = await tenant.api.get(f"/conferences/{conference_id}")
        expected = {**DEFAULTS, "id": conference_id, "_read_only": {**EMPTY, "participants": []}}
        assert (read.status, read.data) == (200, expected)
        for verb in ("POST", "PATCH", "DELETE"):
            refused = await tenant.api.request(verb, f"/conferences/{conference_id}", {"name": "x"})
            message = {"cause": conference_id, "message": "bad identifier"}
            assert refused.error() == (404, "404", "bad_identifier", message)


async def test_numbers_belong_to_one_conference(tenant: Tenant) -> None:
    await tenant.api.put(
        "/conferences", {"conference_numbers": ["1"], "member": {"numbers": ["2"]}, "moderator": {"numbers": ["3"]}}
    )
    taken = {"conference_numbers": ["9", "3"], "member": {"numbers": ["1"], "pins": ["1234"]}}
    refused = await tenant.api.put("/conferences", taken)
    detail = {"unique": {"message": "Numbers already in use", "cause": "3,1"}}
    assert refused.invalid() == {"numbers": detail}

    other = await tenant.api.put("/conferences", {"conference_numbers": ["9"]})
    clash = await tenant.api.patch(f"/conferences/{other.id}", {"conference_numbers": ["2"]})
    assert clash.data == {"numbers": {"unique": {"message": "Numbers already in use", "cause": "2"}}}
    same = await tenant.api.patch(f"/conferences/{other.id}", {"name": "Other"})
    assert (same.status, same.data["conference_numbers"]) == (200, ["9"])


async def ask(tenant: Tenant, data: dict[str, Any], path: str = "") -> tuple[int, Any]:
    answer = await tenant.api.put(f"/conferences/board{path}", data)
    return answer.status, answer.data


async def test_actions_on_a_conference(tenant: Tenant) -> None:
    assert await ask(tenant, {"action": "lock"}) == (201, "ok")
    assert await ask(tenant, {"action": "unlock"}) == (201, "ok")
    assert await ask(tenant, {"action": "play", "data": {"media_id": "http://media.test/a.wav"}}) == (201, "ok")
    assert await ask(tenant, {"action": "record", "data": {"action": "start"}}) == (201, "starting recording")
    envelope = await tenant.api.put("/conferences/board", {"action": "stop"}, action="record")
    assert (envelope.status, envelope.data) == (201, "stopping recording")

    enum = "Value not found in enumerated list of values"
    for data, expected in (
        ({"action": "play"}, {"data": {"required": {"message": "action 'play' requires a data object"}}}),
        (
            {"action": "play", "data": {"x": 1}},
            {"data.media_id": {"required": {"message": "action 'play' requires a media ID or URL"}}},
        ),
        ({"action": "record"}, {"data": {"required": {"message": "action 'record' requires a data object"}}}),
        (
            {"action": "record", "data": {"x": 1}},
            {"data.action": {"required": {"message": "recording requires an action"}}},
        ),
        (
            {"action": "record", "data": {"action": "pause"}},
            {"data.action": {"enum": {"message": enum, "target": ["start", "stop"], "value": "pause"}}},
        ),
    ):
        assert await ask(tenant, data) == (400, expected)
    unknown_media = await tenant.api.put("/conferences/board", {"action": "play", "data": {"media_id": "f" * 32}})
    assert unknown_media.error() == (404, "404", "bad identifier", ["f" * 32])
    unknown = await tenant.api.put("/conferences/board", {"action": "dance"})
    assert unknown.error() == (404, "404", "faulty_request", {"message": "faulty request"})


async def test_dial(tenant: Tenant) -> None:
    device = (await tenant.api.put("/devices", {"name": "Desk"})).id
    menu = (await tenant.api.put("/conferences", {"name": "No endpoint"})).id
    failed = {"status": "error", "message": "conference dial failed to find a media server"}
    for endpoint in ("sip:a@b.test", device, "1000", "+14155550100"):
        assert await ask(tenant, {"action": "dial", "data": {"endpoints": [endpoint]}}) == (201, failed)

    nothing = {"message": "endpoints failed to resolve to route-able destinations", "target": 1}
    not_found = {"not_found": {"message": f"ID {menu} not found"}}
    no_device = f"user {tenant.admin_id} failed to resolve to route-able destinations"
    enum = {"enum": {"message": "Value not a number, device or user ID, or SIP endpoint"}}
    for endpoints, expected in (
        (["f" * 32], {"data.endpoints": {"minItems": nothing}}),
        ([device, menu], {"data.endpoints.2": not_found}),
        ([tenant.admin_id], {"data.endpoints.1": {"minItems": {"message": no_device, "target": 1}}}),
        (["anyone"], {"data.endpoints.1": enum}),
    ):
        assert await ask(tenant, {"action": "dial", "data": {"endpoints": endpoints}}) == (400, expected)
    missing = await ask(tenant, {"action": "dial", "data": {}})
    assert (missing[0], list(missing[1])) == (400, ["endpoints"])


async def test_participants(tenant: Tenant) -> None:
    created = await tenant.api.put("/conferences", {"name": "Board"})
    listed = await tenant.api.get(f"/conferences/{created.id}/participants")
    one = await tenant.api.get(f"/conferences/{created.id}/participants/3")
    assert (listed.status, listed.data, one.status, one.data) == (200, [], 200, {})

    muted = await tenant.api.put(f"/conferences/{created.id}/participants", {"action": "mute"})
    assert (muted.status, muted.data) == (201, created.data)
    kicked = await tenant.api.put(f"/conferences/{created.id}/participants/3", {"action": "kick"})
    assert (kicked.status, kicked.data) == (201, "ok")
    assert await ask(tenant, {"action": "play", "data": {"media_id": "http://a.test/b"}}, "/participants") == (
        201,
        "ok",
    )
    related = await ask(
        tenant, {"action": "relate", "data": {"participant_id": 3, "other_participant": 4}}, "/participants"
    )
    assert related == (404, {"message": "bad identifier", "id": 3})
    for path in ("/participants", "/participants/3", "/participants/ann"):
        refused = await tenant.api.put(f"/conferences/{created.id}{path}", {"action": "dance"})
        assert refused.error()[:3] == (404, "404", "faulty_request")
