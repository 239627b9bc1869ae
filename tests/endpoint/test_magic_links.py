# SPDX-License-Identifier: MPL-2.0
"""Links that need no token, over the whole server."""

from __future__ import annotations

import zlib

import pytest

from crossbar import clock
from crossbar.endpoint.magic_links import magic_link
from tests.harness import Answer, Api, RunningServer, Tenant, set_options


async def report_path(tenant: Tenant) -> str:
    """The path of a file that may be linked to."""
    reset = await tenant.api.post("/presence/101", {})
    concealed = reset.headers["Location"].removeprefix("/")
    return zlib.decompress(bytes.fromhex(concealed)).decode().partition("?")[0]


def is_unknown(answer: Answer) -> bool:
    """Whether it is answered like any path that is none of the API's."""
    return (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=UTF-8") and (
        b"The API lives under /v2." in answer.raw
    )


async def test_a_link_counts_until_it_is_over(
    tenant: Tenant, anonymous: Api, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "api", magic_link_lifetime_s=100)
    path = await report_path(tenant)
    now = clock.unix_now()
    with clock.frozen(now):
        link = server.url + magic_link(server.runtime, path)
    for seconds, counts in ((0, True), (99, True), (101, False)):
        with clock.frozen(now + seconds):
            answer = await anonymous.get(link)
        assert (answer.raw == b'{"timeout":true}') is counts
        assert is_unknown(answer) is not counts


async def test_what_the_server_did_not_sign_leads_nowhere(
    tenant: Tenant, stranger: Tenant, anonymous: Api, server: RunningServer
) -> None:
    path, other = await report_path(tenant), await report_path(stranger)
    assert is_unknown(await anonymous.get(f"{server.url}/no-such-path"))
    signed = zlib.decompress(bytes.fromhex(magic_link(server.runtime, path)[1:])).decode()
    for forged in (
        path,
        signed.replace(path, other),
        signed.replace("expires=1", "expires=2"),
        signed[:-64] + "0" * 64,
    ):
        assert is_unknown(await anonymous.get(f"{server.url}/{zlib.compress(forged.encode()).hex()}"))


async def test_kazoos_own_links_count_where_an_operator_wants_it(
    tenant: Tenant, anonymous: Api, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = f"{server.url}/{zlib.compress((await report_path(tenant)).encode()).hex()}"
    assert is_unknown(await anonymous.get(old))
    set_options(monkeypatch, server, "api", unsigned_magic_links=True)
    assert (await anonymous.get(old)).raw == b'{"timeout":true}'
    assert is_unknown(await anonymous.delete(old))
