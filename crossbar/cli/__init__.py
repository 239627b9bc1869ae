# SPDX-License-Identifier: MPL-2.0
"""The command `crossbar`: how a person starts and administers the server. A file a subject."""

from __future__ import annotations

import click

import crossbar
from crossbar.cli import (
    app_commands,
    backup_commands,
    check_commands,
    completion_commands,
    config_commands,
    demo_commands,
    mail_commands,
    moving_commands,
    openapi_commands,
    postman_commands,
    secret_commands,
    start_commands,
    user_commands,
)


@click.group()
@click.version_option(crossbar.__version__, prog_name="crossbar")
def main() -> None:
    """A KAZOO Crossbar-compatible API server."""


for command in (
    start_commands.init,
    start_commands.serve,
    app_commands.apps,
    user_commands.user,
    secret_commands.secrets,
    moving_commands.export,
    moving_commands.import_account,
    mail_commands.show_mail,
    config_commands.show_config,
    openapi_commands.show_openapi,
    backup_commands.backup,
    backup_commands.restore,
    check_commands.check,
    demo_commands.demo,
    completion_commands.completion,
    postman_commands.show_postman,
):
    main.add_command(command)
