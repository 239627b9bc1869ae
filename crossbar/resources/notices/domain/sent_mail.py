# SPDX-License-Identifier: MPL-2.0
"""Mail that is written from templates, and the log of it.

Source: KAZOO `teletype_util.erl` (`send_email`, `log_email_send_success`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Final

from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document, as_list
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import Plain
from crossbar.events.letters import BadAddress, Enclosure, composed
from crossbar.events.macros import BadTemplate, render
from crossbar.events.mail import Mail
from crossbar.ids import monthly_id
from crossbar.resources.notices.domain.mail_template import HTML, TEXT

LOG: Final = "notification_smtp_log"
LOG_SHAPE: Final = Shape(
    LOG,
    summary=Summary(
        "id",
        "template_id",
        "error",
        "subject",
        "receipt",
        **{"from": "emails.from"},
        to=lambda entry: next(iter(as_list(entry.at("emails.to"))), None),
        created="pvt_created",
    ),
    sort="pvt_created",
    stored_in="records",
)
"""One message that was sent, kept by month."""
UNSHOWN: Final = "(not shown)"
"""What the log has in place of a secret."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be sent, with macros; without a `page` the message is plain text."""

    template_id: str
    sender: str
    reply_to: str | None
    subject: str
    text: str
    page: str

    def told(self, told: Mapping[str, Any]) -> Rendered:
        """The texts with what the macros tell. Raises BadTemplate."""
        return Rendered(
            subject=render(self.subject, told, markup=False),
            text=render(self.text, told, markup=False),
            page=render(self.page, told, markup=True) if self.page else None,
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """Finished texts."""

    subject: str
    text: str
    page: str | None

    @property
    def bodies(self) -> dict[str, str]:
        """Content type → body."""
        return {TEXT: self.text} if self.page is None else {TEXT: self.text, HTML: self.page}


@dataclass(frozen=True, slots=True)
class MailOrder:
    """One mail of an account: what is written, what it tells, to whom, with which files.

    `secret` macros stand in the letter and not in the log.
    """

    account_id: str
    author: Author
    writing: Writing
    told: Mapping[str, Any]
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    secret: Mapping[str, str] = field(default_factory=dict)
    enclosures: Sequence[Enclosure] = ()

    def message(self, message_id: str | None = None) -> EmailMessage:
        """The message. Raises BadAddress, BadTemplate."""
        texts = self.writing.told({**self.told, **self.secret})
        return composed(
            sender=self.writing.sender,
            to=self.to,
            subject=texts.subject,
            text=texts.text,
            page=texts.page,
            reply_to=self.writing.reply_to,
            cc=self.cc,
            bcc=self.bcc,
            enclosures=self.enclosures,
            message_id=message_id,
        )

    def entry(self, *, receipt: str | None = None, error: str | None = None) -> Document:
        """What the log says of the mail: the `receipt` under which it is on its way, or the `error` that kept it."""
        told = {**self.told, **dict.fromkeys(self.secret, UNSHOWN)}
        try:
            texts = self.writing.told(told)
        except BadTemplate:
            texts = Rendered(self.writing.subject, "", None)
        outcome = {"receipt": receipt} if receipt else {"error": error}
        entry = Document(
            self.account_id,
            LOG,
            monthly_id(),
            {
                "template_id": self.writing.template_id,
                "template_account_id": self.account_id,
                "account_id": self.account_id,
                "subject": texts.subject,
                "rendered_templates": texts.bodies,
                "emails": {
                    "from": self.writing.sender,
                    "to": list(self.to),
                    "cc": list(self.cc),
                    "bcc": list(self.bcc),
                },
                "macros": told,
                **outcome,
            },
        )
        entry.fields.update(stamps(self.author, entry))
        return entry


async def send(store: Store, mail: Mail, order: MailOrder, *, failure: str) -> None:
    """Send a mail at once and log it. Raises 500 with `failure` where that fails."""
    try:
        message = order.message()
    except (BadAddress, BadTemplate) as error:
        raise Plain(500, failure, {"message": str(error)}) from error
    taken = await mail.post(message, order.writing.template_id)
    if taken:
        await store.insert(order.entry(receipt=message["Message-ID"]))
    else:
        await store.insert(order.entry(error="the mail spool does not take the message"))
        raise Plain(500, failure)
