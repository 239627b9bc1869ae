# SPDX-License-Identifier: MPL-2.0
"""Clients that go away while the server works for them."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from crossbar.documents.document import Document
from crossbar.endpoint.shielded_tasks import ShieldedTasks
from crossbar.errors import NotFound
from tests.harness import RunningServer, Tenant


async def test_a_write_is_done_to_its_end_when_its_client_goes(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, left, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    insert = server.runtime.store.insert

    async def slow_insert(document: Document) -> Document:
        begun.set()
        await left.wait()
        saved = await insert(document)
        done.set()
        return saved

    monkeypatch.setattr(server.runtime.store, "insert", slow_insert)
    host, _, port = server.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    body = orjson.dumps({"data": {"name": "mine"}})
    head = f"PUT /v2/accounts/{tenant.id}/devices HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {tenant.token}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await begun.wait()
    writer.close()
    await writer.wait_closed()
    assert (await tenant.api.get("/devices")).data == []  # the server has had the time to notice
    left.set()
    await asyncio.wait_for(done.wait(), 10)
    assert [row["name"] for row in (await tenant.api.get("/devices")).data] == ["mine"]


async def abandoned(unbroken: ShieldedTasks, error: Exception) -> None:
    """Work that fails when who waited for it has gone."""
    gone = asyncio.Event()

    async def work() -> None:
        await gone.wait()
        raise error

    waiting = asyncio.create_task(unbroken(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    gone.set()
    await unbroken.settle(10)


async def test_a_failure_that_nobody_hears_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await abandoned(ShieldedTasks(), KeyError("why"))
    assert caplog.messages == ["a request that its client left failed"]


async def test_a_refusal_that_nobody_hears_of_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    await abandoned(ShieldedTasks(), NotFound("x"))
    assert caplog.messages == []


async def test_work_that_takes_too_long_is_cancelled_in_the_end() -> None:
    unbroken = ShieldedTasks()
    work = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(unbroken(work))
    await asyncio.sleep(0)
    await unbroken.settle(0.01)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.cancelled()
