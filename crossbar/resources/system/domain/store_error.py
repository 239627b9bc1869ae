# SPDX-License-Identifier: MPL-2.0
"""What went wrong with stores outside of the database, kept with the account.

Source: KAZOO `kz_att_error.erl`, `cb_att_handlers_errors.erl`.
"""

from __future__ import annotations

import re
from typing import Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.ids import monthly_id
from crossbar.resources.system.domain.file_store import Handler, StoreFailure
from crossbar.resources.system.domain.storage_plan import MONTHLY

TYPE: Final = "attachment_handler_error"
SECRETS: Final = frozenset({"secret", "key"})
_USER_OF_URL: Final = re.compile(r"(?<=://)[^/?#]*@")

STORE_ERROR_SHAPE: Final = Shape(
    TYPE,
    summary=Summary("id", "attachment_name", "resp_code", "reason", created="pvt_created"),
    sort="pvt_created",
    tags=lambda error: [f"handler/{error.at('handler_id')}"],
    stored_in="records",
)


async def note(store: Store, document: Document, name: str, handler: Handler, failure: StoreFailure) -> None:
    """Keep what a handler failed with over a file of a document. Credentials are left out."""
    now = clock.now()
    database = f"account/{document.partition[:2]}/{document.partition[2:4]}/{document.partition[4:]}"
    monthly = document.type in MONTHLY
    fields = {
        "attachment_name": name,
        "db_name": f"{database}-{document.id.partition('-')[0]}" if monthly else database,
        "document_id": document.id,
        "document_type": document.type,
        "handler_id": handler.id,
        "handler_props": {
            "handler": handler.kind,
            **{key: _shown(value) for key, value in handler.settings.items() if key not in SECRETS},
        },
        "options": {},
        "req_url": failure.url,
        "resp_code": failure.status,
        "resp_body": failure.body,
        "resp_headers": failure.headers,
        "reason": failure.message,
        "pvt_type": TYPE,
        "pvt_created": now,
        "pvt_modified": now,
    }
    await store.insert(Document(document.partition, TYPE, monthly_id(now), fields))


def _shown(value: JSON) -> JSON:
    """A setting without who logs in, where it is a URL that says so."""
    return _USER_OF_URL.sub("", value) if isinstance(value, str) else value
