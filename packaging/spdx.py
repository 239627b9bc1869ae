# SPDX-License-Identifier: MPL-2.0
"""Gives every source file the line that says its license: `python packaging/spdx.py`; with `--check` it only looks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
IDENTIFIER: Final = "SPDX-License-Identifier: MPL-2.0"
LINES: Final = {
    ".py": f"# {IDENTIFIER}",
    ".sh": f"# {IDENTIFIER}",
    ".yml": f"# {IDENTIFIER}",
    ".yaml": f"# {IDENTIFIER}",
    ".service": f"# {IDENTIFIER}",
    ".toml": f"# {IDENTIFIER}",
    ".cfg": f"# {IDENTIFIER}",
    ".js": f"// {IDENTIFIER}",
    ".cjs": f"// {IDENTIFIER}",
    ".lua": f"-- {IDENTIFIER}",
    ".css": f"/* {IDENTIFIER} */",
    ".html": f"<!-- {IDENTIFIER} -->",
    "Makefile": f"# {IDENTIFIER}",
    "Dockerfile": f"# {IDENTIFIER}",
    "run": f"# {IDENTIFIER}",
}
"""By the end of a file's name, or the whole of it."""


def sources(root: Path = ROOT) -> list[Path]:
    """All source files that belong to the project, new ones included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    files = [root / name for name in listed if name]
    return [file for file in files if line_of(file) and file.is_file()]


def line_of(file: Path) -> str | None:
    """The line that a file is to have, or None for one that is no source."""
    return LINES.get(file.name) or LINES.get(file.suffix)


def lacks(text: str) -> bool:
    """Whether a text has none among its first lines."""
    return IDENTIFIER not in "".join(text.splitlines(keepends=True)[:2])


def with_line(text: str, line: str) -> str:
    """A text with the line at its beginning, behind what has to be there first."""
    first, end, rest = text.partition("\n")
    if first.startswith(("#!", "<!doctype", "<!DOCTYPE")):
        return f"{first}{end}{line}\n{rest}"
    return f"{line}\n{text}"


def main() -> None:
    """Add the lines, or name the files that lack theirs and end with 1."""
    lacking = [file for file in sources() if file.stat().st_size and lacks(file.read_text(encoding="utf-8"))]
    if "--check" in sys.argv[1:]:
        print(*(file.relative_to(ROOT) for file in lacking), sep="\n", end="\n" if lacking else "")
        sys.exit(bool(lacking))
    for file in lacking:
        file.write_text(with_line(file.read_text(encoding="utf-8"), line_of(file) or ""), encoding="utf-8")


if __name__ == "__main__":
    main()
