# SPDX-License-Identifier: MPL-2.0
"""JSON values as YAML, one entry a line: texts are quoted as in JSON, which YAML 1.2 reads, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

PLAIN: Final = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z_]*", re.IGNORECASE)
"""Keys that nobody takes for anything but a text."""


def yaml_text(value: Any) -> bytes:
    """A value as a YAML document."""
    return "\n".join(_lines(value, "")).encode() + b"\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """The lines of a value below a key or dash."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{indent}{_key(str(key))}:", item, indent)
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item, f"{indent}  ")
            yield f"{indent}- {first.removeprefix(f'{indent}  ')}"
            yield from rest
    else:
        yield f"{indent}{_scalar(value)}"


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, dict | list) and item:
        yield head
        yield from _lines(item, f"{indent}  ")
    else:
        yield f"{head} {_scalar(item)}"


def _key(key: str) -> str:
    return key if PLAIN.fullmatch(key) else _scalar(key)


def _scalar(value: Any) -> str:
    return orjson.dumps(value).decode()
