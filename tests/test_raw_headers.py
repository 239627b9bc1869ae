# SPDX-License-Identifier: MPL-2.0
"""Headers with bytes that are no UTF-8, as old clients send them: nowhere an error of the server's."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson
import pytest

from tests.dialects.speaker import basic
from tests.harness import RunningServer, Tenant, set_options

HEADERS: Final = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Content-Disposition",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Cookie",
    "Expect",
    "Forwarded",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Origin",
    "Range",
    "Referer",
    "User-Agent",
    "Wazo-Session-Type",
    "Wazo-Tenant",
    "X-Auth-Account-ID",
    "X-Auth-Token",
    "X-File-Name",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Pretty-Print",
    "X-Request-ID",
)
"""Every header that the server reads, and some that it might."""
LATIN: Final = b"caf\xe9"
VALUES: Final = {
    "Accept": (b"application/json;q=1, text/\xe9", b"application/json; x=\xe9"),
    "Authorization": (
        b"Basic \xe9",
        b"Basic Y2Fm6Tpw",
        b"Bearer \xe9",
        b'Digest username="caf\xe9", realm="XivoRealm"',
    ),
    "Content-Type": (b"application/json; charset=\xe9", b"multipart/form-data; boundary=\xe9", b"audio/\xe9"),
    "Forwarded": (b"for=\xe9;proto=\xe9",),
    "If-Match": (b'"\xe9"', b'*, "\xe9"'),
    "If-None-Match": (b'"\xe9"',),
    "Range": (b"bytes=0-\xe9",),
    "X-Auth-Token": (
        b"\xe9.\xe9.\xe9",
        b"kzt-" + b"\xe9" * 32 + b"-" + b"0" * 32 + b"-" + b"0" * 48,
        b"\xe9" * 36,
    ),
}
"""Further values of a header, beside a word of Latin-1."""


NO_TEMPLATE: Final = b"Failed to compile notification template"
"""KAZOO's 500 for a body of a template that is none."""


class Asked(NamedTuple):
    """A request, without the header that is wrong in it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


def values(name: str) -> tuple[bytes, ...]:
    return (LATIN, *VALUES.get(name, ()))


async def answer(server: RunningServer, asked: Asked, name: str, value: bytes) -> tuple[int, bytes]:
    """Status and whole answer of a request with a header as it is."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    headers = {"Host": "x", "Connection": "close", **asked.headers}
    if asked.body:
        headers |= {"Content-Length": str(len(asked.body))}
    kept = [f"{key}: {text}".encode() for key, text in headers.items() if key.lower() != name.lower()]
    head = [f"{asked.method} {asked.path} HTTP/1.1".encode(), *kept, name.encode() + b": " + value]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\r\n".join([*head, b"", asked.body]))
    told = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return int(told.split(b" ", 2)[1]), told


def of_crossbar(tenant: Tenant, skel: str) -> Iterator[Asked]:
    """Requests of the API, and of the pages beside it."""
    mine = {"X-Auth-Token": tenant.token or "", "Content-Type": "application/json"}
    below = f"/v2/accounts/{tenant.id}"
    digest = hashlib.md5(b"admin:correct horse").hexdigest()
    log_in = {"data": {"credentials": digest, "account_realm": tenant.realm}}
    yield Asked("GET", "/v2", {})
    yield Asked("OPTIONS", f"{below}/skels", {"Origin": "http://x"})
    yield Asked("GET", f"{below}/skels", mine)
    yield Asked("GET", f"{below}/skels", {**mine, "Accept": "text/csv"})
    yield Asked("GET", f"{below}/skels/{skel}", mine)
    yield Asked("PUT", f"{below}/skels", mine, b'{"data": {"name": "x"}}')
    yield Asked("POST", f"{below}/skels/{skel}", mine, b'{"data": {"name": "x"}}')
    yield Asked("PATCH", f"{below}/skels/{skel}", mine, b'{"data": {"name": "x"}}')
    yield Asked("DELETE", f"{below}/skels/x", mine)
    yield Asked("PUT", "/v2/user_auth", {"Content-Type": "application/json"}, orjson.dumps(log_in))
    yield Asked("PUT", "/v2/api_auth", {"Content-Type": "application/json"}, b'{"data": {"api_key": "x"}}')
    yield Asked("GET", f"{below}/media/x/raw", mine)
    yield Asked("POST", f"{below}/media/x/raw", {**mine, "Content-Type": "audio/mp3"}, b"ID3")
    yield Asked(
        "PUT", f"{below}/tasks?category=numbers&action=add", {**mine, "Content-Type": "text/csv"}, b"number\n1\n"
    )
    yield Asked("POST", f"{below}/notifications/voicemail_to_email", {**mine, "Content-Type": "text/html"}, b"<p>x</p>")
    yield Asked("GET", "/v2/websocket", {})
    for page in ("/", "/docs", "/status", "/openapi.json", "/metrics", "/nowhere", "/ui/"):
        yield Asked("GET", page, {})


def of_dialects(tenant: Tenant) -> Iterator[Asked]:
    """Requests of each dialect."""
    mine = {"X-Auth-Token": tenant.token or "", "Content-Type": "application/json", "Accept": "application/json"}
    named = {**mine, **basic(f"admin@{tenant.realm}", "correct horse")}
    anonymous = {"Content-Type": "application/json", "Accept": "application/json"}
    for below in ("/1.0", "/1.1"):
        yield Asked("GET", f"{below}/users", mine)
        yield Asked("GET", f"{below}/users", anonymous)
        yield Asked("GET", f"{below}/users/x", mine)
        yield Asked("POST", f"{below}/users", mine, b'{"firstname": "x"}')
        yield Asked("PUT", f"{below}/users/1", mine, b'{"firstname": "x"}')
        yield Asked("DELETE", f"{below}/users/x", mine)
        yield Asked("OPTIONS", f"{below}/users", {"Origin": "http://x"})
    yield Asked("POST", "/0.1/token", named, b'{"access_type": "offline", "client_id": "x"}')
    yield Asked("POST", "/0.1/token", anonymous, b"{}")
    yield Asked("GET", "/0.1/users", mine)
    yield Asked("GET", "/0.1/users", anonymous)
    yield Asked("POST", "/0.1/policies", mine, b'{"name": "x"}')
    yield Asked("HEAD", "/0.1/status", {})
    yield Asked("GET", "/api", {})


@pytest.mark.parametrize("name", HEADERS)
async def test_nowhere_an_error_of_the_servers(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    set_options(monkeypatch, server, "dialects", digest=True)
    skel = (await tenant.api.put("/skels", {"name": "x"})).id
    wrong = []
    for asked in [*of_crossbar(tenant, skel), *of_dialects(tenant)]:
        for value in values(name):
            status, told = await answer(server, asked, name, value)
            if status >= 500 and NO_TEMPLATE not in told:
                wrong.append((asked.method, asked.path, value, told[:300]))
                continue
            head, _, body = told.partition(b"\r\n\r\n")
            if body and b"application/json" in head and b"gzip" not in head and b"chunked" not in head:
                orjson.loads(body)
    assert wrong == []
    for rows in ("/audit", "/skels"):
        assert (await tenant.api.get(rows)).status == 200
    assert (await tenant.api.get("/security")).status < 500


async def test_an_answer_to_a_challenge(server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    set_options(monkeypatch, server, "dialects", digest=True)
    name = f"ana@{tenant.realm}"
    of_auth = {"X-Auth-Token": tenant.token or "", "Content-Type": "application/json"}
    user = orjson.dumps({"username": "ana", "password": "pass"})
    assert (await answer(server, Asked("POST", "/0.1/users", of_auth, user), "X", b""))[0] == 200
    asked = Asked("GET", "/1.1/users/me", {"Accept": "application/json"})
    _, told = await answer(server, asked, "X", b"")
    nonce = told.partition(b'nonce="')[2].partition(b'"')[0]
    parts = {
        b"username": name.encode(),
        b"realm": b"XivoRealm",
        b"nonce": nonce,
        b"uri": asked.path.encode(),
        b"response": b"x",
        b"qop": b"auth",
        b"nc": b"1",
        b"cnonce": b"x",
        b"algorithm": b"MD5",
    }
    for part in parts:
        sent = b", ".join(b'%s="%s"' % pair for pair in (parts | {part: b"\xe9"}).items())
        assert (await answer(server, asked, "Authorization", b"Digest " + sent))[0] == 401, part


async def test_what_is_kept_of_a_log_in_can_be_read(server: RunningServer, tenant: Tenant) -> None:
    asked = next(asked for asked in of_crossbar(tenant, "x") if asked.path == "/v2/user_auth")
    for name in ("User-Agent", "Referer", "Origin", "X-Forwarded-For", "Host"):
        status, _ = await answer(server, asked, name, LATIN)
        assert status == 201, name
    attempts = (await tenant.api.get("/security/attempts")).data
    assert len(attempts) == 5
    shown = [(await tenant.api.get(f"/security/attempts/{row['id']}")).data["client_headers"] for row in attempts]
    assert sum("caf\ufffd" in headers.values() for headers in shown) == 5
