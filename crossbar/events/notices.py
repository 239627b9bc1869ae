# SPDX-License-Identifier: MPL-2.0
"""Notices: something happened that people may have to be told of by mail, and programs by their hooks.

A notice is a document, written in the transaction of the change that it tells of: there is never one without the
other. It lies there until its letter is in the mail spool (`notices/domain/notice_mail.py`), whatever ends in between,
or until it is certain that nobody wants one.

Source: KAZOO `kapi_notifications.erl`, `kapps_notify_publisher.erl`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.document_types import NOTICE
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Retries, Stale, Store, Transaction
from crossbar.errors import JSON, SystemFault
from crossbar.ids import new_id

NOTICES: Final = "notices"
"""The partition of all notices, whichever account they are about."""
NOTICE_SHAPE: Final = Shape(
    NOTICE, summary=Summary("id", "event_name", "account_id"), sort="pvt_created", sealed=("secret.*",), moves=False
)
"""`event_name`; `account_id`; `payload`: what the event tells (`webhook_event.NOTIFICATIONS`); `secret`: what else it
tells, which nothing may show; `letters`: the letters where they are known already, else they are made of the rest;
`writing`: what is written in all of these, where that is no template's. Without an event a notice is letters alone."""


def notice(
    event: str,
    account_id: str,
    payload: Mapping[str, Any],
    *,
    secret: Mapping[str, str] | None = None,
    letters: Sequence[Mapping[str, Any]] | None = None,
    writing: Mapping[str, Any] | None = None,
) -> Document:
    """A notice of an account, not yet written. `letters` are such as `letter` makes; `writing` has the fields of a
    `Writing`."""
    now = clock.now()
    return Document(
        NOTICES,
        NOTICE,
        new_id(),
        {
            "event_name": event,
            "account_id": account_id,
            "payload": dict(payload),
            "secret": dict(secret or {}),
            **({} if letters is None else {"letters": list(letters)}),
            **({} if writing is None else {"writing": dict(writing)}),
            "pvt_type": NOTICE,
            "pvt_account_id": account_id,
            "pvt_created": now,
            "pvt_modified": now,
            "pvt_tries": 0,
            "pvt_due": now,
        },
    )


def letter(
    template_id: str, told: Mapping[str, Any], *, original: Iterable[str] = (), reply_to: str | None = None
) -> dict[str, JSON]:
    """A letter that is known when the notice is written: its template, and the macros beside the usual ones.

    `original` are the addresses that a template means which leaves it to the event whom to tell.
    """
    return {"template_id": template_id, "told": dict(told), "original": sorted(set(original)), "reply_to": reply_to}


async def insert_telling(store: Store, document: Document, notices: Sequence[Document]) -> Document:
    """Save a new document together with what it gives rise to. Raises as `Store.insert`."""
    if not notices:
        return await store.insert(document)

    async def insert(transaction: Transaction) -> Document:
        saved = await transaction.insert(document)
        await tell(transaction, notices)
        return saved

    return await store.transact(insert)


async def replace_telling(
    store: Store, document: Document, previous: Document, notices: Sequence[Document]
) -> Document:
    """Save a new state of a document together with what it gives rise to. Raises as `Store.replace`."""
    if not notices:
        return await store.replace(document, previous)

    async def replace(transaction: Transaction) -> Document:
        saved = await transaction.replace(document, previous)
        await tell(transaction, notices)
        return saved

    return await store.transact(replace)


async def update_telling(
    store: Store, key: tuple[str, str, str], change: Callable[[Document], Sequence[Document]]
) -> Document | None:
    """As `Store.update`; `change` changes the document and says what that gives rise to."""
    async for _ in Retries():
        previous = await store.get(*key)
        if previous is None:
            return None
        document = Document(*key, fields=dict(previous.fields), revision=previous.revision)
        notices = change(document)
        try:
            return await replace_telling(store, document, previous, notices)
        except Stale:
            continue
    raise SystemFault("datastore_conflict")


async def tell(transaction: Transaction, notices: Iterable[Document]) -> None:
    """Write notices in the transaction of what they tell of."""
    for one in notices:
        await transaction.insert(one)
