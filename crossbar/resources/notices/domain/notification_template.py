# SPDX-License-Identifier: MPL-2.0
"""Templates of notifications: which one is in force for an account, and what an account makes of the system's.

Source: KAZOO `cb_notifications.erl`, `kz_notification.erl`. A template that an account does not have is its parents',
up to its reseller, else the system's; what the system has not changed is as shipped (`mail_template`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, SYSTEM_CONFIG, Document, private_fields, public_fields
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import NotFound, Plain
from crossbar.events.macros import BadTemplate, check
from crossbar.resources.notices.domain.mail_template import HTML, TEMPLATES, TEXT, macros
from crossbar.resources.notices.domain.mail_text import shipped_body
from crossbar.runtime import Runtime

TYPE: Final = "notification"
TEMPLATE_SHAPE: Final = Shape(TYPE, summary=Summary("id"))
BODIES: Final = {HTML: "html", TEXT: "txt"}
"""The bodies of a template, and the ending of each as a file."""
SHOWN_ONLY: Final = ("macros", "templates", "account_overridden", "account_defined")
"""Fields that the server works out; clients send them back."""


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """A template where it was found; `document` is None for one as shipped."""

    template_id: str
    document: Document | None
    public: dict[str, Any]
    is_own: bool = False

    @property
    def settable(self) -> dict[str, Any]:
        """What the template says of itself, without what the server works out."""
        return {key: value for key, value in self.public.items() if key not in SHOWN_ONLY}


class NotificationTemplates:
    """The templates that one account sees; those of the system where `account` is None."""

    def __init__(self, runtime: Runtime, account: Account | None) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._account = account

    async def find(self, template_id: str) -> FoundTemplate:
        """The template in force. Raises NotFound."""
        system = await self.system(template_id)
        if self._account is not None:
            async for account_id in self._lookup_path(self._account):
                document = await self._store.get(account_id, TYPE, template_id)
                if document is not None:
                    return own_template(document, system, is_own=account_id == self._account.id)
        if system is None:
            raise NotFound(template_id)
        return system

    async def system(self, template_id: str) -> FoundTemplate | None:
        """The system's own template, else the shipped one."""
        document = await self._store.get(SYSTEM_CONFIG, TYPE, template_id)
        shipped = TEMPLATES.get(template_id)
        if document is None and shipped is None:
            return None
        base = {**shipped.document, "from": self._runtime.config.mail.sender} if shipped else {}
        public = {**base, **(public_fields(document.fields) if document else {})}
        return FoundTemplate(template_id, document, {**public, "macros": macros(shipped.keys) if shipped else {}})

    async def inherited(self, template_id: str) -> FoundTemplate | None:
        """What is in force for the account without a template of its own."""
        if self._account is not None:
            async for account_id in self._lookup_path(self._account):
                if account_id == self._account.id:
                    continue
                if (document := await self._store.get(account_id, TYPE, template_id)) is not None:
                    return FoundTemplate(template_id, document, {})
        return await self.system(template_id)

    async def all(self) -> list[FoundTemplate]:
        """The system's templates, with what the account made of them."""
        documents = await self._store.all(Listing(SYSTEM_CONFIG, TYPE))
        found: dict[str, FoundTemplate] = {}
        for template_id in {*TEMPLATES, *(document.id for document in documents)}:
            system = await self.system(template_id)
            if system is not None:
                found[template_id] = system
        if self._account is not None:
            for document in await self._store.all(Listing(self._account.id, TYPE)):
                found[document.id] = own_template(document, found.get(document.id), is_own=True)
        return list(found.values())

    async def _lookup_path(self, account: Account) -> AsyncIterator[str]:
        """The account, then those above it up to its reseller."""
        yield account.id
        reseller_id = await self._runtime.access.directory.reseller_of(account)
        for ancestor_id in reversed(account.tree):
            yield ancestor_id
            if ancestor_id == reseller_id:
                return

    # Bodies

    async def body(self, found: FoundTemplate, content_type: str) -> bytes | None:
        """A body of a template, where it has one of that type."""
        if found.document is None:
            return shipped_body(found.template_id, content_type)
        attachments = self._runtime.attachments
        attachment = await attachments.find(found.document, content_type)
        if attachment is not None:
            return await attachments.read(attachment)
        is_system = found.document.partition == SYSTEM_CONFIG and found.template_id in TEMPLATES
        return shipped_body(found.template_id, content_type) if is_system else None

    async def put_body(self, document: Document, content_type: str, body: bytes) -> None:
        """Store a body of a template."""
        await self._runtime.attachments.put(document, content_type, content_type, body)

    async def copy_bodies(self, source: FoundTemplate, document: Document) -> None:
        """Give a template the bodies of another one."""
        for content_type in BODIES:
            body = await self.body(source, content_type)
            if body is not None:
                await self.put_body(document, content_type, body)

    # Changing

    async def begin_own(self, document: Document, account: Account) -> None:
        """A new template of an account begins with the bodies it replaces; the account uses templates from now on."""
        replaced = await self.inherited(document.id)
        if replaced is not None:
            await self.copy_bodies(replaced, document)

        def prefer(stored: Document) -> None:
            stored.fields["pvt_notification_preference"] = "teletype"

        await self._store.update(ACCOUNTS, ACCOUNT, account.id, prefer)

    async def force_system(self, account_id: str) -> list[str]:
        """Each of an account's templates becomes the system's; returns their ids."""
        replaced = []
        for document in await self._store.all(Listing(account_id, TYPE)):
            system = await self.system(document.id)
            if system is None:
                continue
            fields = {**system.settable, **private_fields(document.fields)}
            saved = await self._store.upsert(Document(document.partition, TYPE, document.id, fields))
            await self.copy_bodies(system, saved)
            replaced.append(document.id)
        return replaced


def own_template(document: Document, system: FoundTemplate | None, *, is_own: bool) -> FoundTemplate:
    """An account's template; what it is called and may tell is the system's to say."""
    public = public_fields(document.fields)
    if system is not None:
        public |= {key: system.public[key] for key in ("friendly_name", "macros") if key in system.public}
    if is_own:
        public["account_overridden" if system is not None else "account_defined"] = True
    return FoundTemplate(document.id, document, public, is_own)


def check_body(content_type: str, contents: bytes) -> None:
    """Refuse (500, as KAZOO does) what is no body of a template or cannot be rendered."""
    try:
        if content_type not in BODIES:
            raise BadTemplate("a body is HTML or plain text")
        check(contents.decode())
    except ValueError as error:
        raise Plain(500, "Failed to compile notification template") from error
