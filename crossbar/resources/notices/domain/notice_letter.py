# SPDX-License-Identifier: MPL-2.0
"""Which letters a notice becomes: each event has a function that says so, wherever that lies.

They may also be known when the notice is written (`crossbar.events.notices.letter`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.store import Transaction
from crossbar.events.letters import Enclosure
from crossbar.resources.notices.domain.sent_mail import Writing
from crossbar.runtime import Runtime

Also = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NoticeLetter:
    """What a notice tells, beside what every letter does.

    `original` are the addresses that a template means which leaves it to the event whom to tell; `secret` macros stand
    in the letter and not in the log; `also` is done in the step in which the letter is certain to be sent. With a
    `writing` of its own no template is asked, and the letter goes to the `original` addresses.
    """

    template_id: str
    told: Mapping[str, Any]
    original: Sequence[str] = ()
    reply_to: str | None = None
    secret: Mapping[str, str] = field(default_factory=dict)
    enclosures: Sequence[Enclosure] = ()
    also: Also | None = None
    writing: Writing | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that was written, and its account as it is now."""

    runtime: Runtime
    account: Account
    document: Document

    @property
    def event(self) -> str:
        """What happened."""
        return self.document.text("event_name")

    @property
    def payload(self) -> dict[str, Any]:
        """What the event tells."""
        return as_object(self.document.at("payload"))

    @property
    def secret(self) -> dict[str, str]:
        """What else it tells, which nothing may show."""
        return as_object(self.document.at("secret"))

    async def letters(self) -> Sequence[NoticeLetter]:
        """The letters that it becomes. May read the store."""
        if isinstance(known := self.document.at("letters"), list):
            own = self.document.at("writing")
            writing = Writing(**own) if isinstance(own, dict) else None
            return [_known(letter, writing) for letter in known]
        maker = LETTERS.get(self.event)
        return await maker(self) if maker else ()


def _known(letter: dict[str, Any], writing: Writing | None) -> NoticeLetter:
    """A letter as `crossbar.events.notices.letter` has it."""
    told, original = as_object(letter.get("told")), as_list(letter.get("original"))
    template_id, reply_to = str(letter["template_id"]), letter.get("reply_to")
    return NoticeLetter(template_id, told, original=original, reply_to=reply_to, writing=writing)


LetterMaker = Callable[[Notice], Awaitable[Sequence[NoticeLetter]]]
LETTERS: Final[dict[str, LetterMaker]] = {}
"""Event → what makes its letter."""


def letter_of(*events: str) -> Callable[[LetterMaker], LetterMaker]:
    """Have a function make the letters of some events."""

    def register(maker: LetterMaker) -> LetterMaker:
        LETTERS.update(dict.fromkeys(events, maker))
        return maker

    return register
