# SPDX-License-Identifier: MPL-2.0
"""Regular expressions with the meaning KAZOO gives them.

KAZOO matches with PCRE, so the same engine decides here: `\\w`, `\\d` and `\\s` are ASCII, `$` also stands before a
final newline, POSIX classes exist. PCRE2 gives up after a bounded number of steps, so no pattern and no text can
hold the server up; giving up counts as no match, as in Erlang's `re:run`.
"""

from __future__ import annotations

from functools import lru_cache

import pcre2


def compiles(source: str) -> bool:
    """Whether `source` is a PCRE pattern. It is only compiled, never run."""
    try:
        pcre2.compile(source, jit=False)
    except (pcre2.PatternError, UnicodeError):
        return False
    return True


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found anywhere in `text`."""
    return _find(pattern, text) is not None


def first_group(pattern: str, text: str) -> str | None:
    """What the first group of `pattern` holds where it is found in `text`; None if it is not found or has no groups."""
    found = _find(pattern, text)
    groups: tuple[str | None, ...] = found.groups() if found else ()
    return (groups[0] or "") if groups else None


def last_group(pattern: str, text: str) -> str | None:
    """What the last group of `pattern` holds where it is found in `text`; the whole match if it has no groups.

    None if it is not found.
    """
    found = _find(pattern, text)
    if found is None:
        return None
    groups: tuple[str | None, ...] = found.groups()
    return (groups[-1] or "") if groups else str(found[0])


def _find(pattern: str, text: str) -> pcre2.Match | None:
    try:
        return _compiled(pattern).search(text)
    except (pcre2.LibraryError, UnicodeError):
        return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> pcre2.Pattern:
    return pcre2.compile(pattern, pcre2.ASCII)
