# SPDX-License-Identifier: MPL-2.0
"""What people read about the options, made from their declarations: `config.example.ini`, `docs/configuration.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from crossbar.config import OPTIONS, SECTIONS
from crossbar.options import Option, written

_EXAMPLE_HEAD = """\
# Every option of the server with its default. Copy what you change; what is left out keeps its default.
# An environment variable CROSSBAR_SECTION__OPTION goes before this file, an option on the command line before both.
# Lists are separated by commas or line breaks. Nothing after the = means: not set.
"""

_MANUAL_HEAD = """\
# Configuration

The server takes an option's value from the first of these that has it:

1. the command line (`crossbar serve --port 9000`), for the few options it offers;
2. the environment variable `CROSSBAR_SECTION__OPTION`, with two underscores: `CROSSBAR_SERVER__PORT=9000`;
3. the INI file given with `--config FILE`;
4. the default.

`crossbar config` prints the values in force and where each comes from. A section, option or variable that does not
exist, or a value that cannot be, stops the start with a message that names it and the nearest name there is.

Paths are relative to the folder the server is started in. Names in *KAZOO setting* are those of the `system_config`
documents an option stands for.

`CROSSBAR_ADMIN_PASSWORD` is no option: it is the password `crossbar init` and `crossbar serve --create-admin` give the
first user when none is named. `CROSSBAR_MONGOD` names the `mongod` program the embedded database runs.

This page and [`config.example.ini`](../config.example.ini) are made from the declarations in `crossbar/config.py`
by `make docs`.
"""


def example() -> str:
    """The text of `config.example.ini`."""
    return _EXAMPLE_HEAD + "".join(f"\n[{section}]\n{_example_section(section)}" for section in SECTIONS)


def _example_section(section: str) -> str:
    return "".join(
        f"# {option.why}\n{option.name} = {written(option.default)}".rstrip() + "\n" for option in _options(section)
    )


def manual() -> str:
    """The text of `docs/configuration.md`."""
    sections = (
        f"\n## [{section}]\n\n{inspect.getdoc(declaration)}\n{''.join(map(_form, _options(section)))}"
        for section, declaration in SECTIONS.items()
    )
    return _MANUAL_HEAD + "".join(sections)


def _form(option: Option) -> str:
    default = f"`{written(option.default)}`" if written(option.default) else "unset"
    rows = [
        f"- Values: {option.form.words}{' (secret: never shown)' if option.secret else ''}",
        f"- Default: {default}",
        f"- Environment: `{option.variable}`",
    ]
    if option.kazoo:
        rows.append(f"- KAZOO setting: `{option.kazoo}`")
    return f"\n### {option.name}\n\n{option.why}\n\n" + "\n".join(rows) + "\n"


def _options(section: str) -> Iterator[Option]:
    return (option for option in OPTIONS.values() if option.section == section)
