"""What the README and the quickstart tell people to type does what they say."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installed import Installation, Shell

ROOT = Path(__file__).parent.parent.parent
MARK = "\x1e"
"""Printed after each command, so that its output can be told from the next one's."""


def exchanges(text: str) -> Iterator[tuple[str, str]]:
    """Each command in the page's console blocks, with the output shown below it."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for exchange in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = exchange.splitlines(keepends=True)
            end = next(end for end in range(1, len(lines) + 1) if is_whole("".join(lines[:end])))
            yield "".join(lines[:end]), "".join(lines[end:])


def is_whole(command: str) -> bool:
    """Whether a shell would run this, instead of asking for another line."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\\n")


def values(output: str) -> list[Any]:
    """The JSON values that an output consists of."""
    decoder, found, rest = json.JSONDecoder(), [], output.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def as_shown(value: Any, shown: Any) -> Any:
    """A value in which every text that the page cuts short (`…`) reads as it does there.

    What is left in a token bucket depends on how fast the commands follow each other, and is not compared.
    """
    match value, shown:
        case str(), str() if shown.endswith("…"):
            return shown
        case {"remaining": int()}, {"remaining": int(left)}:
            return {**value, "remaining": left}
        case dict(), dict():
            return {key: as_shown(inner, shown.get(key)) for key, inner in value.items()}
        case list(), list() if len(value) == len(shown):
            return [as_shown(inner, other) for inner, other in zip(value, shown, strict=True)]
    return value


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell with the variables that the pages set by hand."""
    folder = tmp_path_factory.mktemp("documents")
    with Installation(folder / "data").serving("--create-admin") as server:
        rows = dict(re.findall(r"│ (Account id|Password) +(\S+)", server.printed))
        variables = {"SERVER": server.url, "ACCOUNT_ID": rows["Account id"], "PASSWORD": rows["Password"]}
        yield Shell(folder, variables)


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_commands_do_what_the_page_says(page: str, shell: Shell) -> None:
    told = list(exchanges((ROOT / page).read_text()))
    assert told
    script = "\n".join(f"{command}printf '\\036'" for command, _ in told)
    outputs = shell.run(script).split(MARK)
    for (command, expected), output in zip(told, outputs, strict=False):
        shown = values(expected)
        assert as_shown(values(output), shown) == shown, command


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=str
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        if not target.startswith("http"):
            assert (ROOT / page.parent / target).exists(), target
