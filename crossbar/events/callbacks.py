# SPDX-License-Identifier: MPL-2.0
"""Callbacks: a web server that a document names is told of one thing, by one request.

A callback is a document, written in the transaction of what it tells of: there is never one without the other. It lies
there until the server has answered, or did not after several tries (`notices/domain/callback_deliveries.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON
from crossbar.ids import new_id
from crossbar.wire.form_pairs import form_text

CALLBACK: Final = "callback"
DUE: Final = "pvt_due"
"""Of a callback: the Gregorian second from which any worker may take it."""
TRIES: Final = "pvt_tries"
"""Of a callback: how often it was sent and no answer came."""
OWN_SECONDS: Final = 10
"""How long a callback is left to the worker that wrote it."""
CALLBACK_SHAPE: Final = Shape(
    CALLBACK, summary=Summary("id", "account_id"), sort=DUE, sealed=("request.*",), moves=False, history=False
)
"""`account_id`; `request`: `verb`, `url`, `body`, `content_type`; `debug`, if what becomes of it is kept among the
account's `pivot/debug`: the `call_id` and `iteration` of a call."""

JSON_TYPE: Final = "application/json"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
Form = Literal["json", "form"]


def callback(
    account_id: str,
    verb: str,
    url: str,
    told: Mapping[str, JSON],
    *,
    form: Form,
    debug: Mapping[str, Any] | None = None,
) -> Document:
    """A callback of an account, not yet written; nested values in a form are KAZOO's `a[b]=c`."""
    now = clock.now()
    is_json = form == "json"
    body = orjson.dumps(dict(told)).decode() if is_json else form_text(dict(told))
    content_type = JSON_TYPE if is_json else FORM_TYPE
    return Document(
        SYSTEM_DATA,
        CALLBACK,
        new_id(),
        {
            "account_id": account_id,
            "request": {"verb": verb, "url": url, "body": body, "content_type": content_type},
            **({} if debug is None else {"debug": dict(debug)}),
            "pvt_type": CALLBACK,
            "pvt_account_id": account_id,
            "pvt_created": now,
            "pvt_modified": now,
            TRIES: 0,
            DUE: now + OWN_SECONDS,
        },
    )
