# SPDX-License-Identifier: MPL-2.0
"""`crossbar demo`: an account with something on every page."""

from __future__ import annotations

from pathlib import Path

import click
from rich.panel import Panel
from rich.table import Table

from crossbar.care import demo as example
from crossbar.cli.command_parts import configured, console, logging_config, with_database
from crossbar.cli.progress import progress_bars


@click.command()
@click.option("--account", metavar="NAME", default="Demo Office", show_default=True, help="Name of the account.")
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="Another number, other calls.")
@configured
def demo(*, account: str, seed: int, config_file: Path | None, data: str | None) -> None:
    """Create an account with an example office and a month of calls, while the server runs or not."""
    with logging_config(config_file, only_warnings=True, data=data) as config, progress_bars() as told:
        made = with_database(
            config, lambda uri: example.make_demo(config, database_uri=uri, account=account, seed=seed, told=told)
        )
    log_in = Table.grid(padding=(0, 2))
    for label, value in (
        ("Account name", made.account),
        ("Account id", made.account_id),
        ("User name", made.user),
        ("Password", made.password),
        ("Calls", str(made.calls)),
    ):
        log_in.add_row(label, value)
    console().print(Panel.fit(log_in, title="Example account created. The password is shown this once."))
