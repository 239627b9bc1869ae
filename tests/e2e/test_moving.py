# SPDX-License-Identifier: MPL-2.0
"""An office that moves from one server to another with the commands that people type: by file, and by its API."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from crossbar.documents.document import Document
from crossbar.documents.document_types import MENU
from crossbar.documents.listing import Listing
from crossbar.moving.report import MovingReport
from tests.e2e.installed import COMMAND, environment
from tests.harness import RunningServer, ServerWith, until
from tests.moving.moves import differences, everything_skipped, fetched, given_away, taken_in
from tests.moving.world import World, answers, furnished

MENUS = 700


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """The server that it leaves; of the common one's other tests would show in what is compared."""
    async with server_with() as server:
        yield server


def settings(server: RunningServer, uri: str) -> dict[str, str]:
    """The environment in which a command works on a server's database."""
    config = server.runtime.config
    return environment(
        CROSSBAR_DATABASE__URI=uri,
        CROSSBAR_DATABASE__NAME=config.database.name,
        CROSSBAR_SERVER__DATA=str(config.server.data),
        CROSSBAR_LOG__LEVEL="warning",
    )


async def begun(server: RunningServer, uri: str, *arguments: str) -> Process:
    """A command on a server's database, which has just been started."""
    return await create_subprocess_exec(*COMMAND, *arguments, env=settings(server, uri), stdout=PIPE, stderr=PIPE)


async def crossbar(server: RunningServer, uri: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run a command on a server's database; its exit status, and what it printed and complained of."""
    process = await begun(server, uri, *arguments)
    printed, complaints = await process.communicate()
    return process.returncode, printed.decode(), complaints.decode()


async def killed_when_it_has_begun(server: RunningServer, uri: str, account: str, *arguments: str) -> int:
    """Run a command, and `kill -9` it as soon as some menus are there; how many there are then."""
    process = await begun(server, uri, *arguments)

    async def some_are_there() -> bool:
        assert process.returncode is None, "it was done before it could be killed"
        return await server.runtime.store.exists(account, MENU)

    await until(some_are_there)
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    await process.communicate()
    return len(await server.runtime.store.all(Listing(account, MENU)))


async def test_an_office_moves(server: RunningServer, server_with: ServerWith, mongo_uri: str, tmp_path: Path) -> None:
    world: World = await furnished(server)
    menus = (Document(world.id, MENU, f"m{number:05}", {"name": f"menu {number}"}) for number in range(MENUS))
    await asyncio.gather(*map(server.runtime.store.insert, menus))
    accounts, file = (world.id, world.below.id), tmp_path / "office"
    export = ("export", "--account", world.id, "--descendants", str(file))
    status, printed, complaints = await crossbar(server, mongo_uri, *export)
    assert (status, complaints) == (0, "")
    assert f"to {file}." in printed
    before = {account_id: await answers(server, account_id) for account_id in accounts}

    async with server_with() as other:
        await imported(other, mongo_uri, world.id, [str(file)], tmp_path / "file.json")
        for account_id in accounts:
            assert differences(before[account_id], await answers(other, account_id)) == []
        again(await taken_in(other, mongo_uri, file))

    async with server_with() as other:
        source = ["--from", server.url, "--account", world.id, "--token", server.master.token]
        await imported(other, mongo_uri, world.id, source, tmp_path / "api.json")
        for account_id in accounts:
            assert given_away(differences(before[account_id], await answers(other, account_id))) == []
        again(await fetched(other, mongo_uri, server, world.id))


async def imported(server: RunningServer, uri: str, account: str, source: list[str], report: Path) -> None:
    """Import an account by a command that is killed, and by another one."""
    arguments = ["import", *source, "--report", str(report)]
    taken = await killed_when_it_has_begun(server, uri, account, *arguments)
    assert 0 < taken < MENUS
    told = await finished(server, uri, arguments, report)
    assert told["created"][MENU] >= MENUS - taken  # what is told of was there once, or is now


def again(report: MovingReport) -> None:
    """What an import tells that finds everything there."""
    assert everything_skipped(report)
    assert report.counts["skipped"][MENU] > MENUS


async def finished(server: RunningServer, uri: str, arguments: list[str], report: Path) -> dict[str, Any]:
    """What an import tells that runs to its end: passwords stay behind, and nothing else."""
    status, _, complaints = await crossbar(server, uri, *arguments)
    assert status == 2, complaints
    told: dict[str, Any] = read(report)
    reasons = [trouble["reason"] for trouble in told["not_taken_over"]]
    assert [reason for reason in reasons if not reason.startswith("the password of")] == []
    return told


def read(report: Path) -> Any:
    return json.loads(report.read_text())
