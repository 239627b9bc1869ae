# SPDX-License-Identifier: MPL-2.0
"""Why a `mongod` ended, told to the person who has to mend it.

`mongod` ends with a number and leaves its reasons in its log: one JSON object a line, and plain text for what went
wrong before logging began (a bad option, a missing library).
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DAMAGED = (
    "The data in {data} is damaged. Put back a backup, or copy the folder and try `{binary} --dbpath {data} --repair`."
)

BY_WORDS = {
    "No space left on device": "The disk of {data} is full. Make room on it and start again.",
    "Permission denied": "mongod may not use {data}. Give its files to the user the server runs as.",
    "Operation not permitted": "mongod may not use {data}. Give its files to the user the server runs as.",
    "error while loading shared libraries": (
        "{binary} lacks a library. Install it, or set CROSSBAR_MONGOD to a mongod made for this system."
    ),
}
"""Advice by what was complained of."""

BY_CODE = {
    62: (
        "The data in {data} was written by another MongoDB release than {binary} can read. "
        "Set CROSSBAR_MONGOD to a mongod of that release, or put back a backup made with this one."
    ),
    14: DAMAGED,
    -signal.SIGABRT: DAMAGED,
    -signal.SIGILL: (
        "This processor lacks instructions that {binary} needs (AVX). Set database.uri to a MongoDB on another machine."
    ),
    -signal.SIGKILL: "mongod was killed, perhaps for want of memory. Free some, or lower the database's cache size.",
}
"""Advice by exit code (negative: the signal that ended the process), where the words give none."""

LEAST_FREE_BYTES = 32 * 2**20

WORDS_LIMIT = 400
"""How many characters of `mongod`'s own words a message repeats."""


def explain(returncode: int, log: str, *, binary: Path, data: Path) -> str:
    """What happened, what to do next and what `mongod` itself said, in sentences.

    `returncode` is the process's (negative: the signal that ended it), `log` what it wrote in this run, `binary` the
    `mongod`, `data` its `--dbpath`.
    """
    complaints = list(_complaints(log))
    if not complaints and _is_full(data):  # it could not even write why
        complaints = ["No space left on device"]
    words = " ".join(complaints[0].split())[:WORDS_LIMIT] if complaints else "nothing"
    advice = _advice(returncode, "\n".join(complaints)).format(binary=binary, data=data)
    return f"{advice} (mongod ended with exit code {returncode} and said: {words})"


def _is_full(data: Path) -> bool:
    """Whether the disk has no room for a journal file."""
    return data.exists() and shutil.disk_usage(data).free < LEAST_FREE_BYTES


def _advice(returncode: int, complaints: str) -> str:
    for words, advice in BY_WORDS.items():
        if words in complaints:
            return advice
    return BY_CODE.get(returncode, "The database in {data} does not run.")


def _complaints(log: str) -> Iterator[str]:
    """Errors, fatal errors and plain text in the order written; the first is closest to the cause."""
    for line in filter(None, map(str.strip, log.splitlines())):
        try:
            entry = json.loads(line)
        except ValueError:
            yield line
            continue
        if entry["s"] in ("E", "F"):
            yield _text(entry)


def _text(entry: dict[str, Any]) -> str:
    """What a log entry says: its message and, wherever it put it, the error it is about."""
    attributes = entry.get("attr", {})
    for detail in (attributes.get("error"), attributes.get("message"), attributes.get("reason")):
        text = detail.get("errmsg") or detail.get("msg") if isinstance(detail, dict) else detail
        if isinstance(text, str):
            return f"{entry['msg']}: {text}"
    return str(entry["msg"])
