"""The command `crossbar`: how a person starts and administers the server. A file a subject."""

from __future__ import annotations

import click

import crossbar
from crossbar.cli import apps, configuration, mail, secrets, start, users


@click.group()
@click.version_option(crossbar.__version__, prog_name="crossbar")
def main() -> None:
    """A KAZOO Crossbar-compatible API server."""


for command in (
    start.init,
    start.serve,
    apps.apps,
    users.user,
    secrets.secrets,
    mail.show_mail,
    configuration.show_config,
):
    main.add_command(command)
