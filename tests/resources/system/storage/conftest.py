# SPDX-License-Identifier: MPL-2.0
"""A server that may reach stores on this machine, and such stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import boto3
import pytest
import pytest_asyncio
from moto.server import ThreadedMotoServer

from tests.harness import RunningServer, ServerWith
from tests.stores import S3, WebStore
from tests.web_server import web_server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """A server that may reach stores on this machine."""
    async with server_with(
        log__level="error", security__blocked_hosts="blocked.test", storage__timeout_s="5"
    ) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def web_store() -> AsyncIterator[WebStore]:
    store = WebStore()
    async with web_server(store.answer) as url:
        store.url = str(url / "files")
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
