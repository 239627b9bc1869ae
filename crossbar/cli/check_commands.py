# SPDX-License-Identifier: MPL-2.0
"""`crossbar check`: whether what is stored is as it should be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from crossbar.care import check as checking
from crossbar.care.check import CheckOutcome
from crossbar.cli.command_parts import configured, console, logging_config, with_database
from crossbar.cli.progress import progress_bars

FOUND: Final = 1
COULD_NOT: Final = 2


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without losing anything.")
@click.option("--remove-orphans", is_flag=True, help="Remove what lost its document or account, too.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@configured
def check(*, repair: bool, remove_orphans: bool, form: str, config_file: Path | None, data: str | None) -> None:
    """Look at everything that is stored, while the server runs or not.

    Ends with 0 where all is well by now, 1 where something is left, 2 where it could not be looked at.
    """
    try:
        with logging_config(config_file, data=data) as config, progress_bars() as told:
            outcome = with_database(
                config,
                lambda uri: checking.check(
                    config, database_uri=uri, repair=repair, remove_orphans=remove_orphans, told=told
                ),
            )
    except click.ClickException as error:
        error.show()
        sys.exit(COULD_NOT)
    if form == "json":
        click.echo(json.dumps(outcome.shown, indent=2))
    else:
        _print(outcome)
    sys.exit(FOUND if outcome.left else 0)


def _print(outcome: CheckOutcome) -> None:
    if outcome.findings:
        table = Table("kind", "where", "what", "", box=None, pad_edge=False)
        for finding in outcome.findings:
            able = "remove with --remove-orphans" if finding.destroys else "mend with --repair"
            state = "mended" if finding.mended else able if finding.repair else "left to you"
            table.add_row(finding.kind, finding.where, finding.detail, state)
        console().print(table)
    mended = len(outcome.findings) - outcome.left
    click.echo(f"Looked at {outcome.looked_at} documents: {len(outcome.findings)} found, {mended} mended.")
