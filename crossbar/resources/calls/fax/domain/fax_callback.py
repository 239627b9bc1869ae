# SPDX-License-Identifier: MPL-2.0
"""The web server that a fax box wants to be told of its faxes: `notifications.{inbound,outbound}.callback`.

It is told what the notification of the fax says. KAZOO has the settings in its schemas, and no code that heeds them.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import FAXBOX
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.events.callbacks import Form, callback

NOT_TOLD: Final = "fax_notifications"
"""Whom else the fax is told to."""


async def fax_callbacks(store: Store, fax: Document, notice: Document) -> list[Document]:
    """The callback of a fax that is done and has the notice; none where nobody wants one."""
    wanted = await _wanted(store, fax, "inbound" if fax.at("folder") == "inbox" else "outbound")
    url = wanted.get("url")
    if not isinstance(url, str) or not url:
        return []
    payload = {key: value for key, value in as_object(notice.at("payload")).items() if key != NOT_TOLD}
    told: dict[str, JSON] = {"event_name": notice.at("event_name"), "account_id": fax.partition, **payload}
    verb = "PUT" if wanted.get("method") == "put" else "POST"
    form: Form = "form" if wanted.get("type") == "www-url-form-encoded" else "json"
    return [callback(fax.partition, verb, url, told, form=form)]


async def _wanted(store: Store, fax: Document, direction: str) -> dict[str, Any]:
    """What the fax's box says."""
    box_id = fax.at("faxbox_id")
    box = await store.get(fax.partition, FAXBOX, box_id) if isinstance(box_id, str) and box_id else None
    return as_object(box.at(f"notifications.{direction}.callback")) if box else {}
