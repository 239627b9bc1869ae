# SPDX-License-Identifier: MPL-2.0
"""Which media type and language an answer has, and whether a body's type is welcome.

Source: `api_resource:content_types_provided`, `content_types_accepted`, `languages_provided`; the matching is that of
`cowboy_rest`. The outcome depends on two short texts only, so it is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from aiohttp import hdrs

from crossbar.errors import Empty
from crossbar.wire.request_values import Values

JSON_TYPES: Final = ("application/json", "application/x-json")
CSV_TYPES: Final = ("text/csv", "text/comma-separated-values", "application/octet-stream")
PDF_TYPES: Final = ("application/pdf", "application/x-pdf")
MULTIPART_TYPES: Final = ("multipart/form-data", "multipart/mixed")

DEFAULT_PROVIDED: Final = (*JSON_TYPES, "application/octet-stream", "text/csv", "text/comma-separated-values")
DEFAULT_ACCEPTED: Final = (*JSON_TYPES, "application/x-www-form-urlencoded", *MULTIPART_TYPES, *CSV_TYPES)

_SHORT_NAMES: Final = {"json": JSON_TYPES, "csv": CSV_TYPES, "pdf": PDF_TYPES}
_LANGUAGES: Final = ("en", "en-us", "en-gb")
_LONGEST_LANGUAGE: Final = 35


@lru_cache(maxsize=1024)
def media_type(accept: str | None, provided: tuple[str, ...] = DEFAULT_PROVIDED) -> str:
    """The provided type that suits an `Accept` header best; the first one if there is no header.

    Raises an empty 406 if none suits and an empty 400 if the header cannot be read.
    """
    if not accept or not accept.strip():
        return provided[0]
    for wanted in _by_quality(accept.lower()):
        main, slash, sub = wanted.partition("/")
        if not (main and sub) and wanted != "*":
            raise Empty(400, "malformed Accept")
        if not slash or wanted == "*/*":
            return provided[0]
        for candidate in provided:
            if candidate == wanted or (sub == "*" and candidate.startswith(main + "/")):
                return candidate
    raise Empty(406, "not acceptable")


def overriding_media_type(accept: str | None, provided: tuple[str, ...] = DEFAULT_PROVIDED) -> str | None:
    """The provided type that the request value `accept` names: `json`, `csv`, `pdf` or a whole type.

    None if it names none; then the `Accept` header counts.
    """
    if not accept:
        return None
    wanted = accept.strip().lower()
    names = _SHORT_NAMES.get(wanted, (wanted,))
    return next((name for name in names if name in provided), None)


def answer_type(headers: Mapping[str, str], values: Values, provided: tuple[str, ...] = DEFAULT_PROVIDED) -> str:
    """The media type of an answer: the option `accept`, else the `Accept` header (406 if none suits)."""
    wanted = values.get("accept")
    override = overriding_media_type(wanted, provided) if isinstance(wanted, str) else None
    return override or media_type(headers.get(hdrs.ACCEPT), provided)


@lru_cache(maxsize=1024)
def language(accept_language: str | None) -> str:
    """The `content-language` of an answer: what the client likes best of English and its own first language."""
    if not accept_language:
        return _LANGUAGES[0]
    given = accept_language.lower()
    own = given.partition(",")[0].partition(";")[0].strip()
    provided = (*_LANGUAGES, own) if _is_language(own) else _LANGUAGES
    try:
        wanted_languages = list(_by_quality(given))
    except Empty:
        return _LANGUAGES[0]
    for wanted in wanted_languages:
        for candidate in provided:
            if wanted in (candidate, "*") or candidate.startswith(wanted + "-"):
                return candidate
    return _LANGUAGES[0]


def check_content_type(content_type: str | None, accepted: tuple[str, ...] = DEFAULT_ACCEPTED) -> None:
    """Raise an empty 415 if a body's type is not among those an endpoint takes; no type counts as JSON."""
    if content_type is None or content_type in accepted:
        return
    name = content_type.partition(";")[0].strip().lower() or JSON_TYPES[0]
    if name not in accepted and name.partition("/")[0] + "/*" not in accepted:
        raise Empty(415, "unsupported media type")


def _by_quality(header: str) -> Iterable[str]:
    """The entries of an `Accept…` header without parameters, best first; quality 0 is a refusal."""
    entries = [_quality(entry) for entry in header.split(",") if entry.strip()]
    return (name for quality, name in sorted(entries, key=_rank) if quality)


def _rank(entry: tuple[float, str]) -> tuple[float, bool, bool]:
    quality, name = entry
    return -quality, name in ("*", "*/*"), name.endswith("/*")


def _quality(entry: str) -> tuple[float, str]:
    name, *parameters = (part.strip() for part in entry.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0), name
            except ValueError:
                raise Empty(400, "malformed quality") from None
    return 1.0, name


def _is_language(text: str) -> bool:
    return len(text) <= _LONGEST_LANGUAGE and text.isascii() and text.replace("-", "").isalnum()
