# SPDX-License-Identifier: MPL-2.0
"""Token restrictions: what the tokens of an account may not do.

Source: KAZOO `cb_token_restrictions`. They are judged on each request (`crossbar.access.restrictions`).
"""

from __future__ import annotations

from crossbar.access.restrictions import TYPE
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Singleton

token_restrictions = Singleton(
    "token_restrictions",
    "/accounts/{account_id}/token_restrictions",
    Shape(TYPE, summary=Summary("id")),
    document_id=TYPE,
    schema="token_restrictions",
)
