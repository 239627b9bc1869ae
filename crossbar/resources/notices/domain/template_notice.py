"""A notice that an account's template is for: who gets it, and what every letter of an account may tell.

Source: KAZOO `teletype_util.erl` (`find_addresses`, `account_params`, `system_params`, `fix_timestamp`). A notice never
fails what it tells of: one that cannot be sent is a line in the server's log.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossbar.access.authorship import Author
from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_list, as_object
from crossbar.errors import JSON, CrossbarError
from crossbar.events.mail import Mail
from crossbar.resources.calls.media.domain.local_time import local_time
from crossbar.resources.identity.domain.welcome_mail import administrators
from crossbar.resources.notices.domain.notification_message import PERSON, writing_of
from crossbar.resources.notices.domain.notification_template import TYPE, NotificationTemplates
from crossbar.resources.notices.domain.sent_mail import TemplateMail
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TemplateNotices:
    """Sends notices about one account, as changes of one author."""

    runtime: Runtime
    mail: Mail
    account: Account
    author: Author

    async def send(
        self, template_id: str, told: dict[str, Any], *, original: Sequence[str] = (), reply_to: str | None = None
    ) -> None:
        """Send a notice unless its template is off or names nobody.

        `told` are its macros beside those of every account; `original` are the addresses that a template means which
        leaves it to the event whom to tell.
        """
        try:
            await self._send(template_id, told, original, reply_to)
        except CrossbarError as error:
            log.warning("request %s: notice %s cannot be sent: %s", self.author.request_id, template_id, error.data)

    async def _send(
        self, template_id: str, told: dict[str, Any], original: Sequence[str], reply_to: str | None
    ) -> None:
        templates = NotificationTemplates(self.runtime, self.account)
        found = await templates.find(template_id)
        to = await self._addresses(found.public.get("to"), original)
        if found.public.get("enabled") is False or not to:
            return
        template = Document("", TYPE, template_id, found.public)
        data = {
            "from": template.text("from"),
            "reply_to": template.text("reply_to") or reply_to,
            "subject": template.text("subject"),
        }
        sender = self.runtime.config.mail.sender
        writing = await writing_of(templates, found, data, {}, default_sender=sender)
        await TemplateMail(self.runtime.store, self.mail, self.account.id, self.author).send(
            writing,
            to,
            {**await self._common(), **told},
            failure="Failed to send message",
            cc=await self._addresses(found.public.get("cc")),
            bcc=await self._addresses(found.public.get("bcc")),
        )

    async def _addresses(self, wanted: JSON, original: Sequence[str] = ()) -> list[str]:
        """Whom an entry of a template means."""
        match as_object(wanted).get("type"):
            case "original":
                return sorted(set(original))
            case "admins":
                return sorted(await admin_addresses(self.runtime, self.account.id))
            case _:
                return [text for text in as_list(as_object(wanted).get("email_addresses")) if isinstance(text, str)]

    async def _common(self) -> dict[str, Any]:
        """What every letter may tell: of the account and of the server."""
        account = self.account
        parent = await self.runtime.access.directory.account(account.parent_id) if account.parent_id else None
        about = {
            "id": account.id,
            "name": account.name,
            "realm": account.realm,
            "language": account.language,
            "timezone": account.timezone,
        }
        above = {"parent_id": parent.id, "parent_name": parent.name, "parent_realm": parent.realm} if parent else {}
        host = socket.gethostname()
        system = dict.fromkeys(("hostname", "encoded_hostname", "node", "encoded_node"), host)
        return {"account": {**about, **above}, "system": system}


async def admin_addresses(runtime: Runtime, account_id: str) -> set[str]:
    """The addresses of an account's administrators."""
    return {user.text("email") for user in await administrators(runtime.store, account_id)}


def about_person(user: Document) -> dict[str, JSON]:
    """What a letter may tell of a user."""
    return {key: user.at(key) for key in PERSON}


def about_time(gregorian_seconds: int, *zones: JSON) -> dict[str, str]:
    """What a letter tells of a time: in the first of the time zones that exists, and in UTC."""
    local, utc = local_time(gregorian_seconds, *zones), local_time(gregorian_seconds)
    return {
        "local": local.strftime("%Y-%m-%d %H:%M:%S"),
        "utc": utc.strftime("%Y-%m-%d %H:%M:%S"),
        "timezone": str(local.tzinfo),
    }
