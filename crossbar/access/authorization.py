# SPDX-License-Identifier: MPL-2.0
"""May this caller do that? What the account tree says, before the endpoint's own rule is heard.

Source: `cb_simple_authz.erl` (`authorize`).
"""

from __future__ import annotations

from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.access.request_facts import RequestFacts

SYSTEM_NOUNS = frozenset({"acls", "rates", "sup"})
"""Endpoints that are the system's wherever they stand in the path."""


def tree_allows(identity: Identity, asked: RequestFacts, account: Account | None) -> bool:
    """Whether the caller's account is the one in the URL (`account`), above it, or the system's."""
    if identity.superduper:
        return True
    nouns = asked.nouns
    if len(nouns) == 1 and nouns[0][0] == "accounts" and not nouns[0][1]:
        return asked.verb == "PUT"
    if account is None or not account.within(identity.account.id):
        return False
    return not any(name in SYSTEM_NOUNS for name, _ in nouns)
