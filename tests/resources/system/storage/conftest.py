"""A server that may reach stores on this machine, and such stores."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import boto3
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from moto.server import ThreadedMotoServer
from pymongo import MongoClient

from tests.harness import RunningServer, Tenant, new_tenant, own_server
from tests.stores import S3, WebStore


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServer]:
    """A server that may reach stores on this machine."""
    options = {"log.level": "error", "security.blocked_hosts": "blocked.test", "storage.timeout_s": "5"}
    async with own_server(mongo_uri, mongo_client, tmp_path_factory.mktemp("data"), options) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def tenant(server: RunningServer) -> Tenant:
    return await new_tenant(server, server.master, f"stores{uuid.uuid4().hex[:12]}")


@pytest_asyncio.fixture(loop_scope="session")
async def web_store() -> AsyncIterator[WebStore]:
    store = WebStore()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", store.answer)
    async with TestServer(app) as running:
        store.url = str(running.make_url("/files"))
        yield store


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    running = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    client.create_bucket(Bucket="recordings")
    yield S3(port, client)
    running.stop()
