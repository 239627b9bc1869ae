"""What is sent from a template: the texts, the macros of a preview, and whom an update for customers reaches.

Source: KAZOO `cb_notifications.erl` (`handle_preview`, `customer_update`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from typing import Any

from crossbar.documents.document import ACCOUNTS, Document, merge
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.notices.domain.mail_template import HTML, TEXT
from crossbar.resources.notices.domain.notification_template import FoundTemplate, NotificationTemplates
from crossbar.resources.notices.domain.sent_mail import Writing

PERSON = ("first_name", "last_name", "email", "timezone", "username")
"""What a letter to a user may tell of the user."""


async def writing_of(
    templates: NotificationTemplates,
    found: FoundTemplate,
    data: Mapping[str, Any],
    given: Mapping[str, JSON],
    *,
    default_sender: str,
) -> Writing:
    """A template as `data` describes it, with the texts that are given (`plain`, `html`) in place of its own."""
    bodies = {}
    for content_type, key in ((TEXT, "plain"), (HTML, "html")):
        text = given.get(key)
        stored = await templates.body(found, content_type)
        bodies[content_type] = _decoded(text) if isinstance(text, str) else (stored or b"").decode()
    sender = data.get("from") or default_sender
    return Writing(found.template_id, sender, data.get("reply_to"), str(data["subject"]), bodies[TEXT], bodies[HTML])


def named_macros(found: FoundTemplate) -> dict[str, Any]:
    """Values of a template's macros for a preview: each shows its own name."""
    told: dict[str, Any] = {}
    for name in found.public.get("macros", {}):
        told = merge(told, _nested(name))
    return told


def _nested(name: str) -> dict[str, Any]:
    """An object in which the dotted `name` leads to its own text."""
    value: JSON = name
    for step in reversed(name.split(".")):
        value = {step: value}
    return dict(value)


def _decoded(text: str) -> str:
    """Text that may have been sent as base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text


async def children(store: Store, account_id: str, recipient_id: JSON) -> list[Document]:
    """The accounts directly below, or the one of them that is named; none where it is not there."""
    found = await store.all(Listing(ACCOUNTS, ACCOUNT, tag=f"child/{account_id}"))
    return found if recipient_id is None else [account for account in found if account.id == recipient_id]


async def customers(
    store: Store, accounts: list[Document], user_type: JSON
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Address and macros of each user who is meant: `all_users`, `admins_only`, or the user of one id."""
    for account in accounts:
        about = {"id": account.id, "name": account.at("name"), "realm": account.at("realm")}
        for user in await store.all(Listing(account.id, USER)):
            if (email := user.at("email")) and _is_meant(user, user_type):
                yield email, {"user": {key: user.at(key) for key in PERSON}, "account": about}


def _is_meant(user: Document, user_type: JSON) -> bool:
    if user_type == "admins_only":
        return bool(user.at("priv_level") == "admin")
    return user_type in ("all_users", user.id)
