# SPDX-License-Identifier: MPL-2.0
"""Nothing that a client sends ends in a fault of the server: odd paths, queries and bodies, on every route.

The caller is an account's administrator: what the routes of the system let such a one do is asked, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import orjson
import pytest_asyncio
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from crossbar.endpoint import Route
from tests.harness import RunningServer, Tenant, new_tenant
from trials.fuzz import ROUTES, is_meant, path_of
from trials.worlds import made_in

ODD_WORDS: Final = (
    *("", "0", "-1", "1.5", "9" * 25, "true", "null", "nan", "1e999", "²", "é", "\0", "\x01", "\r\n", "\u2028", "💩"),
    *("..", "/", "a/b", "a.b", "$a", "$$ROOT", "*", "[", "[]", "[[1]]", "{}", '"', "%", "%2F", "x" * 300, "f" * 32),
    *("202601-" + "a" * 32, "999999-x", "2026-01-01", "__proto__", "_id", "pvt_type"),
)
OPTIONS: Final = (
    *("page_size", "start_key", "end_key", "paginate", "descending", "fields", "is_chunked", "chunk_size", "accept"),
    *("created_from", "created_to", "modified_from", "filter_name", "filter_not_a.b", "has_key", "missing_value"),
    *("jsonp", "pretty_print", "verb", "q", "t", "v", "type", "as", "quick_call", "dry_run", "should_soft_delete"),
)
FIELDS: Final = (
    *("id", "name", "type", "action", "data", "owner_id", "enabled", "numbers", "flow", "members", "endpoints", "ids"),
    *("sip", "username", "password", "email", "realm", "mailbox", "pin", "media", "tts", "entries", "rules", "uri"),
    *("hook", "from", "to", "body", "start", "end", "status", "language", "timezone", "caller_id", "a.b", "$a", ""),
)

words = st.sampled_from(ODD_WORDS) | st.text(max_size=20)
integers = st.integers(-(2**63), 2**63 - 1)
scalars = st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(st.sampled_from(FIELDS), values, max_size=5)
queries = st.lists(st.tuples(st.sampled_from(OPTIONS), words), max_size=3)
bodies = st.tuples(st.just("application/json"), st.builds(lambda data: orjson.dumps({"data": data}), objects | values))
files = st.tuples(
    st.sampled_from(("audio/mpeg", "text/csv", "image/png", "text/plain", "multipart/form-data; boundary=b", "x")),
    st.binary(max_size=40) | st.just(b'--b\r\nContent-Type: t/\x01\r\n\r\n{"data":{}}\r\n--b--'),
)


@dataclass(frozen=True)
class Target:
    """An account, and the ids of what is in it by the name that templates have for them."""

    tenant: Tenant
    ids: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def target(server: RunningServer) -> Target:
    tenant = await new_tenant(server, server.master, "fuzzed")
    return Target(tenant, await made_in(tenant))


def check_envelope(status: int, content_type: str | None, body: bytes) -> None:
    assert content_type == "application/json"
    envelope = orjson.loads(body)
    assert envelope["status"] == ("success" if status < 400 else "error")
    assert {"request_id", "node", "timestamp"} <= envelope.keys()
    if status >= 400:
        assert envelope["error"] == str(status)
        assert envelope["message"]
        assert "data" in envelope


@settings(max_examples=10 * settings.default.max_examples)
@given(route=st.sampled_from(ROUTES), fill=words, known=st.booleans(), query=queries, sent=bodies | files)
async def test_odd_requests_are_no_fault_of_the_server(
    target: Target, *, route: Route, fill: str, known: bool, query: list[tuple[str, str]], sent: tuple[str, bytes]
) -> None:
    ids = target.ids if known else {"account_id": target.tenant.id}
    text = "&".join(f"{name}={quote(value)}" for name, value in query)
    api = target.tenant.api
    url = URL(f"{api.base.removesuffix('/v2')}{path_of(route, ids, fill)}?{text}", encoded=True)
    content_type, body = sent if route.verb != "GET" else ("application/json", b"")
    headers = {"X-Auth-Token": target.tenant.token, "Content-Type": content_type}
    session: ClientSession = api.session
    async with session.request(route.verb, url, data=body, headers=headers, allow_redirects=False) as response:
        answer = await response.read()
    if response.status >= 500:
        assert is_meant(route, answer), answer
    wanted_otherwise = {name for name, _ in query} & {"accept", "jsonp"}
    if response.status >= 400 or (response.content_type == "application/json" and not wanted_otherwise):
        check_envelope(response.status, response.headers.get("Content-Type"), answer)
