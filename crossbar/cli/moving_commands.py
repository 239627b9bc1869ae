# SPDX-License-Identifier: MPL-2.0
"""`crossbar export` and `crossbar import`: accounts out of this installation, and into it."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.table import Table

from crossbar import administration
from crossbar.cli.command_parts import Command, configured, console, for_people, logging_config, with_database
from crossbar.cli.progress import progress_bars
from crossbar.config import Config
from crossbar.moving.export import NOT_ONE_MOMENT, ExportWanted, Told
from crossbar.moving.file_format import AccountFile
from crossbar.moving.remote_api import ApiLogin, RemoteAccount
from crossbar.moving.report import CREATED, OUTCOMES, SKIPPED, UPDATED, MovingReport

PASSPHRASE_VARIABLE = "CROSSBAR_PASSPHRASE"  # noqa: S105 - the name, not the passphrase
TROUBLES_SHOWN = 50
"""Of more the report alone tells."""
FILE = click.Path(dir_okay=False, path_type=Path)


@contextmanager
def _progress(what: str) -> Iterator[Told]:
    """A bar on standard error where that is a terminal; else nothing."""
    with progress_bars() as told:
        yield lambda done, total: told(what, done, max(done, total))


def _passphrase(command: Command) -> Command:
    """Give a command the option `--passphrase`."""
    told = f"Encrypted under a passphrase, which is asked for unless ${PASSPHRASE_VARIABLE} has it."
    return click.option("--passphrase", "with_passphrase", is_flag=True, help=told)(command)


def _asked(*, wanted: bool, twice: bool) -> str | None:
    """The passphrase, where one is wanted or the environment has one."""
    known = os.environ.get(PASSPHRASE_VARIABLE)
    if known or not wanted:
        return known or None
    asked: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=twice)
    return asked


@click.command()
@click.argument("file", type=FILE)
@click.option("--account", metavar="NAME", help="Name, realm or id; by default the master account.")
@click.option("--descendants", is_flag=True, help="The accounts below it, too.")
@click.option(
    "--without-secrets", is_flag=True, help="Leave out credentials that lie sealed, and digests of passwords."
)
@_passphrase
@configured
def export(
    file: Path,
    *,
    account: str | None,
    descendants: bool,
    without_secrets: bool,
    with_passphrase: bool,
    config_file: Path | None,
    data: str | None,
) -> None:
    """Write an account with everything that belongs to it to FILE, which only you may read."""
    wanted = ExportWanted(
        path=file,
        descendants=descendants,
        with_secrets=not without_secrets,
        passphrase=_asked(wanted=with_passphrase, twice=True),
    )
    with logging_config(config_file, data=data) as config, _progress("exporting") as told:
        exported = with_database(
            config,
            lambda uri: administration.export_account(
                config, database_uri=uri, account=account, wanted=wanted, told=told
            ),
        )
    click.echo(f"Wrote {exported.documents.total()} documents and {exported.attachments} attachments to {file}.")
    if not exported.is_consistent:
        click.echo(f"Beware: {NOT_ONE_MOMENT}.", err=True)
    for left_out in exported.left_out:
        click.echo(f"Left out: {left_out}", err=True)


@click.command("import")
@click.argument("file", type=FILE, required=False)
@click.option("--from", "url", metavar="URL", help="Read from the Crossbar API there instead of from FILE.")
@click.option("--account", metavar="ID", help="With --from: the account to read.")
@click.option("--without-descendants", is_flag=True, help="With --from: not the accounts below it.")
@click.option("--api-key", envvar="CROSSBAR_FROM_API_KEY", metavar="KEY", help="With --from: an account's API key.")
@click.option("--user", metavar="NAME", help="With --from: a user name; the password is asked for.")
@click.option("--user-realm", metavar="REALM", help="With --from: the realm of the user's account.")
@click.option("--password", envvar="CROSSBAR_FROM_PASSWORD", help="The user's. Default: $CROSSBAR_FROM_PASSWORD.")
@click.option("--token", envvar="CROSSBAR_FROM_TOKEN", help="With --from: a token. Default: $CROSSBAR_FROM_TOKEN.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="With --from: requests a second."
)
@click.option("--parent", metavar="NAME", help="Account to go below: name, realm or id; by default the master account.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would be done.")
@click.option("--report", "report_file", type=FILE, metavar="FILE", help="Write the report there, too, as JSON.")
@_passphrase
@configured
def import_account(
    file: Path | None,
    *,
    url: str | None,
    account: str | None,
    without_descendants: bool,
    rate: float | None,
    parent: str | None,
    dry_run: bool,
    report_file: Path | None,
    with_passphrase: bool,
    config_file: Path | None,
    data: str | None,
    **log_in: str | None,
) -> None:
    """Take in the accounts of FILE, or of a Crossbar API; again, what changed. What is the same is skipped."""
    if (file is None) == (url is None):
        raise click.UsageError("Either FILE or --from is wanted.")
    if file is not None:
        with for_people():
            checked = AccountFile.checked(file, _asked(wanted=with_passphrase, twice=False))

        def work(config: Config, uri: str, told: Told) -> Awaitable[MovingReport]:
            return administration.import_account(
                config, database_uri=uri, file=checked, parent=parent, dry_run=dry_run, told=told
            )

    else:
        if account is None:
            raise click.UsageError("--from wants --account, the id of the account there.")
        source = RemoteAccount(
            url=url or "",
            credentials=_credentials(**log_in),
            account_id=account,
            descendants=not without_descendants,
            rate=rate,
        )

        def work(config: Config, uri: str, told: Told) -> Awaitable[MovingReport]:
            return administration.import_from_api(
                config, database_uri=uri, source=source, parent=parent, dry_run=dry_run, told=told
            )

    with logging_config(config_file, data=data) as config, _progress("importing") as told:
        report = with_database(config, lambda uri: work(config, uri, told))
    _tell(report, report_file, dry_run=dry_run)


def _credentials(
    *, api_key: str | None, user: str | None, user_realm: str | None, password: str | None, token: str | None
) -> ApiLogin:
    """How to log in at the API."""
    if user is not None and password is None:
        password = click.prompt(f"Password of {user}", hide_input=True)
    return ApiLogin(token, api_key, user, user_realm, password)


def _tell(report: MovingReport, report_file: Path | None, *, dry_run: bool) -> None:
    """Print a report; exit status 2 where something was not taken over."""
    table = Table("type", *OUTCOMES, box=None, pad_edge=False)
    for name, counts in report.rows:
        table.add_row(name, *map(str, counts))
    console().print(table)
    done = "Would have created" if dry_run else "Created"
    created, updated, skipped = (report.total(outcome) for outcome in (CREATED, UPDATED, SKIPPED))
    click.echo(f"{done} {created}, updated {updated}, skipped {skipped}.")
    for note in report.notes:
        click.echo(f"Note: {note}.")
    for trouble in list(report.troubles)[:TROUBLES_SHOWN]:
        click.echo(f"Not taken over: {trouble.what}: {trouble.reason}", err=True)
    if (more := len(report.troubles) - TROUBLES_SHOWN) > 0:
        click.echo(f"Not taken over: {more} more; see --report.", err=True)
    if report_file is not None:
        with for_people():
            report_file.write_text(json.dumps({"dry_run": dry_run, **report.as_json}, indent=2) + "\n")
    if report.troubles:
        raise SystemExit(2)
