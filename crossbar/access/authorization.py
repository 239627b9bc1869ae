"""May this caller do that? The account tree decides; an endpoint may allow more, or veto.

Source: `cb_simple_authz.erl` (`authorize`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.access.request import Asked
from crossbar.errors import Forbidden

SYSTEM_NOUNS = frozenset({"acls", "rates", "sup"})
"""Endpoints that are the system's wherever they stand in the path."""

Rule = Callable[[Identity, Asked], Awaitable[bool]]
"""An endpoint's own rule: True allows what the tree does not; False is no opinion; to veto it raises."""


async def authorize(identity: Identity, asked: Asked, account: Account | None, rule: Rule | None = None) -> None:
    """Raise Forbidden unless the tree or the endpoint's rule allows the request.

    `account` is the one in the URL. The rule is asked in any case, since it may veto what the tree allows.
    """
    allowed = tree_allows(identity, asked, account)
    if rule is not None:
        allowed = await rule(identity, asked) or allowed
    if not allowed:
        raise Forbidden


def tree_allows(identity: Identity, asked: Asked, account: Account | None) -> bool:
    """Whether the caller's account is the one in the URL, above it, or the system's."""
    if identity.superduper:
        return True
    nouns = asked.nouns
    if len(nouns) == 1 and nouns[0][0] == "accounts" and not nouns[0][1]:
        return asked.verb == "PUT"
    if account is None or not account.within(identity.account.id):
        return False
    return not any(name in SYSTEM_NOUNS for name, _ in nouns)
