# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/port_requests/{ID}/comments` and `/timeline`: what is said about a request, and alerts of it."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from tests.harness import RunningServer, Tenant, issue_token, new_tenant
from tests.numbers import fresh
from tests.ports import Porting, decide, made

NOT_ALLOWED = {
    "comments": {
        "forbidden": {
            "message": "you're not allowed to make private comment or set action_required",
            "cause": "comments",
        }
    },
    "message": "forbidden",
}


def comment(content: str, timestamp: int = 100, **more: Any) -> dict[str, Any]:
    return {"author": "somebody", "content": content, "timestamp": timestamp, **more}


def signed(tenant: Tenant, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A comment as it is kept."""
    by = {"author": "Ada Admin", "account_id": tenant.id, "user_id": tenant.admin_id}
    return {"is_private": False, "action_required": False, **given, **by, **more}


async def test_life_of_comments(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}/comments"
    none = await porting.customer.api.get(path)
    assert (none.status, none.data) == (200, {"comments": []})
    given = comment("first", 100, user_id="mine", account_id="mine")
    first = signed(porting.customer, comment("first", 100))
    added = await porting.customer.api.put(path, {"comments": [given]})
    assert (added.status, added.data) == (201, {"comments": [first]})
    second = signed(porting.agent, comment("second", 200), action_required=True)
    added = await porting.agent.api.put(path, {"comments": [comment("second", 200, action_required=True)]})
    assert (added.status, added.data) == (201, {"comments": [first, second]})
    hidden = signed(porting.agent, comment("hidden", 300), is_private=True)
    added = await porting.agent.api.put(path, {"comments": [comment("hidden", 300, superduper_comment=True)]})
    assert (added.status, added.data) == (201, {"comments": [first, second, hidden]})
    sees_all = (porting.agent.api, porting.master.api)
    for api in (porting.customer.api, porting.reseller.api, *sees_all):
        wanted = [first, second, hidden] if api in sees_all else [first, second]
        request = await api.get(f"/port_requests/{request_id}")
        assert (await api.get(path)).data["comments"] == request.data["comments"] == wanted
        timeline = (await api.get(f"/port_requests/{request_id}/timeline")).data
        assert [entry for entry in timeline if "content" in entry] == wanted
        number = {"by_number": next(iter(request.data["numbers"]))}
        lists = api.acting(api.token, "") if api in sees_all else api
        found = (await lists.get("/port_requests", query=number)).data if api is not porting.reseller.api else []
        assert [shown["comments"] for shown in found] == [wanted] * len(found)


async def test_what_is_no_comment(porting: Porting) -> None:
    path = f"/port_requests/{(await porting.made()).id}/comments"
    for given, errors in (
        ("text", {"comments": "type"}),
        ({}, {"comments": "type"}),
        (["text"], {"comments.0": "type"}),
        ([comment("good"), {}], {f"comments.1.{key}": "required" for key in ("author", "content", "timestamp")}),
        ([comment("x", is_private=5)], {"comments.0.is_private": "type"}),
        ([comment("x") | {"timestamp": "now"}], {"comments.0.timestamp": "type"}),
        # who may not say it hears first that it is no comment
        ([{"content": "x", "is_private": True}], {"comments.0.author": "required", "comments.0.timestamp": "required"}),
    ):
        refused = await porting.customer.api.put(path, {"comments": given})
        assert refused.error()[:3] == (400, "400", "validation error"), given
        assert {key: next(iter(codes)) for key, codes in refused.data.items()} == errors
    assert (await porting.customer.api.put(path, {})).data == {"comments": []}
    assert (await porting.customer.api.get(path)).data == {"comments": []}


async def test_what_only_the_authority_may_say(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}"
    data = {"name": "port", "numbers": {fresh(): {}}}
    for word in ("is_private", "superduper_comment", "action_required"):
        said = {"comments": [comment("fine"), comment("x", 200, **{word: True})]}
        for api in (porting.customer.api, porting.reseller.api):
            for verb, rest, fields in (
                ("PUT", "/comments", {}),
                ("PATCH", "", {}),
                ("POST", "", data),
                ("PATCH", "/submitted", {}),
            ):
                refused = await api.request(verb, path + rest, {**fields, **said})
                assert refused.error() == (403, "403", "forbidden", NOT_ALLOWED), (word, verb, rest)
        refused = await porting.customer.api.put("/port_requests", {**data, **said})
        assert refused.error() == (403, "403", "forbidden", NOT_ALLOWED)
        harmless = await porting.customer.api.put(f"{path}/comments", {"comments": [comment(word, **{word: False})]})
        assert harmless.status == 201
    message = {"message": "setting action_required on private comment is not allowed", "cause": "comments"}
    for word in ("is_private", "superduper_comment"):
        both = comment("x", 300, action_required=True, **{word: True})
        refused = await porting.agent.api.put(f"{path}/comments", {"comments": [both]})
        assert refused.invalid() == {"comments": {"rejected": message}}
    assert len((await porting.master.api.get(f"{path}/comments")).data["comments"]) == 3


async def test_comments_are_neither_taken_away_nor_looked_at_alone(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}/comments"
    await porting.customer.api.put(path, {"comments": [comment("stays")]})
    for verb, rest, message in (
        ("DELETE", "", "delete operation on comments is not allowed"),
        ("GET", "/0", "operation on a single comment is not allowed"),
        ("POST", "/0", "operation on a single comment is not allowed"),
        ("DELETE", "/0", "operation on a single comment is not allowed"),
    ):
        for api in (porting.customer.api, porting.agent.api, porting.master.api):
            refused = await api.request(verb, path + rest, {})
            error = {"comments": {"forbidden": {"message": message, "cause": "comments"}}}
            assert refused.invalid() == error
    data = {"name": "port", "numbers": {fresh(): {}}}
    for verb, body in (("POST", data), ("PATCH", {"comments": []}), ("POST", {**data, "comments": []})):
        answer = await porting.customer.api.request(verb, f"/port_requests/{request_id}", body)
        assert (answer.status, [said["content"] for said in answer.data["comments"]]) == (200, ["stays"])


async def test_comments_come_with_a_request(porting: Porting) -> None:
    number = fresh()
    request = await porting.made(number, comments=[comment("with it", 100)])
    first = signed(porting.customer, comment("with it", 100))
    assert request.data["comments"] == [first]
    path = f"/port_requests/{request.id}"
    # What clients were shown comes back; a later one is new.
    sent = [comment("changed", 100), comment("too late", 50), comment("new", 200)]
    second = signed(porting.customer, comment("new", 200))
    answer = await porting.customer.api.post(path, {"name": "p", "numbers": {number: {}}, "comments": sent})
    assert (answer.status, answer.data["comments"]) == (200, [first, second])
    third = signed(porting.customer, comment("newer", 300))
    answer = await porting.customer.api.patch(path, {"comments": [*sent, comment("newer", 300)]})
    assert answer.data["comments"] == [first, second, third]
    fourth = signed(porting.customer, comment("go", 400))
    answer = await porting.customer.api.patch(f"{path}/submitted", {"comments": [comment("go", 400)]})
    assert (answer.data["port_state"], answer.data["comments"]) == ("submitted", [first, second, third, fourth])


async def test_two_who_write_at_once_are_both_heard(porting: Porting) -> None:
    path = f"/port_requests/{(await porting.made()).id}/comments"
    await porting.customer.api.put(path, {"comments": [comment("later", 200)]})
    added = await porting.agent.api.put(path, {"comments": [comment("earlier", 100), comment("later", 200)]})
    assert [said["content"] for said in added.data["comments"]] == ["earlier", "later"]


async def test_comments_are_made_wherever_a_request_stands(porting: Porting) -> None:
    for way in ((), ("submitted", "pending", "completed"), ("submitted", "canceled")):
        request_id = (await porting.made()).id
        if way:
            await porting.moved(request_id, *way)
        added = await porting.customer.api.put(f"/port_requests/{request_id}/comments", {"comments": [comment("c")]})
        assert (added.status, len(added.data["comments"])) == (201, 1)


async def test_who_signs_a_comment(porting: Porting, server: RunningServer) -> None:
    path = f"/port_requests/{(await porting.made()).id}/comments"
    by_key = porting.customer.api.acting(await issue_token(server, porting.customer.id, None))
    added = await by_key.put(path, {"comments": [comment("by key", user_id="x")]})
    assert added.data["comments"] == [
        {**comment("by key"), "account_id": porting.customer.id, "is_private": False, "action_required": False}
    ]


async def test_a_timeline_is_in_order(porting: Porting) -> None:
    request_id = (await porting.made()).id
    now = clock.now()
    said = [comment("long ago", 100), comment("to come", now + 1000)]
    await porting.customer.api.put(f"/port_requests/{request_id}/comments", {"comments": said})
    await porting.moved(request_id, "submitted", "pending", "rejected", "submitted")
    timeline = (await porting.customer.api.get(f"/port_requests/{request_id}/timeline")).data
    told = [entry.get("content") or entry["transition"]["new"] for entry in timeline]
    assert told == ["long ago", "unconfirmed", "submitted", "pending", "rejected", "submitted", "to come"]


# Alerts


async def alerts(tenant: Tenant, account: Tenant | None = None) -> list[dict[str, Any]]:
    """The alerts about ports that somebody sees in an account."""
    listed = await tenant.root.get(f"/accounts/{(account or tenant).id}/alerts")
    assert listed.envelope["page_size"] == len(listed.data)
    return [alert for alert in listed.data if str(alert.get("category")).startswith("port_")]


async def test_alerts_of_requests_that_wait(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}"
    timeline = (await porting.customer.api.get(f"{path}/timeline")).data
    suspended = {
        "id": request_id,
        "title": "Port request requires action",
        "message": "The port request has not been submitted, until it is submitted it will not be processed.",
        "category": "port_suspended",
        "metadata": {"name": "port", "state": "unconfirmed", "transition": timeline[0]},
        "from": [{"type": "account", "value": porting.customer.id}],
        "clearable": False,
    }
    assert await alerts(porting.customer) == [suspended]
    await porting.moved(request_id, "submitted")
    assert await alerts(porting.customer) == []
    await porting.moved(request_id, "rejected")
    newest = (await porting.customer.api.get(f"{path}/timeline")).data[-1]
    suspended["message"] = "The port request has been rejected, please update the port or cancel."
    suspended["metadata"] = {"name": "port", "state": "rejected", "transition": newest}
    assert await alerts(porting.customer) == [suspended]

    asked = await porting.agent.api.put(
        f"{path}/comments", {"comments": [comment("The bill?", 500, action_required=True)]}
    )
    required = {
        **suspended,
        "category": "port_action_required",
        "message": asked.data["comments"][-1],
        "metadata": {"name": "port", "state": "rejected"},
    }
    assert await alerts(porting.customer) == [required, suspended]
    await porting.agent.api.put(f"{path}/comments", {"comments": [comment("between us", 600, is_private=True)]})
    assert await alerts(porting.customer) == [required, suspended]
    await porting.customer.api.put(f"{path}/comments", {"comments": [comment("here", 700)]})
    assert await alerts(porting.customer) == [suspended]
    await porting.moved(request_id, "canceled")
    assert await alerts(porting.customer) == []


async def test_whose_requests_there_are_alerts_of(porting: Porting, server: RunningServer) -> None:
    below = await new_tenant(server, porting.customer, f"b{porting.customer.id[:12]}")
    ids = {name: (await made(account)).id for name, account in (("own", porting.reseller), ("child", porting.customer))}
    ids["grandchild"] = (await made(below)).id

    async def seen(tenant: Tenant, account: Tenant | None = None) -> set[str]:
        return {
            name for alert in await alerts(tenant, account) for name, request in ids.items() if request == alert["id"]
        }

    assert await seen(porting.reseller) == {"own", "child", "grandchild"}
    assert await seen(porting.reseller, porting.customer) == await seen(porting.customer) == {"child"}
    assert await seen(porting.customer, below) == {"grandchild"}
    assert await seen(porting.master, porting.reseller) == {"own"}
    assert await seen(porting.master) == set()
    await decide(porting.reseller, porting.reseller.id)
    assert await seen(porting.reseller) == {"own"}, "who decides need not be told what it decided"
    hidden = {"domain": f"{porting.reseller.realm}.example", "hide_port": True}
    assert (await porting.reseller.api.post("/whitelabel", hidden)).status == 200
    assert await seen(porting.customer) == set()
    assert await seen(porting.reseller) == {"own", "child", "grandchild"}


@pytest.mark.parametrize(
    ("setting", "left"),
    [
        ("check_port_requests", set()),
        ("check_port_suspended", {"port_action_required"}),
        ("check_port_action_required", {"port_suspended"}),
    ],
)
async def test_alerts_may_be_off(porting: Porting, master: Tenant, setting: str, left: set[str]) -> None:
    request_id = (await porting.made()).id
    asks = {"comments": [comment("The bill?", action_required=True)]}
    await porting.agent.api.put(f"/port_requests/{request_id}/comments", asks)
    assert {alert["category"] for alert in await alerts(porting.customer)} == {"port_suspended", "port_action_required"}
    await master.root.patch("/system_configs/crossbar.alerts", {"default": {setting: False}})
    try:
        assert {alert["category"] for alert in await alerts(porting.customer)} == left
    finally:
        await master.root.delete("/system_configs/crossbar.alerts")
