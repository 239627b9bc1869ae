# SPDX-License-Identifier: MPL-2.0
"""Whom an update for customers reaches.

Source: KAZOO `cb_notifications.erl` (`customer_update`), `teletype_customer_update.erl`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.events.notices import letter, notice
from crossbar.resources.notices.domain.sent_mail import Writing
from crossbar.resources.notices.domain.template_notice import about_all, about_person
from crossbar.runtime import Runtime

LETTERS_OF_A_NOTICE: Final = 50


async def children(store: Store, account_id: str, recipient_id: JSON) -> list[Document]:
    """The accounts directly below, or the one of them that is named; none where it is not there."""
    found = await store.all(Listing(ACCOUNTS, ACCOUNT, tag=f"child/{account_id}"))
    return found if recipient_id is None else [account for account in found if account.id == recipient_id]


async def customer_notices(
    runtime: Runtime, account_id: str, writing: Writing, accounts: list[Document], user_type: JSON
) -> list[Document]:
    """The notices with an update's letters, some in each.

    Raises BadTemplate where the texts cannot be rendered.
    """
    letters: list[dict[str, JSON]] = []
    async for email, told in _customers(runtime, accounts, user_type):
        if not letters:
            writing.told(told)
        letters.append(letter(writing.template_id, told, original=[email]))
    return [
        notice("", account_id, {}, letters=letters[at : at + LETTERS_OF_A_NOTICE], writing=asdict(writing))
        for at in range(0, len(letters), LETTERS_OF_A_NOTICE)
    ]


async def _customers(
    runtime: Runtime, accounts: list[Document], user_type: JSON
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Address and macros of each user who is meant: `all_users`, `admins_only`, or the user of one id."""
    for account in accounts:
        about = await about_all(runtime, Account.of(account))
        for user in await runtime.store.all(Listing(account.id, USER)):
            if (email := user.at("email")) and _is_meant(user, user_type):
                yield email, {**about, "user": about_person(user)}


def _is_meant(user: Document, user_type: JSON) -> bool:
    if user_type == "admins_only":
        return bool(user.at("priv_level") == "admin")
    return user_type in ("all_users", user.id)
