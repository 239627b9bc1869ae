# SPDX-License-Identifier: MPL-2.0
"""Accesses: words joined by dots, and lists of them that say what a token may do.

Source: `xivo-auth`'s and wazo-auth's access check (`AccessCheck`), whose elements are turned into patterns as here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

ACTIONS: Final = {"GET": "read", "HEAD": "read", "POST": "create", "PUT": "update", "DELETE": "delete"}
EVERYTHING: Final = ("#",)
OWN: Final = ("confd.users.me.#", "auth.users.me.#", "confd.infos.read")
"""What people without further rights may do: see to themselves, and ask which server they are on, as every telephone
program of Wazo's does when it logs in."""


class Accesses:
    """The accesses of one token, who is `me` to whom, and whose session is `my_session`."""

    def __init__(self, elements: Iterable[str], auth_id: str = "", session_id: str = "") -> None:
        self.elements = tuple(elements)
        self._denied = _patterns(tuple(e[1:] for e in self.elements if e.startswith("!")), auth_id, session_id)
        self._allowed = _patterns(tuple(e for e in self.elements if not e.startswith("!")), auth_id, session_id)

    def allow(self, required: str | None) -> bool:
        """Whether the list lets its bearer do what needs this access; nothing needed is always allowed."""
        if required is None:
            return True
        if any(pattern.fullmatch(required) for pattern in self._denied):
            return False
        return any(pattern.fullmatch(required) for pattern in self._allowed)

    def missing(self, elements: Iterable[str]) -> str | None:
        """The first of some elements that the bearer may not hand on; refusals may always be."""
        return next((e for e in elements if not e.startswith("!") and not self.allow(e)), None)


def required_access(service: str, words: Sequence[str], action: str) -> str:
    """The access that a path needs; a dot in one of its words is written `_`."""
    return ".".join((service, *(word.replace(".", "_") for word in words), action))


@lru_cache(maxsize=4096)
def _patterns(elements: tuple[str, ...], auth_id: str, session_id: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_pattern(element, auth_id, session_id), re.DOTALL) for element in elements)


def _pattern(element: str, auth_id: str, session_id: str) -> str:
    words = {
        "me": f"(me|{re.escape(auth_id)})" if auth_id else "me",
        "my_session": f"(my_session|{re.escape(session_id)})" if session_id else "my_session",
        "edit": "(edit|update)",
    }
    return r"\.".join(words.get(word) or _word(word) for word in element.split("."))


def _word(word: str) -> str:
    """A word's pattern: `*` is anything without dots and `#`, `#` anything at all."""
    known = {"*": r"[^.#]*?", "#": r".*?"}
    return "".join(known.get(part) or re.escape(part) for part in re.split(r"([*#])", word))
