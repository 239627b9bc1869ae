# SPDX-License-Identifier: MPL-2.0
"""Magic paths: links that need no token, because the path itself is hidden in one long hexadecimal token.

KAZOO's token is the zlib-compressed path alone, which anybody makes who knows the ids. Here the path ends in the time
until which the link is good and in a signature over both, and clients pass the token on as they do KAZOO's.

Source: `crossbar_init`, `kapps_util:bin_to_hex` of a zlib-compressed path; config `magic_path_patterns`.
"""

from __future__ import annotations

import binascii
import hmac
import re
import zlib
from collections.abc import Callable
from typing import Final

_LONGEST: Final = 1024 + 128
"""Bytes of a path with its signature."""
_SIGNED: Final = re.compile(r"(?P<signed>(?P<path>/.*)\?expires=(?P<expires>\d{1,12}))&signature=(?P<signature>\w+)")

PATTERNS: Final = (
    "/:version/accounts/:account_id/vmboxes/:box_id/messages/:message_id/raw",
    "/:version/accounts/:account_id/faxes/:direction/:fax_id/attachment",
    "/:version/accounts/:account_id/presence/:reportid",
)

Sign = Callable[[str], str]
"""The signature of a text, in letters and digits."""


def conceal(path: str, expires: int, sign: Sign) -> str:
    """The path under which anyone who has it may GET `path` until `expires` (Unix seconds)."""
    signed = f"{path}?expires={expires}"
    return "/" + zlib.compress(f"{signed}&signature={sign(signed)}".encode()).hex()


def reveal(raw_path: str, sign: Sign, *, now: float, unsigned: bool = False) -> str | None:
    """The path hidden in `raw_path`; None if there is none, it fits no pattern, or its link does not count.

    `now` is in Unix seconds. With `unsigned` KAZOO's own links count too.
    """
    hidden = _hidden(raw_path)
    if hidden is None:
        return None
    link = _SIGNED.fullmatch(hidden)
    if link is None:
        path = hidden if unsigned else None
    else:
        good = hmac.compare_digest(sign(link["signed"]).encode(), link["signature"].encode())
        path = link["path"] if good and now < int(link["expires"]) else None
    return path if path is not None and any(_fits(path, pattern) for pattern in PATTERNS) else None


def _hidden(raw_path: str) -> str | None:
    """What the first word of a path hides."""
    token = raw_path.strip("/").partition("/")[0]
    try:
        return zlib.decompressobj().decompress(binascii.unhexlify(token), _LONGEST).decode()
    except (ValueError, zlib.error):
        return None


def _fits(path: str, pattern: str) -> bool:
    tokens, names = path.split("/"), pattern.split("/")
    return len(tokens) == len(names) and all(
        token == name or (name.startswith(":") and token) for token, name in zip(tokens, names, strict=True)
    )
