# SPDX-License-Identifier: MPL-2.0
"""`crossbar completion`: commands and options at the press of a tab."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "crossbar"
VARIABLE = "_CROSSBAR_COMPLETE"
"""By which the shell asks the program for what fits."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what a shell has to read to complete commands; for bash: source <(crossbar completion bash)."""
    complete = get_completion_class(shell)
    assert complete is not None  # noqa: S101 - these shells are click's own
    click.echo(complete(context.find_root().command, {}, PROGRAM, VARIABLE).source())
