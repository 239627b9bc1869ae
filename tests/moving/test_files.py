"""Accounts in files: written by one server, taken in by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossbar import app
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.moving.file_format import AccountFile
from crossbar.moving.report import Report
from tests.harness import RunningServer, ServerWith
from tests.moving.world import World, answers

PEPPER = "the pepper of two servers"


def nothing(_: int, __: int) -> None:
    """Hears of progress, and does not tell."""


async def written(server: RunningServer, uri: str, account: str, path: Path, **options: Any) -> Path:
    """The file of an account with those below it."""
    usual = {"descendants": True, "with_secrets": True, "passphrase": None, "told": nothing}
    await app.export_account(
        server.runtime.config, database_uri=uri, account=account, path=path, **{**usual, **options}
    )
    return path


async def taken_in(
    server: RunningServer, uri: str, path: Path, *, passphrase: str | None = None, **options: Any
) -> Report:
    usual = {"parent": None, "dry_run": False, "told": nothing}
    file = AccountFile.checked(path, passphrase)
    return await app.import_account(server.runtime.config, database_uri=uri, file=file, **{**usual, **options})


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Paths with another answer, and both answers."""
    paths = sorted(before.keys() | after.keys())
    return [(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)]


def everything_skipped(report: Report) -> bool:
    return report.total("created") == report.total("updated") == 0 < report.total("skipped")


async def test_another_server_answers_the_same(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, world.id, tmp_path / "account")
    async with server_with() as other:
        assert (await taken_in(other, mongo_uri, path, dry_run=True)).total("created") > 50
        assert await other.runtime.store.get(ACCOUNTS, ACCOUNT, world.id) is None
        report = await taken_in(other, mongo_uri, path)
        assert (report.total("updated"), report.total("skipped")) == (0, 0)
        for account_id in (world.id, world.below.id):
            before, after = await answers(server, account_id), await answers(other, account_id)
            assert differences(before, after) == []
        again = await taken_in(other, mongo_uri, path)
        assert everything_skipped(again)
