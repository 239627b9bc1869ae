# SPDX-License-Identifier: MPL-2.0
"""`crossbar init` and `crossbar serve`: the first account, and the server."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

import click
from rich.panel import Panel
from rich.table import Table

from crossbar import administration, app, ids
from crossbar.cli.command_parts import configured, console, logging_config, with_database
from crossbar.config import Config, ConfigError
from crossbar.process import serving, supervisor
from crossbar.process.serving import Listener, open_listeners

PASSWORD_VARIABLE = "CROSSBAR_ADMIN_PASSWORD"  # noqa: S105 - the name, not the password
PROBE_BYTES = 64 * 1024
FIRST_ACCOUNT = "Master"
FIRST_REALM = "master.localhost"
FIRST_USER = "admin"


def require_writable(folder: Path) -> None:
    """Make the data folder if it is missing; ConfigError when nothing can be kept in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as error:
        advice = "Make room on its disk" if error.errno == errno.ENOSPC else "Name another with --data, or let us write"
        raise ConfigError(
            [f"cannot write to the data folder {folder} (server.data): {error.strerror}. {advice}."]
        ) from error


@click.command()
@click.option("--account", required=True, help="Name of the master account.")
@click.option("--realm", required=True, help="SIP realm of the master account.")
@click.option("--user", required=True, help="User name of its administrator.")
@click.option("--password", required=True, envvar=PASSWORD_VARIABLE, help=f"Default: ${PASSWORD_VARIABLE}.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON: account_id, user_id, api_key.")
@configured
def init(
    *, account: str, realm: str, user: str, password: str, as_json: bool, config_file: Path | None, data: str | None
) -> None:
    """Create the master account and its administrator; run again, change nothing."""
    with logging_config(config_file, data=data) as config:
        require_writable(config.server.data)
        made = with_database(
            config,
            lambda uri: administration.bootstrap(
                config, database_uri=uri, account=account, realm=realm, user=user, password=password
            ),
        )
    if made.created:
        click.echo(f"Created the master account {account} ({made.account_id}) and its administrator {user}.")
    else:
        click.echo(f"There is a master account already ({made.account_id}). Nothing was changed.")
    if as_json:
        click.echo(json.dumps({"account_id": made.account_id, "user_id": made.user_id, "api_key": made.api_key}))


@click.command()
@click.option("--bind", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 opens the server to the network.")
@click.option("--port", metavar="N", type=int, help="Port for plain HTTP.")
@click.option("--workers", metavar="N", type=int, help="Processes that share the port.")
@click.option("--ui", metavar="FOLDER", help="Built user interface to serve beside the API; its apps are registered.")
@click.option("--create-admin", is_flag=True, help="On the first start, create a master account and show its log-in.")
@configured
def serve(
    *,
    bind: str | None,
    port: int | None,
    workers: int | None,
    ui: str | None,
    create_admin: bool,
    config_file: Path | None,
    data: str | None,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C; requests in flight are finished."""
    with logging_config(config_file, bind=bind, port=port, workers=workers, data=data, ui__folder=ui) as config:
        require_writable(config.server.data)
        serving.run(_serve(config, open_listeners(config), create_admin=create_admin))
    click.echo(f"Stopped. All that was acknowledged is kept in {_kept_in(config)}.")


def _kept_in(config: Config) -> str:
    """Where documents are, as a person says it; an address of a database may hold a password."""
    return str(config.server.data) if config.database.uri is None else "the database"


async def _serve(config: Config, listeners: list[Listener], *, create_admin: bool) -> None:
    async with supervisor.database(config) as database_uri:
        if not await administration.is_initialized(config, database_uri=database_uri):
            await _first_start(config, database_uri, create_admin=create_admin)
        if config.ui.folder is not None:
            await _register_apps(config, database_uri, config.ui.folder)
        urls = " and ".join(listener.url for listener in listeners if not listener.events)
        sockets = " and ".join(listener.url for listener in listeners if listener.events)
        await supervisor.serve(
            app.build_app,
            config,
            database_uri=database_uri,
            listeners=listeners,
            ready=lambda: click.echo(f"Serving {urls}" + (f"\nSockets at {sockets}" if sockets else "")),
        )


async def _register_apps(config: Config, database_uri: str, folder: Path) -> None:
    """Put the apps of the interface into the apps store; one that cannot be is told of, and the server starts."""
    registered, problems = await administration.register_interface(config, database_uri=database_uri, folder=folder)
    for one in registered:
        if one.changed:
            click.echo(f"{'Registered' if one.created else 'Updated'} the app {one.name}.")
    for problem in problems:
        click.echo(f"Not registered: {problem}", err=True)


async def _first_start(config: Config, database_uri: str, *, create_admin: bool) -> None:
    """Create the first account if that is wanted, else say how to."""
    if not create_admin:
        click.echo("There is no account yet; `crossbar init` creates the first one.")
        return
    password = os.environ.get(PASSWORD_VARIABLE) or ids.new_secret(12)
    made = await administration.bootstrap(
        config, database_uri=database_uri, account=FIRST_ACCOUNT, realm=FIRST_REALM, user=FIRST_USER, password=password
    )
    log_in = Table.grid(padding=(0, 2))
    for label, value in (
        ("Account name", FIRST_ACCOUNT),
        ("Account id", made.account_id),
        ("User name", FIRST_USER),
        ("Password", password),
    ):
        log_in.add_row(label, value)
    console().print(Panel.fit(log_in, title="Master account created. The password is shown this once."))
