# SPDX-License-Identifier: MPL-2.0
"""`crossbar config`: the configuration in force, and the pages made of the options' declarations."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from crossbar import manual
from crossbar.cli.command_parts import configured, console, for_people, load
from crossbar.config import OPTIONS


@click.command("config")
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
    console().print(table)
