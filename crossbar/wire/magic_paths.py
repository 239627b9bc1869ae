"""Magic paths: links that need no token, because the path itself is hidden in one long hexadecimal token.

Source: `crossbar_init`, `kapps_util:bin_to_hex` of a zlib-compressed path; config `magic_path_patterns`.
"""

from __future__ import annotations

import binascii
import zlib
from typing import Final

_LONGEST_PATH: Final = 1024

PATTERNS: Final = (
    "/:version/accounts/:account_id/vmboxes/:box_id/messages/:message_id/raw",
    "/:version/accounts/:account_id/faxes/:direction/:fax_id/attachment",
    "/:version/accounts/:account_id/presence/:reportid",
)


def conceal(path: str) -> str:
    """The path under which anyone who knows it may GET `path`."""
    return "/" + zlib.compress(path.encode()).hex()


def reveal(raw_path: str, patterns: tuple[str, ...] = PATTERNS) -> str | None:
    """The path hidden in `raw_path`; None if there is none or it fits none of the patterns."""
    token = raw_path.strip("/").partition("/")[0]
    try:
        compressed = binascii.unhexlify(token)
        path = zlib.decompressobj().decompress(compressed, _LONGEST_PATH).decode()
    except (ValueError, zlib.error):
        return None
    return path if any(_fits(path, pattern) for pattern in patterns) else None


def _fits(path: str, pattern: str) -> bool:
    tokens, names = path.split("/"), pattern.split("/")
    return len(tokens) == len(names) and all(
        token == name or (name.startswith(":") and token) for token, name in zip(tokens, names, strict=True)
    )
