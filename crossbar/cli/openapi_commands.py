"""`crossbar openapi`: the description of the API, without a server or database."""

from __future__ import annotations

from pathlib import Path

import click

from crossbar import app
from crossbar.description import served


@click.command("openapi")
@click.option("--format", "form", type=click.Choice([*served.FORMATS]), default="json", show_default=True)
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it to FILE.")
def show_openapi(form: str, output: Path | None) -> None:
    """Print the description of the API as OpenAPI 3.1, as `/openapi.json` serves it."""
    text = served.described(app.WINGS, form)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_bytes(text)
