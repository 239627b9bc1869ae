# SPDX-License-Identifier: MPL-2.0
"""The names under which browsers save files: `Content-Disposition`, and the names inside of archives.

Source: RFC 6266, RFC 8187; the form of a plain name is KAZOO's.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

_NAMELESS: Final = "file"
_PLAIN: Final = re.compile(r"[\w!#$&+.:^`|~%-]+", re.ASCII)
_UNSAFE: Final = re.compile("[^ -~]")
_PART: Final = re.compile(r"[/\\]")


def saved_name(name: str) -> str:
    """A name without folders, quotes, control characters, and dots at its beginning: it stays where it is put."""
    last = _PART.split(name)[-1].replace('"', "")
    return "".join(filter(str.isprintable, last)).strip().lstrip(". ") or _NAMELESS


def content_disposition(name: str, kind: str = "attachment", *, quoted: bool = False) -> str:
    """`attachment; filename=a.mp3`, or with `kind="inline"` for a file to show.

    A name stands bare where it can and is not to be `quoted`. One that is not ASCII comes in two forms, of which
    browsers take the second.
    """
    safe = saved_name(name)
    if not quoted and _PLAIN.fullmatch(safe):
        return f"{kind}; filename={safe}"
    ascii_only = _UNSAFE.sub("_", safe)
    header = f'{kind}; filename="{ascii_only}"'
    return header if safe == ascii_only else f"{header}; filename*=UTF-8''{quote(safe, safe='')}"
