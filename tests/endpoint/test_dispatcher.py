# SPDX-License-Identifier: MPL-2.0
"""The front door: the order of the checks, and what every endpoint has in common on the wire."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from yarl import URL

from crossbar import clock
from crossbar.access.costs import CostSettings
from tests.harness import Answer, Api, RunningServer, Tenant, issue_token

NOBODY = "0" * 32
UNAUTHENTICATED = (401, "401", "invalid_credentials", {"message": "invalid credentials"})
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
NO_PATH = (404, "404", "not_found", {"message": "not found"})
NO_METHOD = (405, "405", "invalid_method", {"message": "method not allowed"})
FAULTY = (404, "404", "faulty request", {})
BAD_JSON = {"json": {"invalid": {"message": "truncated_json around 2", "target": "body"}}}
CORS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
)
ORIGIN = {"Origin": "https://ui.test"}


def unknown_account(account_id: str) -> tuple[int, str, str, Any]:
    return 404, "404", "bad_identifier", {"cause": account_id, "message": "bad identifier"}


async def expired(server: RunningServer, tenant: Tenant) -> str:
    with clock.frozen(time.time() - 7200):
        return await issue_token(server, tenant.id, tenant.admin_id)


# The order of the checks: what fails first is what the client hears of


@pytest.mark.parametrize("path", ["/", "/accounts", "/vX/accounts", "/v/accounts", "//v2", "/favicon.ico"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_banner_where_no_api_is(path: str, method: str, server: RunningServer, anonymous: Api) -> None:
    shown = await anonymous.request(method, server.url + path, body=b"{" if method == "POST" else None)
    assert (shown.status, shown.headers["Content-Type"]) == (200, "text/plain; charset=UTF-8")


async def test_version_1_is_gone_before_anything_else(server: RunningServer, anonymous: Api) -> None:
    text = "API version 1 is not supported. Please upgrade your code to use version 2."
    for path in ("/v1", "/v1/accounts/x", "/v1/nothing"):
        assert (await anonymous.post(server.url + path, body=b"{")).error() == (410, "410", "gone", text)


async def test_later_versions_are_version_2(server: RunningServer, tenant: Tenant) -> None:
    for version in ("v3", "v99", "v02"):
        read = await tenant.root.get(f"{server.url}/{version}/accounts/{tenant.id}")
        assert (read.status, read.data["id"]) == (200, tenant.id)


async def test_a_bad_body_before_path_method_and_token(anonymous: Api, tenant: Tenant, server: RunningServer) -> None:
    late = tenant.root.acting(await expired(server, tenant))
    for api in (anonymous, late, tenant.root):
        for path in ("/nothing", "/accounts/short", f"/accounts/{tenant.id}/nothing", f"/accounts/{tenant.id}"):
            for method in ("GET", "PUT", "DELETE"):
                refused = await api.request(method, path, body=b"{")
                assert refused.error() == (400, "400", "validation error", BAD_JSON)
                assert "auth_token" not in refused.envelope


async def test_an_unknown_method_before_token_and_path(anonymous: Api, tenant: Tenant, server: RunningServer) -> None:
    late = tenant.root.acting(await expired(server, tenant))
    for api in (anonymous, late):
        assert (await api.request("PURGE", "/nothing")).status == 501
    assert (await anonymous.request("PURGE", "/nothing", body=b"{")).status == 400


async def test_an_expired_token_before_path_method_and_account(tenant: Tenant, server: RunningServer) -> None:
    late = tenant.root.acting(await expired(server, tenant))
    for path in ("/nothing", "/schemas", "/accounts/short", f"/accounts/{NOBODY}", f"/accounts/{tenant.id}/nothing"):
        assert (await late.get(path)).error() == (401, "401", "invalid credentials", {})
    assert (await late.request("HEAD", f"/accounts/{tenant.id}")).status == 401


async def test_path_and_method_before_account_and_token(anonymous: Api, tenant: Tenant) -> None:
    for account_id in (tenant.id, NOBODY, "short"):
        for unknown in ("nothing", "devices/x/y/z", "children/x"):
            assert (await anonymous.get(f"/accounts/{account_id}/{unknown}")).error() == NO_PATH
        for method, path in (("PUT", "/children"), ("POST", "/devices"), ("HEAD", "/devices"), ("OPTIONS", "")):
            refused = await anonymous.request(method, f"/accounts/{account_id}{path}")
            assert refused.status == 405
            assert "Allow" not in refused.headers
    assert (await anonymous.post(f"/accounts/{tenant.id}/devices", {})).error() == NO_METHOD


async def test_the_account_before_the_token(anonymous: Api) -> None:
    for path in ("", "/devices", f"/devices/{NOBODY}"):
        assert (await anonymous.get(f"/accounts/{NOBODY}{path}")).error() == unknown_account(NOBODY)
        short = (404, "404", "bad identifier", {"message": "invalid account_id 'xyz'"})
        assert (await anonymous.get(f"/accounts/xyz{path}")).error() == short
    missing = (404, "404", "bad identifier", {"message": "missing account_id"})
    assert (await anonymous.get("/accounts//devices")).error() == missing


async def test_an_unknown_endpoint_after_the_token(anonymous: Api, tenant: Tenant, master: Tenant) -> None:
    assert (await anonymous.get("/nothing")).error() == UNAUTHENTICATED
    assert (await tenant.root.get("/nothing")).error() == NO_PATH
    assert (await master.root.get("/nothing")).error() == NO_PATH
    assert (await anonymous.get("")).error() == UNAUTHENTICATED


@pytest.mark.parametrize("token", ["undefined", "a.b.c", "ä", " "])
async def test_no_token_that_is_good(token: str, tenant: Tenant) -> None:
    refused = await tenant.root.acting(None).get(
        f"/accounts/{tenant.id}",
        headers={"X-Auth-Token": token} if token.isascii() else {},
        query={"auth_token": token},
    )
    assert refused.error() == UNAUTHENTICATED
    assert "version" not in refused.envelope


async def test_public_routes_do_not_mind_a_bad_token(tenant: Tenant) -> None:
    assert (await tenant.root.acting("undefined").get("/schemas/users")).status == 200


async def test_permission_before_what_is_asked_for(tenant: Tenant, stranger: Tenant) -> None:
    for path in ("", "/devices", f"/devices/{NOBODY}", f"/users/{NOBODY}/devices"):
        for headers in ({}, {"Accept": "image/png"}):
            refused = await stranger.root.get(f"/accounts/{tenant.id}{path}", headers=headers)
            assert refused.error() == FORBIDDEN
    assert (await tenant.root.get("/system_configs")).error() == FORBIDDEN


async def test_negotiation_before_existence_and_validation(tenant: Tenant) -> None:
    for verb, path in (("GET", f"/devices/{NOBODY}"), ("PUT", "/devices"), ("GET", f"/users/{NOBODY}/devices")):
        assert (await tenant.api.request(verb, path, {}, headers={"Accept": "image/png"})).status == 406
        assert (await tenant.api.request(verb, path, {}, headers={"Accept": "nonsense"})).status == 400
    for accept in (
        "*/*",
        "application/*",
        "application/x-json;q=0.1",
        "application/json, text/javascript, */*; q=0.01",
    ):
        assert (await tenant.api.get("", headers={"Accept": accept})).status == 200


async def test_the_nouns_on_the_way_before_the_data(tenant: Tenant) -> None:
    refused = await tenant.api.put(f"/users/{NOBODY}/devices", {})
    assert refused.error() == (404, "404", "bad_identifier", {"cause": NOBODY, "message": "bad identifier"})
    assert (await tenant.api.put(f"/users/{tenant.admin_id}/devices", {})).error()[0] == 400


async def test_chains_that_make_no_sense(tenant: Tenant, anonymous: Api, master: Tenant) -> None:
    for path in (f"/groups/{NOBODY}/devices", "/users/devices", f"/users/{tenant.admin_id}/x/devices", "/accounts"):
        assert (await tenant.api.get(path)).error() == (FAULTY if path != "/accounts" else NO_METHOD)
        assert (await anonymous.get(f"/accounts/{tenant.id}{path}")).status in (401, 405)
    assert (await master.root.get("/accounts/devices")).error() == FAULTY


async def test_a_failure_of_the_server(tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(server.runtime.store, "get_json", fail)
    failed = await tenant.api.get(f"/skels/{NOBODY}")
    assert failed.error() == (500, "500", "unspecified_fault", {"message": "unspecified fault"})
    assert "secret" not in failed.raw.decode()
    assert failed.headers["Access-Control-Allow-Origin"] == "*"


async def test_more_requests_than_the_server_takes(
    tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = server.runtime.settings
    limits = dataclasses.replace(settings.config.limits, max_concurrent_requests=0)
    monkeypatch.setattr(settings, "config", dataclasses.replace(settings.config, limits=limits))
    refused = await tenant.api.get("")
    text = "the server is busy; try again shortly"
    assert refused.error() == (503, "503", "service unavailable", {"message": text})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


async def test_knocking_too_often(tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = CostSettings(token_costs=60, rate_per_second=0.001)
    monkeypatch.setattr(server.runtime.access.costs, "_settings", lambda: settings)
    bad = tenant.root.acting("a.b.c")
    first, second = await bad.get(f"/accounts/{tenant.id}"), await bad.get(f"/accounts/{tenant.id}")
    assert (first.status, first.envelope["tokens"]) == (401, {"consumed": 60, "remaining": 40})
    assert second.error() == (429, "429", "too_many_requests", {"message": "too many requests"})
    assert "Retry-After" not in second.headers
    assert (await tenant.api.get("")).status == 200  # who has a token does not pay


@pytest.mark.parametrize(
    ("options", "told_apart"),
    [
        ({"reverse_proxies": ("127.0.0.1",)}, True),
        ({"reverse_proxies": ("127.0.0.0/8",)}, True),
        ({"reverse_proxies": ("192.0.2.0/24",)}, False),
        ({"reverse_proxies": (), "check_reverse_proxies": False}, True),
    ],
)
async def test_whose_word_on_the_clients_address_counts(
    options: dict[str, Any], told_apart: bool, tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = server.runtime.settings
    section = dataclasses.replace(settings.config.server, **options)
    monkeypatch.setattr(settings, "config", dataclasses.replace(settings.config, server=section))
    costs = CostSettings(token_costs=60, rate_per_second=0.001)
    monkeypatch.setattr(server.runtime.access.costs, "_settings", lambda: costs)

    async def knock(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return (await tenant.root.acting(None).get(f"/accounts/{tenant.id}", headers=headers)).status

    assert [await knock("203.0.113.1"), await knock("203.0.113.1")] == [401, 429]
    assert await knock("203.0.113.2") == (401 if told_apart else 429)
    # What a client makes up stands before what the proxy adds, and no address is the peer's own.
    assert await knock("203.0.113.77, 203.0.113.1") == 429
    assert await knock("2" * 65) == (401 if told_apart else 429)
    assert await knock("203.0.113.78, unknown") == 429


# Paths


@pytest.mark.parametrize("path", ["/accounts/{id}/", "/accounts/{id}///", "/account", "/account/", "/%61ccounts/{id}"])
async def test_ways_to_write_a_path(path: str, tenant: Tenant, server: RunningServer) -> None:
    url = URL(f"{server.url}/v2{path.format(id=tenant.id)}", encoded=True)
    async with tenant.api.session.get(url, headers={"X-Auth-Token": tenant.token}) as response:
        assert (response.status, (await response.json())["data"]["id"]) == (200, tenant.id)


async def test_the_alias_of_the_callers_account(tenant: Tenant, anonymous: Api, server: RunningServer) -> None:
    created = await tenant.root.put("/account/skels", {"a": 1})
    assert (await tenant.api.get(f"/skels/{created.id}")).data == created.data
    assert (await tenant.root.get("/account/nothing")).error() == NO_PATH
    assert (await tenant.root.get("/account/devices/status")).data == []
    for api in (anonymous, anonymous.acting("a.b"), anonymous.acting(await expired(server, tenant))):
        assert (await api.get("/account/skels")).error() == (401, "401", "invalid credentials", {})


async def test_an_argument_is_decoded_once(tenant: Tenant) -> None:
    for document_id in ("a/b", "a+b", "a%2Fb", "ä b", "users "):
        created = await tenant.api.put("/skels", {"id": document_id})
        location = created.headers["Location"]
        url = URL(f"{tenant.api.base.removesuffix('/v2')}{location}", encoded=True)
        async with tenant.api.session.get(url, headers={"X-Auth-Token": tenant.token}) as response:
            assert (await response.json())["data"]["id"] == document_id


# Verb tunnelling


async def test_verbs_inside_of_post(tenant: Tenant) -> None:
    created = await tenant.api.post("/skels", {"a": 1}, verb="put")
    assert (created.status, created.data["a"]) == (201, 1)
    path = f"/skels/{created.id}"
    assert created.headers["Location"].endswith(path)
    read = await tenant.api.post(path, {}, verb="GET")
    assert (read.status, read.data) == (200, created.data)
    merged = await tenant.api.post(path, {"b": 2}, query={"verb": "PATCH"})
    assert (merged.status, merged.data) == (200, {**created.data, "b": 2})
    listed = await tenant.api.post("/skels", {}, verb="GET")
    assert listed.data == [created.id]
    deleted = await tenant.api.post(path, {"verb": "delete"})
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})


async def test_an_order_inside_of_post_is_no_creation(tenant: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "x"})
    notify = {"data": {"event": "x"}}
    sent = await tenant.api.post(f"/devices/{device.id}", notify, verb="PUT", action="notify")
    assert (sent.status, sent.data) == (200, "NOTIFY sent")


async def test_verbs_that_are_not_offered_and_other_methods(tenant: Tenant) -> None:
    skel = await tenant.api.put("/skels", {"a": 1})
    path = f"/skels/{skel.id}"
    for verb in ("PUT", "OPTIONS", "PURGE"):
        assert (await tenant.api.post(path, {}, verb=verb)).error() == NO_METHOD
    read = await tenant.api.get(path, query={"verb": "DELETE"})
    assert (read.status, read.data) == (200, skel.data)
    assert (await tenant.api.get(path)).status == 200
    assert (await tenant.api.get(path, headers={"X-HTTP-Method-Override": "DELETE"})).data == skel.data


# Cross-origin requests


@pytest.mark.parametrize(
    "path",
    ["/accounts", "/accounts/short", f"/accounts/{NOBODY}/devices/x/y/z", f"/accounts/{NOBODY}/nothing", "/user_auth"],
)
async def test_preflights_need_nothing(path: str, anonymous: Api) -> None:
    asked = {**ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-auth-token"}
    answer = await anonymous.request("OPTIONS", path, headers=asked)
    assert (answer.status, answer.raw) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"content-type", "x-auth-token", "x-kazoo-cluster-id", "if-match"} <= set(allowed)
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"x-auth-token", "x-request-id", "location", "etag"} <= set(exposed)
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert "Content-Type" not in answer.headers


async def test_preflights_name_the_methods_of_the_path(tenant: Tenant, anonymous: Api) -> None:
    path = f"/accounts/{tenant.id}/skels"
    answer = await anonymous.request("OPTIONS", path, headers=ORIGIN)
    assert answer.headers["Access-Control-Allow-Methods"] == "OPTIONS, GET, PUT"
    answer = await anonymous.request("OPTIONS", path, headers={"Access-Control-Request-Method": "DELETE"})
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, OPTIONS, GET, PUT"


async def test_options_that_are_no_preflight(tenant: Tenant, anonymous: Api) -> None:
    assert (await anonymous.request("OPTIONS", f"/accounts/{tenant.id}/skels")).error() == NO_METHOD
    assert (await anonymous.request("OPTIONS", f"/accounts/{tenant.id}/nothing")).error() == NO_PATH
    for path in ("/nothing", "/account/skels"):
        refused = await anonymous.request("OPTIONS", path, headers=ORIGIN)
        assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")
    assert (await tenant.root.request("OPTIONS", "/account/skels", headers=ORIGIN)).status == 200


async def test_who_is_told_of_other_origins(tenant: Tenant, anonymous: Api) -> None:
    def told(answer: Answer) -> bool:
        present = {name in answer.headers for name in CORS}
        assert len(present) == 1
        return present.pop()

    assert not told(await tenant.api.get("/skels"))
    assert told(await tenant.api.get("/skels", headers=ORIGIN))
    assert told(await tenant.api.put("/skels", {}, headers=ORIGIN))
    for refused in (
        await anonymous.get("/nothing"),
        await tenant.api.get("/nothing"),
        await tenant.api.get(f"/skels/{NOBODY}"),
        await tenant.api.post("/skels", {}),
        await tenant.api.put("/skels", body=b"{"),
        await tenant.api.put("/groups", {}),
        await tenant.api.get("/skels", headers={"Accept": "image/png"}),
        await anonymous.request("PURGE", "/skels"),
    ):
        assert told(refused)
        assert refused.headers["Content-Type"] == "application/json"
