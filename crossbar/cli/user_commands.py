# SPDX-License-Identifier: MPL-2.0
"""`crossbar user`: the users of an account, and their passwords."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.table import Table

from crossbar import administration
from crossbar.cli.command_parts import Command, configured, console, logging_config, with_database


def of_account(command: Command) -> Command:
    """Give a command the option `--account`."""
    return click.option("--account", metavar="NAME", help="Name, realm or id; by default the master account.")(command)


@click.group()
def user() -> None:
    """Users, and a way back for who has lost a password."""


@user.command("list")
@of_account
@configured
def list_users(account: str | None, config_file: Path | None, data: str | None) -> None:
    """List the users of an account."""
    with logging_config(config_file, data=data) as config:
        found, users = with_database(
            config, lambda uri: administration.list_users(config, database_uri=uri, account=account)
        )
    table = Table("user name", "id", "name", "level", "enabled", title=f"{found.name}, {found.realm}", box=None)
    for one in users:
        table.add_row(one.username or "-", one.id, one.name, one.priv_level, "yes" if one.enabled else "no")
    console().print(table)


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
    with logging_config(config_file, data=data) as config:
        found, changed = with_database(
            config,
            lambda uri: administration.set_password(
                config, database_uri=uri, account=account, user=user, password=password
            ),
        )
    click.echo(f"{changed.username} of {found.name} ({found.realm}) has the new password.")
    if not changed.enabled:
        click.echo("The user is disabled, and cannot log in before an administrator enables it.")
