# SPDX-License-Identifier: MPL-2.0
"""`crossbar postman`: the API as a Postman collection, without a server or database."""

from __future__ import annotations

from pathlib import Path

import click

from crossbar import app
from crossbar.cli.command_parts import put_out
from crossbar.description import served


@click.command("postman")
@click.option("--environment", "is_environment", is_flag=True, help="The environment to fill in instead.")
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it to FILE.")
def show_postman(is_environment: bool, output: Path | None) -> None:
    """Print the API as a Postman collection, as `/postman.json` serves it."""
    put_out(served.environment_text() if is_environment else served.collected(app.WINGS), output)
