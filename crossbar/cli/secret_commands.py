# SPDX-License-Identifier: MPL-2.0
"""`crossbar secrets`: the keys under which credentials lie sealed."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TextColumn

from crossbar import administration
from crossbar.cli.command_parts import configured, logging_config, with_database


@click.group()
def secrets() -> None:
    """Credentials that lie sealed in the database."""


@secrets.command()
@configured
def rotate(config_file: Path | None, data: str | None) -> None:
    """Seal all credentials under the first of `security.sealing_keys`; can be ended and begun again."""
    columns = TextColumn("{task.completed} documents looked at")
    with (
        logging_config(config_file, data=data) as config,
        Progress(columns, console=Console(stderr=True)) as progress,
    ):
        bar = progress.add_task("", total=None)

        def show(looked_at: int) -> None:
            progress.update(bar, completed=looked_at)

        written = with_database(config, lambda uri: administration.rotate_secrets(config, database_uri=uri, told=show))
    click.echo(f"{written} documents were sealed anew. Keys behind the first are no longer needed.")
