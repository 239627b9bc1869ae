# SPDX-License-Identifier: MPL-2.0
"""The storage handler `ftp`, over a real FTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from aioftp import Permission, Server, User
from pymongo import MongoClient

from crossbar import clock
from tests.harness import RunningServer, Tenant
from tests.samples import MP3
from tests.stores import HANDLER, outside, plan_for, with_plan
from tests.voicemail import leave, new_box

SECRET = "p%2Fss w"


@dataclass
class FtpServer:
    folder: Path
    server: Server
    port: int

    def url(self, folder: str = "/in/files/", password: str = SECRET) -> dict[str, str]:
        return {"url": f"ftp://carol:{password}@127.0.0.1:{self.port}{folder}"}

    def files(self) -> dict[str, bytes]:
        """What lies there, by its path."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


@pytest_asyncio.fixture(loop_scope="session")
async def ftp(tmp_path: Path) -> AsyncIterator[FtpServer]:
    closed = Permission("/closed", writable=False)
    user = User("carol", "p/ss w", base_path=tmp_path, permissions=[Permission("/"), closed])
    server = Server([user])
    await server.start("127.0.0.1", 0)
    yield FtpServer(tmp_path, server, server.server_port)
    await server.close()


async def test_a_file_goes_there_and_comes_back(tenant: Tenant, server: RunningServer, ftp: FtpServer) -> None:
    await with_plan(tenant, plan_for(ftp.url(), "ftp", params={"folder_path": "voice"}))
    assert ftp.files() == {}, "the trial has left something"
    box = await new_box(tenant)
    message = await leave(tenant, box)
    [(path, contents)] = ftp.files().items()
    assert path.startswith(f"in/files/voice/{tenant.id}/")
    assert message in path
    assert contents == MP3
    assert (await tenant.api.get(f"/vmboxes/{box}/messages/{message}/raw")).raw == MP3
    second = await leave(tenant, box)
    assert len(ftp.files()) == 2
    assert (await tenant.api.get(f"/vmboxes/{box}/messages/{second}/raw")).raw == MP3


async def test_a_large_file_passes_in_pieces(tenant: Tenant, server: RunningServer, ftp: FtpServer) -> None:
    await with_plan(tenant, plan_for(ftp.url(), "ftp"))
    contents = bytes(range(256)) * 12_000
    media = await tenant.api.put("/media", {"name": "Greeting", "media_source": "upload"})
    await tenant.api.post(f"/media/{media.id}/raw", body=contents, content_type="audio/mp3")
    assert [*ftp.files().values()] == [contents]
    assert (await tenant.api.get(f"/media/{media.id}/raw")).raw == contents
    assert (await tenant.api.delete(f"/media/{media.id}", query={"should_soft_delete": "false"})).status == 200
    with clock.frozen(clock.unix_now() + 600):
        assert await outside(server).delete_given_up() is False
    assert ftp.files() == {}


async def test_what_is_refused(tenant: Tenant, ftp: FtpServer) -> None:
    for settings, code in ((ftp.url(password="wrong"), 530), (ftp.url("/closed/"), 550)):
        refused = await tenant.api.put("/storage", plan_for(settings, "ftp"))
        assert refused.error()[:3] == (400, "400", "validation error"), refused.envelope
        failure = refused.data[f"attachments.{HANDLER}"]["invalid"]
        assert failure["error_code"] == code
        assert SECRET not in str(refused.envelope)
    for url in ("http://127.0.0.1/", "ftp://", "ftp://host:port/", "ftp://127.0.0.1:1/"):
        refused = await tenant.api.put("/storage", plan_for({"url": url}, "ftp"))
        assert refused.status == 400, url
    assert (await tenant.api.get("/storage")).status == 404
    assert ftp.files() == {}


async def test_a_server_that_is_away_keeps_the_file_here(
    tenant: Tenant, server: RunningServer, ftp: FtpServer, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    await with_plan(tenant, plan_for(ftp.url(), "ftp"))
    await ftp.server.close()
    box = await new_box(tenant)
    message = await leave(tenant, box)
    path = f"/vmboxes/{box}/messages/{message}/raw"
    assert (await tenant.api.get(path)).raw == MP3
    [row] = (await tenant.api.get("/att_handlers_errors")).data
    error = (await tenant.api.get(f"/att_handlers_errors/{row['id']}")).data
    assert error["handler_props"]["url"] == f"ftp://127.0.0.1:{ftp.port}/in/files/"
    database = mongo_client[server.runtime.config.database.name]
    stored = [*database["documents"].find({"a": tenant.id}), *database["records"].find({"a": tenant.id})]
    assert SECRET not in str(stored)

    await ftp.server.start("127.0.0.1", ftp.port)
    with clock.frozen(clock.unix_now() + 7200):
        assert await outside(server).retry() == 0
    assert [*ftp.files().values()] == [MP3]
    assert (await tenant.api.get(path)).raw == MP3
