# SPDX-License-Identifier: MPL-2.0
"""The fenced blocks of the documents: what people are told to type, and what is shown to come of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
MORE = "…"
ANY = re.compile(r"[\w:-]*…|\b[0-9a-f]{24,32}\b|(?<=127\.0\.0\.1:)\d+")
"""What differs each time, in lines."""
REST = re.compile(r'"(?:[^"\\]|\\.)*"|…(?=\s*})')
"""A text, or what stands for the rest of an object."""


@dataclass(frozen=True)
class Block:
    """A fenced block; `reason` says why nobody can run it here, where that is so."""

    page: str
    language: str
    text: str
    reason: str | None

    @property
    def is_commands(self) -> bool:
        return self.language in ("sh", "console")


def blocks(page: str) -> list[Block]:
    """All blocks of a page."""
    found = FENCE.finditer((ROOT / page).read_text())
    return [Block(page, one["language"], one["text"], one["reason"]) for one in found]


def commands(block: Block) -> Iterator[tuple[str, str | None]]:
    """Each command of a block with the output shown below it; None in blocks that show none."""
    lines = block.text.splitlines(keepends=True)
    while lines:
        line = lines.pop(0)
        if block.language == "console":
            assert line.startswith("$ "), line
            line = line.removeprefix("$ ")
        while not is_whole(line):
            line += lines.pop(0)
        shown = ""
        while block.language == "console" and lines and not lines[0].startswith("$ "):
            shown += lines.pop(0)
        if line.strip():
            yield line, shown if block.language == "console" else None


def is_whole(command: str) -> bool:
    """Whether a shell would run this, instead of asking for another line."""
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return not command.endswith("\\\n")


def assert_as_shown(output: str, shown: str) -> None:
    """What came is what is shown: as JSON values where that is what is shown, else as lines.

    `…` stands for anything: in a text, and before the end of an object for whatever else is in it. Ids, passwords and
    ports are others than those shown.
    """
    if (expected := values(shown)) is not None:
        came = values(output)
        assert came is not None, output
        assert as_shown(came, expected) == expected, output
    else:
        pattern = ".*".join(map(re.escape, ANY.split(lines(shown))))
        assert re.fullmatch(pattern, lines(output)), output


def lines(output: str) -> str:
    """Lines, whatever their columns are apart."""
    return "\n".join(" ".join(line.split()) for line in output.strip().splitlines())


def values(output: str) -> list[Any] | None:
    """The JSON values that an output consists of; None where it is something else."""
    rest = REST.sub(lambda token: f'"{MORE}": null' if token[0] == MORE else token[0], output).strip()
    decoder, found = json.JSONDecoder(), []
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except ValueError:
            return None
        found.append(value)
        rest = rest[end:].strip()
    return found


def as_shown(value: Any, shown: Any) -> Any:
    """A value in which whatever the page leaves open reads as it does there.

    What is left in a token bucket depends on how fast the commands follow each other, and is not compared.
    """
    match value, shown:
        case str(), str() if shown.endswith(MORE) or _fits(value, shown):
            return shown
        case {"remaining": int()}, {"remaining": int(left)}:
            return {**value, "remaining": left}
        case dict(), dict():
            kept = {key: inner for key, inner in value.items() if MORE not in shown or key in shown}
            left_open = {MORE: None} if MORE in shown else {}
            return {key: as_shown(inner, shown.get(key)) for key, inner in kept.items()} | left_open
        case list(), list() if len(value) == len(shown):
            return [as_shown(inner, other) for inner, other in zip(value, shown, strict=True)]
    return value


def _fits(value: str, shown: str) -> bool:
    return MORE in shown and re.fullmatch(".*".join(map(re.escape, shown.split(MORE))), value, re.S) is not None
