"""Exports and imports as commands make them, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossbar import app
from crossbar.moving.file_format import AccountFile
from crossbar.moving.remote_api import Credentials
from crossbar.moving.report import Report
from tests.harness import RunningServer


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
    """What came of taking in a file."""
    usual = {"parent": None, "dry_run": False, "told": nothing}
    file = AccountFile.checked(path, passphrase)
    return await app.import_account(server.runtime.config, database_uri=uri, file=file, **{**usual, **options})


async def fetched(server: RunningServer, uri: str, source: RunningServer, account: str, **options: Any) -> Report:
    """What came of reading an account from another server's API."""
    usual = {"descendants": True, "rate": None, "parent": None, "dry_run": False, "told": nothing}
    return await app.import_from_api(
        server.runtime.config,
        database_uri=uri,
        url=source.url,
        account_id=account,
        **{**usual, "credentials": Credentials(token=source.master.token), **options},
    )


def everything_skipped(report: Report) -> bool:
    """Whether an import changed nothing."""
    return report.total("created") == report.total("updated") == 0 < report.total("skipped")


def troubles(report: Report) -> dict[str, str]:
    """What was not taken over, and why."""
    return {one.what: one.reason for one in report.troubles}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Paths with another answer, and both answers."""
    paths = sorted(before.keys() | after.keys())
    return [(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)]
