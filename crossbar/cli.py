"""The command `crossbar`: how a person starts and administers the server."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress, TextColumn
from rich.table import Table

import crossbar
from crossbar import app, ids, logs, manual
from crossbar.access.directory import Account
from crossbar.config import OPTIONS, Config, ConfigError
from crossbar.events.mail import spool_folder
from crossbar.events.spool import Spool
from crossbar.process import serving, supervisor
from crossbar.process.command_database import command_database
from crossbar.process.failures import told
from crossbar.process.serving import Listener, open_listeners
from crossbar.resources.apps.domain.app_registration import NoApp, Registered
from crossbar.resources.identity.domain.user_password import KnownUser, NobodyFound

Command = TypeVar("Command", bound=Callable[..., Any])

PASSWORD_VARIABLE = "CROSSBAR_ADMIN_PASSWORD"  # noqa: S105 - the name, not the password
PROBE_BYTES = 64 * 1024
FIRST_ACCOUNT = "Master"
FIRST_REALM = "master.localhost"
FIRST_USER = "admin"


def configured(command: Command) -> Command:
    """Give a command the options `--config` and `--data`."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.option("--data", metavar="DIR", help="Folder of all that is kept on disk.")(command)
    return click.option("--config", "config_file", type=file, help="INI file; see config.example.ini.")(command)


def load(config_file: Path | None, **given: str | int | None) -> Config:
    """The configuration with options of the section `server` that the command line gives."""
    overrides = {f"server.{name}": str(value) for name, value in given.items() if value is not None}
    return Config.load(config_file, os.environ, overrides)


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


@contextmanager
def for_people() -> Iterator[None]:
    """Turn what a person can mend into a message without a traceback."""
    try:
        yield
    except (NoApp, NobodyFound, supervisor.WorkersFailed) as error:
        raise click.ClickException(str(error)) from None
    except Exception as error:
        if (message := told(error)) is None:
            raise
        raise click.ClickException(message) from None


@click.group()
@click.version_option(crossbar.__version__, prog_name="crossbar")
def main() -> None:
    """A KAZOO Crossbar-compatible API server."""


@main.command()
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
    with for_people():
        config = load(config_file, data=data)
        logs.configure(config.log.format, config.log.level)
        require_writable(config.server.data)
        made = asyncio.run(_init(config, account=account, realm=realm, user=user, password=password))
    if made.created:
        click.echo(f"Created the master account {account} ({made.account_id}) and its administrator {user}.")
    else:
        click.echo(f"There is a master account already ({made.account_id}). Nothing was changed.")
    if as_json:
        click.echo(json.dumps({"account_id": made.account_id, "user_id": made.user_id, "api_key": made.api_key}))


async def _init(config: Config, **first: str) -> app.Bootstrap:
    async with command_database(config) as database_uri:
        return await app.bootstrap(config, database_uri=database_uri, **first)


@main.command()
@click.option("--bind", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 opens the server to the network.")
@click.option("--port", metavar="N", type=int, help="Port for plain HTTP.")
@click.option("--workers", metavar="N", type=int, help="Processes that share the port.")
@click.option("--create-admin", is_flag=True, help="On the first start, create a master account and show its log-in.")
@configured
def serve(
    *,
    bind: str | None,
    port: int | None,
    workers: int | None,
    create_admin: bool,
    config_file: Path | None,
    data: str | None,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C; requests in flight are finished."""
    with for_people():
        config = load(config_file, bind=bind, port=port, workers=workers, data=data)
        logs.configure(config.log.format, config.log.level)
        require_writable(config.server.data)
        serving.run(_serve(config, open_listeners(config), create_admin=create_admin))


async def _serve(config: Config, listeners: list[Listener], *, create_admin: bool) -> None:
    async with supervisor.database(config) as database_uri:
        if not await app.is_initialized(config, database_uri=database_uri):
            await _first_start(config, database_uri, create_admin=create_admin)
        urls = " and ".join(listener.url for listener in listeners)
        await supervisor.serve(
            app.build_app,
            config,
            database_uri=database_uri,
            listeners=listeners,
            ready=lambda: click.echo(f"Serving {urls}"),
        )


async def _first_start(config: Config, database_uri: str, *, create_admin: bool) -> None:
    """Create the first account if that is wanted, else say how to."""
    if not create_admin:
        click.echo("There is no account yet; `crossbar init` creates the first one.")
        return
    password = os.environ.get(PASSWORD_VARIABLE) or ids.new_secret(12)
    made = await app.bootstrap(
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
    _console().print(Panel.fit(log_in, title="Master account created. The password is shown this once."))


def _console() -> Console:
    """Standard output, taking text as it is; as wide as it has to be where no terminal limits it."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=1_000)


@main.group()
def apps() -> None:
    """Apps of user interfaces, as the apps store offers them."""


@apps.command()
@click.argument("place", metavar="FOLDER|URL")
@click.option("--api-url", metavar="URL", help="API the apps talk to; by default the user interface's own.")
@click.option(
    "--open-to",
    type=click.Choice(["all", "admins"]),
    help="Open the apps to accounts that decided nothing themselves; by default each account installs them.",
)
@configured
def register(
    place: str, *, api_url: str | None, open_to: str | None, config_file: Path | None, data: str | None
) -> None:
    """Register the app in FOLDER (or each app in its folders) or below URL; what is known is refreshed."""
    with for_people():
        config = load(config_file, data=data)
        logs.configure(config.log.format, config.log.level)
        found = asyncio.run(_register(config, place=place, api_url=api_url, allowed_users=open_to))
    for one in found:
        click.echo(f"{'Registered' if one.created else 'Refreshed'} {one.name} ({one.id}).")


async def _register(config: Config, *, place: str, api_url: str | None, allowed_users: str | None) -> list[Registered]:
    async with command_database(config) as uri:
        return await app.register_apps(
            config, database_uri=uri, place=place, api_url=api_url, allowed_users=allowed_users
        )


def of_account(command: Command) -> Command:
    """Give a command the option `--account`."""
    return click.option("--account", metavar="NAME", help="Name, realm or id; by default the master account.")(command)


@main.group()
def user() -> None:
    """Users, and a way back for who has lost a password."""


@user.command("list")
@of_account
@configured
def list_users(account: str | None, config_file: Path | None, data: str | None) -> None:
    """List the users of an account."""
    with for_people():
        config = load(config_file, data=data)
        logs.configure(config.log.format, config.log.level)
        found, users = asyncio.run(_list_users(config, account))
    table = Table("user name", "id", "name", "level", "enabled", title=f"{found.name}, {found.realm}", box=None)
    for one in users:
        table.add_row(one.username or "-", one.id, one.name, one.priv_level, "yes" if one.enabled else "no")
    _console().print(table)


async def _list_users(config: Config, account: str | None) -> tuple[Account, list[KnownUser]]:
    async with command_database(config) as uri:
        return await app.list_users(config, database_uri=uri, account=account)


@user.command("password")
@click.argument("user", metavar="USER")
@of_account
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the password from standard input, without asking.")
@configured
def set_password(user: str, account: str | None, from_stdin: bool, config_file: Path | None, data: str | None) -> None:
    """Give USER (a user name or id) another password; tokens from before are no longer good."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    with for_people():
        config = load(config_file, data=data)
        logs.configure(config.log.format, config.log.level)
        found, changed = asyncio.run(_set_password(config, account, user, password))
    click.echo(f"{changed.username} of {found.name} ({found.realm}) has the new password.")
    if not changed.enabled:
        click.echo("The user is disabled, and cannot log in before an administrator enables it.")


async def _set_password(config: Config, account: str | None, user: str, password: str) -> tuple[Account, KnownUser]:
    async with command_database(config) as uri:
        return await app.set_password(config, database_uri=uri, account=account, user=user, password=password)


@main.group()
def secrets() -> None:
    """Credentials that lie sealed in the database."""


@secrets.command()
@configured
def rotate(config_file: Path | None, data: str | None) -> None:
    """Seal all credentials under the first of `security.sealing_keys`; can be ended and begun again."""
    with for_people():
        config = load(config_file, data=data)
        logs.configure(config.log.format, config.log.level)
        with Progress(TextColumn("{task.completed} documents looked at"), console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=None)
            written = asyncio.run(_rotate(config, lambda looked_at: progress.update(bar, completed=looked_at)))
    click.echo(f"{written} documents were sealed anew. Keys behind the first are no longer needed.")


async def _rotate(config: Config, told: Callable[[int], None]) -> int:
    async with command_database(config) as uri:
        return await app.rotate_secrets(config, database_uri=uri, told=told)


@main.command("mail")
@click.argument("message_id", required=False)
@configured
def show_mail(message_id: str | None, config_file: Path | None, data: str | None) -> None:
    """List the messages in the mail spool, or show one."""
    with for_people():
        spool = Spool(spool_folder(load(config_file, data=data)))
    if message_id is not None:
        message = spool.read(message_id)
        if message is None:
            raise click.ClickException(f"there is no message {message_id} in the spool")
        click.echo(message.as_bytes())
        return
    table = Table("message", "created", "state", "to", "subject", box=None, pad_edge=False)
    for entry in spool.entries():
        if message := spool.read(entry.id):  # else it was delivered just now
            created = datetime.fromtimestamp(entry.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
            table.add_row(entry.id, created, "failed" if entry.failed else "waiting", message["To"], message["Subject"])
    _console().print(table)


@main.command("config")
@click.option("--example", "page", flag_value="example", help="Print config.example.ini instead.")
@click.option("--manual", "page", flag_value="manual", help="Print docs/configuration.md instead.")
@configured
def show_config(page: str | None, config_file: Path | None, data: str | None) -> None:
    """Print the configuration in force, and where each value comes from."""
    if page is not None:
        click.echo(getattr(manual, page)(), nl=False)
        return
    with for_people():
        config = load(config_file, data=data)
    table = Table("option", "value", "from", box=None, pad_edge=False)
    for name, option in OPTIONS.items():
        table.add_row(name, option.shown(config.value(option)), config.origin(option))
    _console().print(table)
