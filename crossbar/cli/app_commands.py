# SPDX-License-Identifier: MPL-2.0
"""`crossbar apps`: apps of user interfaces."""

from __future__ import annotations

from pathlib import Path

import click

from crossbar import administration
from crossbar.cli.command_parts import configured, logging_config, with_database


@click.group()
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
    with logging_config(config_file, data=data) as config:
        found = with_database(
            config,
            lambda uri: administration.register_apps(
                config, database_uri=uri, place=place, api_url=api_url, allowed_users=open_to
            ),
        )
    for one in found:
        click.echo(f"{'Registered' if one.created else 'Refreshed'} {one.name} ({one.id}).")
