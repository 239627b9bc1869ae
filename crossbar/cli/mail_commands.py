# SPDX-License-Identifier: MPL-2.0
"""`crossbar mail`: the messages that wait to be sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from crossbar.cli.command_parts import configured, console, for_people, load
from crossbar.events.mail import spool_folder
from crossbar.events.spool import Spool


@click.command("mail")
@click.argument("message_id", required=False)
@configured
def show_mail(message_id: str | None, config_file: Path | None, data: str | None) -> None:
    """List the messages in the mail spool, or show one."""
    with for_people():
        _show(Spool(spool_folder(load(config_file, data=data))), message_id)


def _show(spool: Spool, message_id: str | None) -> None:
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
    console().print(table)
