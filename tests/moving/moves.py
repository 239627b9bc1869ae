# SPDX-License-Identifier: MPL-2.0
"""Exports and imports as commands make them, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossbar import administration
from crossbar.moving.export import ExportWanted
from crossbar.moving.file_format import AccountFile
from crossbar.moving.remote_api import ApiLogin, RemoteAccount
from crossbar.moving.report import MovingReport
from tests.harness import RunningServer


def nothing(_: int, __: int) -> None:
    """Hears of progress, and does not tell."""


async def written(server: RunningServer, uri: str, account: str, path: Path, **options: Any) -> Path:
    """The file of an account with those below it."""
    wanted = ExportWanted(path=path, **{"descendants": True, **options})
    await administration.export_account(
        server.runtime.config, database_uri=uri, account=account, wanted=wanted, told=nothing
    )
    return path


async def taken_in(
    server: RunningServer, uri: str, path: Path, *, passphrase: str | None = None, **options: Any
) -> MovingReport:
    """What came of taking in a file."""
    usual = {"parent": None, "dry_run": False, "told": nothing}
    file = AccountFile.checked(path, passphrase)
    return await administration.import_account(
        server.runtime.config, database_uri=uri, file=file, **{**usual, **options}
    )


async def fetched(server: RunningServer, uri: str, source: RunningServer, account: str, **options: Any) -> MovingReport:
    """What came of reading an account from another server's API.

    The options are those of the import, and `url` and `credentials` of the API.
    """
    remote = {name: options.pop(name) for name in ("url", "credentials") if name in options}
    api = {"url": source.url, "credentials": ApiLogin(token=source.master.token), **remote}
    usual = {"parent": None, "dry_run": False, "told": nothing}
    return await administration.import_from_api(
        server.runtime.config,
        database_uri=uri,
        source=RemoteAccount(account_id=account, **api),
        **{**usual, **options},
    )


def everything_skipped(report: MovingReport) -> bool:
    """Whether an import changed nothing."""
    return report.total("created") == report.total("updated") == 0 < report.total("skipped")


def troubles(report: MovingReport) -> dict[str, str]:
    """What was not taken over, and why."""
    return {one.what: one.reason for one in report.troubles}


def differences(before: Any, after: Any, at: str = "") -> list[str]:
    """Where two values differ, and how, a line each."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted(before.keys() | after.keys())
        return [line for key in keys for line in differences(before.get(key), after.get(key), f"{at} {key}")]
    if isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        return [line for pair in zip(before, after, strict=True) for line in differences(*pair, at)]
    return [] if before == after else [f"{at}: {before!r} != {after!r}"]


def given_away(lines: list[str]) -> list[str]:
    """Of some differences those that are not of what an API keeps to itself."""
    return [line for line in lines if "/security/attempts" not in line]
