# SPDX-License-Identifier: MPL-2.0
"""Sockets of several workers, and on ports of their own, from the start of a server to its end."""

from __future__ import annotations

import asyncio
import socket as system_socket
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from pymongo import MongoClient

from crossbar import app as application
from crossbar.background import in_background
from crossbar.config import Config
from crossbar.documents.document import Document
from crossbar.ids import new_id
from crossbar.process.serving import Listener, open_listeners, serve
from crossbar.resources.notices.domain.socket_register import SocketRegister
from crossbar.shared import BucketTable, Shared, WriteMarks
from tests.harness import Api, RunningServer, Tenant, Workers, bootstrapped, issue_token, new_person, new_tenant, until
from tests.process.test_serving import certificate
from tests.sockets import about, opened


async def test_sockets_hear_of_what_any_worker_writes(workers: Workers) -> None:
    first, second = workers
    tenant = await new_tenant(first, first.master, "acme")
    apis = [tenant.api, Api(tenant.api.session, second.master.api.base, tenant.token, tenant.api.prefix)]
    async with opened(first.url, tenant) as one, opened(second.url, tenant) as other:
        for socket in (one, other):
            await socket.subscribe("object.*.device")
        made: list[tuple[str, str]] = []
        for number in range(6):
            created = await apis[number % 2].put("/devices", {"name": f"Phone {number}"})
            await apis[(number + 1) % 2].patch(f"/devices/{created.id}", {"name": f"Telephone {number}"})
            made += [("doc_created", created.id), ("doc_edited", created.id)]
        assert about(await one.events(12)) == about(await other.events(12)) == made
        # Each worker tells of all sockets.
        told = [(await api.get("/websockets")).data for api in apis]
        assert told[0] == told[1]
        assert len(told[0]) == 2


async def test_a_token_ends_on_every_worker(workers: Workers) -> None:
    first, second = workers
    tenant = await new_tenant(first, first.master, "acme")
    person = await new_person(first, tenant, "gone", priv_level="admin")
    async with opened(second.url, tenant, token=person.token) as socket:
        await socket.subscribe("object.*.*")
        await person.api.request("DELETE", f"{first.url}/v2/token_auth")
        assert (await socket.closed(1.0))[:2] == (1008, "the token is not valid any more")


async def test_what_a_dead_worker_left_is_not_told_of(server: RunningServer, tenant: Tenant) -> None:
    left = {
        "pvt_worker": "gone",
        "pvt_labels": "{}",
        "account_id": tenant.id,
        "bindings": [],
        "websocket_session_id": "192.0.2.7:1001",
        "timestamp": 1,
        "destination": "host",
        "source": "192.0.2.7",
    }
    store = server.runtime.store
    row_of_dead = await store.insert(Document("websockets", "websocket", new_id(), left))
    async with opened(server.url, tenant) as socket:
        await socket.ask("ping")
        (row,) = (await tenant.api.get("/websockets")).data
        assert row["source"] == "127.0.0.1"
    assert (await tenant.api.get("/websockets/192.0.2.7:1001")).data == []
    # It is taken away when workers come or go.
    register = SocketRegister(store)
    await register.begin()

    async def is_gone() -> bool:
        return await store.get("websockets", "websocket", row_of_dead.id) is None

    async with in_background(register.run(lambda _: False), name="register"):
        await until(is_gone)
    await register.end()


def free_port() -> int:
    with system_socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def serving(config: Config, mongo_uri: str) -> AsyncIterator[tuple[list[Listener], Tenant, asyncio.Task[None]]]:
    """A server on its ports, its master account, and what to cancel to stop it."""
    made = await bootstrapped(config, mongo_uri)
    app = await application.build_app(
        config, database_uri=mongo_uri, shared=Shared(BucketTable(1024), WriteMarks(), new_id())
    )
    listeners, ready = open_listeners(config), asyncio.Event()
    task = asyncio.create_task(serve(app, listeners, config, ready=ready.set))
    await ready.wait()
    try:
        running = RunningServer(listeners[0].url, app[application.RUNTIME])
        token = await issue_token(running, made.account_id, made.user_id)
        async with ClientSession() as session:
            api = Api(session, f"{running.url}/v2", token, f"/accounts/{made.account_id}")
            yield listeners, Tenant(made.account_id, "master.test", made.user_id, token, api), task
    finally:
        if not task.cancelling():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_ports_of_their_own(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path) -> None:
    name = f"test-{uuid.uuid4().hex}"
    tls = {option.replace("__", "."): value for option, value in certificate(tmp_path).items()}
    ports = {"server.port": "0", "tls.port": "0"}
    sockets = {"blackhole.port": str(free_port()), "blackhole.tls_port": str(free_port())}
    common = {"server.data": str(tmp_path), "database.name": name, "log.level": "error"}
    trusting = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
    try:
        config = Config.load(None, {}, {**common, **tls, **ports, **sockets})
        async with serving(config, mongo_uri) as (listeners, master, task):
            api, _, plain, secure = (listener.url for listener in listeners)
            assert (plain, secure) == (
                f"ws://127.0.0.1:{sockets['blackhole.port']}",
                f"wss://127.0.0.1:{sockets['blackhole.tls_port']}",
            )
            async with master.api.session.get(plain.replace("ws", "http", 1)) as answer:
                assert answer.status == 426
            async with (
                opened(api, master) as of_api,
                opened(plain, master, path="/") as one,
                opened(secure, master, path="/any/path", ssl=trusting) as other,
            ):
                for socket in (of_api, one, other):
                    await socket.subscribe("object.doc_created.device")
                created = await master.api.put("/devices", {"name": "Phone"})
                for socket in (of_api, one, other):
                    assert (await socket.event())["data"]["id"] == created.id
                assert len((await master.api.get("/websockets")).data) == 3
                task.cancel()
                for socket in (of_api, one, other):
                    assert (await socket.closed())[:2] == (1001, "the server is shutting down")
        assert list(mongo_client[name]["documents"].find({"a": "websockets"})) == []
    finally:
        mongo_client.drop_database(name)
