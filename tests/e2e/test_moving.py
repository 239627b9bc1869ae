"""An office that moves from one server to another with the commands that people type: by file, and by its API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from crossbar.documents.document import Document
from crossbar.documents.document_types import MENU
from crossbar.documents.listing import Listing
from tests.e2e.installed import COMMAND, environment
from tests.harness import RunningServer, ServerWith, until
from tests.moving.moves import differences
from tests.moving.world import World, answers, furnished

MENUS = 3_000


def settings(server: RunningServer, uri: str) -> dict[str, str]:
    """The environment in which a command works on a server's database."""
    config = server.runtime.config
    return environment(
        CROSSBAR_DATABASE__URI=uri,
        CROSSBAR_DATABASE__NAME=config.database.name,
        CROSSBAR_SERVER__DATA=str(config.server.data),
        CROSSBAR_LOG__LEVEL="warning",
    )


def crossbar(server: RunningServer, uri: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a server's database, to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], env=settings(server, uri), capture_output=True, text=True, check=False
    )


@asynccontextmanager
async def killed_when_it_has_begun(
    server: RunningServer, uri: str, account: str, *arguments: str
) -> AsyncIterator[int]:
    """Run a command, and `kill -9` it as soon as some menus are there; how many there are then."""
    with subprocess.Popen(
        [*COMMAND, *arguments], env=settings(server, uri), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:

        async def begun() -> bool:
            assert process.poll() is None, "it was done before it could be killed"
            return await server.runtime.store.exists(account, MENU)

        await until(begun)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    yield len(await server.runtime.store.all(Listing(account, MENU)))


@pytest.mark.parametrize("way", ["file", "api"])
async def test_an_office_moves(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tmp_path: Path, way: str
) -> None:
    world: World = await furnished(server)
    for number in range(MENUS):
        await server.runtime.store.insert(Document(world.id, MENU, f"m{number:05}", {"name": f"menu {number}"}))
    file, report = tmp_path / "office", tmp_path / "report.json"
    if way == "file":
        written = crossbar(server, mongo_uri, "export", "--account", world.id, "--descendants", str(file))
        assert written.returncode == 0, written.stderr
        assert f"to {file}." in written.stdout
        source = [str(file)]
    else:
        source = ["--from", server.url, "--account", world.id, "--token", server.master.token]
    async with server_with() as other:
        arguments = ["import", *source, "--report", str(report)]
        async with killed_when_it_has_begun(other, mongo_uri, world.id, *arguments) as taken:
            assert 0 < taken < MENUS
        told = await finished(other, mongo_uri, arguments, report)
        assert told["created"][MENU] >= MENUS - taken  # what is told of was there once, or is now
        for account_id in (world.id, world.below.id):
            before, after = await answers(server, account_id), await answers(other, account_id)
            assert differences(before, after) == []
        again = await finished(other, mongo_uri, arguments, report)
        assert (again["created"], again["updated"]) == ({}, {})
        assert again["skipped"][MENU] > MENUS


async def finished(server: RunningServer, uri: str, arguments: list[str], report: Path) -> dict[str, Any]:
    """What an import tells that runs to its end: passwords stay behind, and nothing else."""
    done = crossbar(server, uri, *arguments)
    assert done.returncode == 2, done.stderr
    told: dict[str, Any] = json.loads(report.read_text())
    reasons = [trouble["reason"] for trouble in told["not_taken_over"]]
    assert [reason for reason in reasons if not reason.startswith("the password of")] == []
    return told
