# SPDX-License-Identifier: MPL-2.0
"""What all commands share: the configuration, the database, messages instead of tracebacks, output."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from crossbar import logs
from crossbar.archive import Damaged
from crossbar.care.demo import NoDemo
from crossbar.config import Config
from crossbar.documents.consistent_copy import TooMuchChange
from crossbar.documents.restoring import NotRestorable
from crossbar.moving.trouble import CannotMove
from crossbar.process import supervisor
from crossbar.process.command_database import command_database
from crossbar.process.failures import told
from crossbar.resources.apps.domain.app_registration import NoApp
from crossbar.resources.identity.domain.user_password import NobodyFound

Command = TypeVar("Command", bound=Callable[..., Any])
Result = TypeVar("Result")


def configured(command: Command) -> Command:
    """Give a command the options `--config` and `--data`."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.option("--data", metavar="DIR", help="Folder of all that is kept on disk.")(command)
    return click.option("--config", "config_file", type=file, help="INI file; see config.example.ini.")(command)


def load(config_file: Path | None, **given: str | int | None) -> Config:
    """The configuration with what the command line gives: options of the section `server`, or `section__option`."""
    names = {name: name.replace("__", ".") if "__" in name else f"server.{name}" for name in given}
    overrides = {names[name]: str(value) for name, value in given.items() if value is not None}
    return Config.load(config_file, os.environ, overrides)


@contextmanager
def for_people() -> Iterator[None]:
    """Turn what a person can mend into a message without a traceback."""
    try:
        yield
    except Damaged as error:
        raise click.ClickException(f"The file cannot be used: {error}.") from None
    except (
        NoApp, NobodyFound, NoDemo, NotRestorable, TooMuchChange, CannotMove, supervisor.WorkersFailed
    ) as error:  # fmt: skip
        raise click.ClickException(str(error)) from None
    except Exception as error:
        if (message := told(error)) is None:
            raise
        raise click.ClickException(message) from None


@contextmanager
def logging_config(
    config_file: Path | None, *, only_warnings: bool = False, **given: str | int | None
) -> Iterator[Config]:
    """As `load` and `for_people`, with the log as the configuration says, for commands that do work.

    With `only_warnings` for those that send requests themselves, which nobody wants to read of.
    """
    with for_people():
        config = load(config_file, **given)
        logs.configure(config.log.format, "warning" if only_warnings else config.log.level)
        yield config


def with_database(config: Config, work: Callable[[str], Awaitable[Result]]) -> Result:
    """What `work` returns for the URI of the database, which is started where nobody serves it."""

    async def run() -> Result:
        async with command_database(config) as database_uri:
            return await work(database_uri)

    return asyncio.run(run())


def put_out(text: bytes, output: Path | None) -> None:
    """Write something into a file, or print it."""
    if output is None:
        click.echo(text, nl=False)
        return
    with for_people():
        output.write_bytes(text)


def console() -> Console:
    """Standard output, taking text as it is; as wide as it has to be where no terminal limits it."""
    output = Console(highlight=False, markup=False)
    return output if output.is_terminal else Console(highlight=False, markup=False, width=1_000)
