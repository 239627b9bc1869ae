"""Mail that is written from templates, and the log of it.

Source: KAZOO `teletype_util.erl` (`send_email`, `log_email_send_success`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document, as_list
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import Plain
from crossbar.events.letters import BadAddress, composed
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


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be sent, with macros; without a `page` the message is plain text."""

    template_id: str
    sender: str
    reply_to: str | None
    subject: str
    text: str
    page: str


@dataclass(frozen=True, slots=True)
class TemplateMail:
    """Mail from templates for one account, logged there."""

    store: Store
    mail: Mail
    account_id: str
    author: Author

    async def send(
        self,
        writing: Writing,
        to: Sequence[str],
        told: dict[str, Any],
        *,
        failure: str,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
    ) -> None:
        """Put in what the macros tell, send the message and log it. Raises 500 with `failure` where that fails."""
        try:
            subject = render(writing.subject, told, markup=False)
            text = render(writing.text, told, markup=False)
            page = render(writing.page, told, markup=True) if writing.page else None
            message = composed(
                sender=writing.sender,
                to=to,
                subject=subject,
                text=text,
                page=page,
                reply_to=writing.reply_to,
                cc=cc,
                bcc=bcc,
            )
        except (BadAddress, BadTemplate) as error:
            raise Plain(500, failure, {"message": str(error)}) from error
        taken = await self.mail.post(message, writing.template_id)
        entry = Document(
            self.account_id,
            LOG,
            monthly_id(),
            {
                "template_id": writing.template_id,
                "template_account_id": self.account_id,
                "account_id": self.account_id,
                "subject": subject,
                "rendered_templates": {TEXT: text} if page is None else {TEXT: text, HTML: page},
                "emails": {"from": writing.sender, "to": list(to), "cc": list(cc), "bcc": list(bcc)},
                "macros": told,
                **(
                    {"receipt": message["Message-ID"]}
                    if taken
                    else {"error": "the mail spool does not take the message"}
                ),
            },
        )
        entry.fields.update(stamps(self.author, entry))
        await self.store.insert(entry)
        if not taken:
            raise Plain(500, failure)
