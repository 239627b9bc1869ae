# SPDX-License-Identifier: MPL-2.0
"""`crossbar backup` and `crossbar restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crossbar.access.pepper import FILE
from crossbar.archive import written_whole
from crossbar.care import backup as backing_up
from crossbar.care import backup_file
from crossbar.care import restore as restoring
from crossbar.cli.command_parts import configured, for_people, logging_config, with_database
from crossbar.cli.progress import progress_bars
from crossbar.config import Config

MEGABYTE = 10**6


@click.command()
@click.argument("file", metavar="FILE|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--verify", is_flag=True, help="Read FILE through instead, without a database.")
@click.option("--with-keys", is_flag=True, help="Put the pepper and the sealing keys into the file, too.")
@configured
def backup(file: Path, *, verify: bool, with_keys: bool, config_file: Path | None, data: str | None) -> None:
    """Back up the whole database into FILE (`-`: standard output) while it is in use; FILE is verified, then named."""
    if verify:
        _verify(file)
        return
    with logging_config(config_file, data=data) as config:
        if str(file) == "-":
            _write(config, sys.stdout.buffer, with_keys=with_keys)
        else:
            with written_whole(file) as draft:
                size = _write(config, draft, with_keys=with_keys)
                draft.flush()
                with progress_bars() as told:
                    backup_file.verify(Path(draft.name), told)
            click.echo(f"Backed up into {file}, {size / MEGABYTE:.1f} MB.", err=True)
    _tell_of_keys(config, with_keys=with_keys)


def _write(config: Config, file: Any, *, with_keys: bool) -> int:
    with progress_bars() as told:
        return with_database(
            config,
            lambda uri: backing_up.write_backup(config, database_uri=uri, file=file, with_keys=with_keys, told=told),
        )


def _tell_of_keys(config: Config, *, with_keys: bool) -> None:
    if with_keys:
        click.echo("The keys are in it: whoever has the file can log in as anybody. Keep it secret.", err=True)
        return
    pepper = config.security.password_pepper
    names = ["security.password_pepper" if pepper else str(config.server.data / FILE)]
    if config.security.sealing_keys:
        names.append("security.sealing_keys")
    click.echo(f"Keep {' and '.join(names)}, too, and elsewhere: the file is of no use without.", err=True)


def _verify(file: Path) -> None:
    with for_people(), progress_bars() as told:
        header = backup_file.verify(file, told)
    keys = "with the keys" if header.get("keys") else "without the keys"
    made = f"of the database {header['database']}, begun {header['began']} by {header['server']}"
    click.echo(f"{file} is a whole backup {made}, {keys}.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put the backup in the place of what is in the database.")
@click.option("--yes", is_flag=True, help="Do not ask for the name of the database that is replaced.")
@click.option("--other-keys", is_flag=True, help="Restore though the pepper, or a sealing key, is another one.")
@configured
def restore(
    file: Path, *, replace: bool, yes: bool, other_keys: bool, config_file: Path | None, data: str | None
) -> None:
    """Restore the backup in FILE into an empty database; stop the server first. Can be ended and begun again."""
    with logging_config(config_file, data=data) as config:

        async def permit() -> bool:
            return replace and (yes or _is_named(config.database.name))

        with progress_bars() as told:
            done = with_database(
                config,
                lambda uri: restoring.restore_backup(
                    config, database_uri=uri, path=file, permit=permit, other_keys=other_keys, told=told
                ),
            )
    for note in done["notes"]:
        click.echo(note, err=True)
    counts = done["counts"]
    click.echo(f"Restored {sum(counts.values())} documents: " + ", ".join(f"{name} {n}" for name, n in counts.items()))


def _is_named(database: str) -> bool:
    """Whether the person knows what will be lost."""
    click.echo(f"All that is in the database {database} will be lost.", err=True)
    typed = click.prompt("Type its name to go on", default="", show_default=False, err=True)
    if typed != database:
        raise click.ClickException("That is not its name. Nothing was changed.")
    return True
