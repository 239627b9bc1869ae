# SPDX-License-Identifier: MPL-2.0
"""`crossbar openapi`: the description of the API, without a server or database."""

from __future__ import annotations

from pathlib import Path

import click

from crossbar import app
from crossbar.cli.command_parts import for_people, put_out
from crossbar.description import served
from crossbar.description.endpoint_pages import INDEX, MARK, pages


@click.command("openapi")
@click.option("--format", "form", type=click.Choice([*served.FORMATS]), default="json", show_default=True)
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it to FILE.")
@click.option(
    "--pages",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write docs/endpoints into FOLDER instead.",
)
def show_openapi(form: str, output: Path | None, folder: Path | None) -> None:
    """Print the description of the API as OpenAPI 3.1, as `/openapi.json` serves it."""
    if folder is not None:
        with for_people():
            write_pages(folder)
        return
    put_out(served.described(app.WINGS, form), output)


def write_pages(folder: Path) -> None:
    """Write the reference of endpoints, a page each; pages of endpoints that are gone go, too.

    Raises ClickException for a folder with pages of something else.
    """
    made = pages(app.WINGS)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    if any(folder.glob("*.md")) and not (index.is_file() and index.read_text("utf-8", "replace").startswith(MARK)):
        raise click.ClickException(f"There are other pages in {folder}, which would go. Name another folder.")
    for page in folder.glob("*.md"):
        if page.name not in made:
            page.unlink()
    for name, told in made.items():
        (folder / name).write_text(told)
