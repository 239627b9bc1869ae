# SPDX-License-Identifier: MPL-2.0
"""That what callers may do has changed: for whoever keeps a connection open and does not ask at each request."""

from __future__ import annotations

from collections.abc import Callable

from crossbar.access import keys, named_tokens, restrictions
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.feed import Change, Feed
from crossbar.documents.store import REVOCATION

Told = Callable[[Change | None], None]


class AccessChanges:
    """Tells of changes after everything that access decisions rest on has heard of them. To be made last."""

    def __init__(self, feed: Feed) -> None:
        self._told: list[Told] = []
        for document_type in (ACCOUNT, USER, REVOCATION, named_tokens.TYPE):
            feed.subscribe(document_type, self._tell)
        feed.subscribe(restrictions.TYPE, self._tell_of_account)
        feed.subscribe(keys.TYPE, lambda _: self._tell(None))
        feed.on_loss(lambda: self._tell(None))

    def listen(self, told: Told) -> None:
        """Call `told` with the change of an account (its restrictions are a part of it), a user or a revoked token.

        With None where anything may have changed.
        """
        self._told.append(told)

    def _tell_of_account(self, change: Change) -> None:
        self._tell(Change("edited", ACCOUNTS, ACCOUNT, change.partition))

    def _tell(self, change: Change | None) -> None:
        for told in self._told:
            told(change)
