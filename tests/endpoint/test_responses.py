# SPDX-License-Identifier: MPL-2.0
"""What every answer has: the envelope, and how it is written."""

from __future__ import annotations

import gzip
import re
import time
from datetime import datetime

import orjson
from yarl import URL

from tests.harness import RunningServer, Tenant

NOBODY = "0" * 32
UNAUTHENTICATED = (401, "401", "invalid_credentials", {"message": "invalid credentials"})

# The envelope

ENVELOPE = {"data", "status", "auth_token", "request_id", "node", "version", "timestamp", "tokens"}
"""What there is in every envelope."""


async def test_the_envelope_of_a_success(tenant: Tenant) -> None:
    read = await tenant.api.get(f"/users/{tenant.admin_id}")
    envelope = read.envelope
    assert envelope.keys() == ENVELOPE | {"revision"}
    assert (envelope["status"], envelope["auth_token"]) == ("success", tenant.token)
    assert envelope["tokens"] == {"consumed": 0, "remaining": 100}
    assert re.fullmatch(r"[\w-]{22}", envelope["node"])
    assert re.fullmatch("[0-9a-f]{32}", envelope["request_id"])
    assert read.headers["X-Request-ID"] == envelope["request_id"]
    assert abs(datetime.fromisoformat(envelope["timestamp"]).timestamp() - time.time()) < 60
    assert envelope["timestamp"].endswith("Z")
    headers = {name: read.headers[name] for name in ("Content-Type", "Content-Language", "Vary", "Server")}
    assert headers == {
        "Content-Type": "application/json",
        "Content-Language": "en",
        "Vary": "accept-language, accept",
        "Server": "Cowboy",
    }


async def test_the_envelope_of_an_error(tenant: Tenant) -> None:
    refused = await tenant.api.get(f"/users/{NOBODY}")
    assert refused.envelope.keys() == ENVELOPE | {"error", "message"}
    assert refused.headers["Content-Type"] == "application/json"
    bad = await tenant.root.acting("a.b").get(f"/users/{NOBODY}")
    assert bad.envelope["auth_token"] == "a.b"


async def test_answers_to_curl_end_with_a_line_end(tenant: Tenant) -> None:
    """And with nothing else that is not there for others; whole, cut, compressed, streamed, refused."""
    curl = {"User-Agent": "curl/8.5.0", "Accept": "*/*", "Accept-Encoding": "gzip"}
    assert (await tenant.api.put("/devices", {"name": "One"})).status == 201
    for path in ("/users", "/users?pretty_print=true", "/devices?paginate=false", "/nothing", "/users?page_size=x"):
        told = await tenant.api.get(path, headers=curl)
        assert told.raw.endswith(b"}\n"), path
        assert not told.raw.endswith(b"\n\n")
        assert told.envelope["status"] in ("success", "error")
        other = await tenant.api.get(path, headers=curl | {"User-Agent": "SomeClient/1.0 curl/8"})
        assert (other.status, other.raw[-1:]) == (told.status, b"}")


async def test_the_request_id_of_the_client(tenant: Tenant) -> None:
    for path in ("", "/nothing"):
        answer = await tenant.api.get(path, headers={"X-Request-ID": "my-id"})
        assert (answer.envelope["request_id"], answer.headers["X-Request-ID"]) == ("my-id", "my-id")
    answer = await tenant.api.get("", headers={"X-Request-ID": "x" * 500})
    assert re.fullmatch("[0-9a-f]{32}", answer.envelope["request_id"])


async def test_where_the_token_may_stand(tenant: Tenant) -> None:
    api, path = tenant.root.acting(None), f"/accounts/{tenant.id}/skels"
    for answer in (
        await api.put(path, {"auth_token": tenant.token}),
        await api.put(path, {}, query={"auth_token": tenant.token}),
        await api.put(path, {}, auth_token=tenant.token),
        await api.put(path, body=orjson.dumps({"Auth-Token": tenant.token, "data": {}})),
        await api.put(path, {}, headers={"Authorization": f"Bearer {tenant.token}"}),
    ):
        assert (answer.status, answer.envelope["auth_token"]) == (201, tenant.token)
    first = await api.put(path, {"auth_token": tenant.token}, headers={"X-Auth-Token": "bad"})
    assert first.error() == UNAUTHENTICATED
    assert (await api.put(path, {}, headers={"Authorization": f"Digest {tenant.token}"})).error() == UNAUTHENTICATED


async def test_the_account_that_the_token_must_be_of(tenant: Tenant, stranger: Tenant) -> None:
    assert (await tenant.api.get("", headers={"X-Auth-Account-ID": tenant.id})).status == 200
    assert (await tenant.api.get("", headers={"X-Auth-Account-ID": stranger.id})).error() == UNAUTHENTICATED


# How it is written


async def test_indented(tenant: Tenant) -> None:
    for answer in (
        await tenant.api.get("", query={"pretty_print": "true"}),
        await tenant.api.get("", headers={"X-Pretty-Print": "true"}),
        await tenant.api.put("/skels", {}, pretty_print=True),
        await tenant.api.get("/nothing", headers={"X-Pretty-Print": "true"}),
    ):
        assert b'\n  "status": ' in answer.raw
    assert b"\n" not in (await tenant.api.get("", query={"pretty_print": "1"})).raw


async def test_jsonp(tenant: Tenant) -> None:
    async with tenant.api.session.get(
        f"{tenant.api.base}/accounts/{tenant.id}", params={"jsonp": "show", "auth_token": tenant.token}
    ) as response:
        text = await response.text()
    assert text.startswith('show({"data":')
    assert text.endswith("});")
    assert orjson.loads(text[5:-2])["data"]["id"] == tenant.id


async def test_compressed_where_it_is_worth_it(tenant: Tenant) -> None:
    async def get(path: str, accept: str) -> tuple[str | None, bytes]:
        url = f"{tenant.api.base}/accounts/{tenant.id}{path}"
        headers = {"X-Auth-Token": tenant.token, "Accept-Encoding": accept}
        async with tenant.api.session.request("GET", url, headers=headers, auto_decompress=False) as response:
            return response.headers.get("Content-Encoding"), await response.read()

    encoding, body = await get("", "gzip, deflate")
    assert encoding == "gzip"
    assert orjson.loads(gzip.decompress(body))["data"]["id"] == tenant.id
    assert (await get("", "identity"))[0] is None


async def test_languages(tenant: Tenant) -> None:
    for wanted, given in (("de-DE,de;q=0.9,en;q=0.5", "de-de"), ("en-GB", "en-gb"), ("", "en"), ("*", "en")):
        answer = await tenant.api.get("", headers={"Accept-Language": wanted})
        assert answer.headers["Content-Language"] == given


async def test_a_line_break_in_a_path_is_a_character_like_others(tenant: Tenant, server: RunningServer) -> None:
    url = URL(f"{server.url}/v2/accounts/{tenant.id}/devices/a%0Ab", encoded=True)
    async with tenant.api.session.get(url, headers={"X-Auth-Token": tenant.token}) as response:
        envelope = await response.json()
    assert (response.status, envelope["data"]) == (404, {"cause": "a\nb", "message": "bad identifier"})
