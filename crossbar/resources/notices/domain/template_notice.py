# SPDX-License-Identifier: MPL-2.0
"""What an account's templates make of a letter: who gets it, and what every letter of an account may tell.

Source: KAZOO `teletype_util.erl` (`find_addresses`, `account_params`, `system_params`, `fix_timestamp`).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Final

from crossbar.access.authorship import Author
from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import USER
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.errors import JSON, NotFound
from crossbar.events.letters import is_address
from crossbar.resources.calls.media.domain.local_time import local_time
from crossbar.resources.notices.domain.notice_letter import NoticeLetter
from crossbar.resources.notices.domain.notification_message import writing_of
from crossbar.resources.notices.domain.notification_template import TYPE, NotificationTemplates
from crossbar.resources.notices.domain.sent_mail import MailOrder
from crossbar.runtime import Runtime

PERSON: Final = ("first_name", "last_name", "email", "timezone", "username")
"""What a letter to a user may tell of the user."""


async def order_of(runtime: Runtime, account: Account, letter: NoticeLetter, author: Author) -> MailOrder | None:
    """The mail that a letter is by the account's template; None where that is off, or names nobody."""
    if letter.writing is not None:
        told, to = {**await about_all(runtime, account), **letter.told}, _usable(letter.original)
        return MailOrder(account.id, author, letter.writing, told, to) if to else None
    templates = NotificationTemplates(runtime, account)
    try:
        found = await templates.find(letter.template_id)
    except NotFound:
        return None
    to = await _addresses(runtime, account, found.public.get("to"), letter.original)
    if found.public.get("enabled") is False or not to:
        return None
    template = Document("", TYPE, letter.template_id, found.public)
    data = {
        "from": template.text("from"),
        "reply_to": template.text("reply_to") or letter.reply_to,
        "subject": template.text("subject"),
    }
    writing = await writing_of(templates, found, data, {}, default_sender=runtime.config.mail.sender)
    return MailOrder(
        account.id,
        author,
        writing,
        {**await about_all(runtime, account), **letter.told},
        to,
        cc=await _addresses(runtime, account, found.public.get("cc")),
        bcc=await _addresses(runtime, account, found.public.get("bcc")),
        secret=letter.secret,
        enclosures=letter.enclosures,
    )


async def _addresses(runtime: Runtime, account: Account, wanted: JSON, original: Sequence[str] = ()) -> list[str]:
    """Whom an entry of a template means; what is no address gets nothing."""
    match as_object(wanted).get("type"):
        case "original":
            found: Sequence[Any] = sorted(set(original))
        case "admins":
            found = await _nearest_administrators(runtime, account)
        case _:
            found = as_list(as_object(wanted).get("email_addresses"))
    return _usable(found)


def _usable(addresses: Sequence[Any]) -> list[str]:
    return [address for address in addresses if is_address(address)]


async def _nearest_administrators(runtime: Runtime, account: Account) -> list[str]:
    """The administrators of the account, else of the nearest above it that has any, up to its reseller."""
    reseller_id = await runtime.access.directory.reseller_of(account)
    for account_id in (account.id, *reversed(account.tree)):
        if addresses := await admin_addresses(runtime, account_id):
            return sorted(addresses)
        if account_id == reseller_id:
            break
    return []


async def about_all(runtime: Runtime, account: Account) -> dict[str, Any]:
    """What every letter of an account may tell: of the account and of the server."""
    parent = await runtime.access.directory.account(account.parent_id) if account.parent_id else None
    above = {"parent_id": parent.id, "parent_name": parent.name, "parent_realm": parent.realm} if parent else {}
    host = socket.gethostname()
    system = dict.fromkeys(("hostname", "encoded_hostname", "node", "encoded_node"), host)
    return {"account": {**about_account(account), **above}, "system": system}


def about_account(account: Account) -> dict[str, JSON]:
    """What a letter may tell of an account."""
    return {
        "id": account.id,
        "name": account.name,
        "realm": account.realm,
        "language": account.language,
        "timezone": account.timezone,
    }


async def administrators(store: Store, account_id: str) -> list[Document]:
    """The administrators of an account who are enabled and have an address."""
    users = await store.all(Listing(account_id, USER))
    return [
        user
        for user in users
        if user.at("priv_level") == "admin" and user.at("enabled") is not False and user.text("email")
    ]


async def admin_addresses(runtime: Runtime, account_id: str) -> set[str]:
    """The addresses of an account's administrators."""
    return {user.text("email") for user in await administrators(runtime.store, account_id)}


def about_person(user: Document | None) -> dict[str, JSON]:
    """What a letter may tell of a user, if there is one."""
    return {key: user.at(key) for key in PERSON} if user is not None else {}


def about_time(gregorian_seconds: int, *zones: JSON) -> dict[str, str]:
    """What a letter tells of a time: in the first of the time zones that exists, and in UTC."""
    local, utc = local_time(gregorian_seconds, *zones), local_time(gregorian_seconds)
    return {
        "local": local.strftime("%Y-%m-%d %H:%M:%S"),
        "utc": utc.strftime("%Y-%m-%d %H:%M:%S"),
        "timezone": str(local.tzinfo),
    }
