# SPDX-License-Identifier: MPL-2.0
"""Text that came over the wire, made safe to store and to answer with."""

from __future__ import annotations

from urllib.parse import unquote


def clean(text: str) -> str:
    """`text` without lone surrogates.

    The HTTP parser keeps bytes that are not UTF-8 as surrogates; neither BSON nor JSON can hold them, so they become
    U+FFFD here.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decode_token(text: str) -> str:
    """Percent-decode one path token; `+` stays `+`."""
    return clean(unquote(text)) if "%" in text else clean(text)


def decode_form(text: str) -> str:
    """Percent-decode one key or value of a query string or form; `+` is a blank."""
    if "+" in text:
        text = text.replace("+", " ")
    return decode_token(text)
