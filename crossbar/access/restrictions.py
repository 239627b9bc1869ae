# SPDX-License-Identifier: MPL-2.0
"""Token restrictions: what the tokens of an account may not do, though the tree allows it.

Source: `cb_token_restrictions.erl` (`maybe_deny_access`), `core/kazoo_bindings/src/kazoo_bindings.erl` (`matches`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from crossbar.access.directory import Account
from crossbar.access.feed_cache import FeedCache
from crossbar.access.identity import Identity
from crossbar.access.named_tokens import METHOD as NAMED_TOKEN
from crossbar.access.named_tokens import comes_from
from crossbar.access.request_facts import RequestFacts
from crossbar.documents.feed import Feed
from crossbar.documents.store import Store
from crossbar.errors import JSON, Forbidden

TYPE = "token_restrictions"
"""Type and id of the document in which an account keeps its restrictions."""
ANY = "_"
AUTH_ACCOUNT = "{AUTH_ACCOUNT_ID}"
DESCENDANT_ACCOUNT = "{DESCENDANT_ACCOUNT_ID}"
DENIED = "access denied by token restrictions"

LOG_INS: Final = frozenset({"api_auth", "auth", "ip_auth", "multi_factor", "user_auth"})
"""Endpoints that hand out tokens."""

Restrictions = Mapping[str, JSON]
"""Method → priv level → endpoint → list of `{allowed_accounts, rules}`; each key may be `_` for any."""


def _no_restrictions() -> Restrictions:
    return {}


class TokenRestrictions:
    """Applies the restrictions of the caller's account, else those of the system.

    `system` gives the section `token_restrictions` of the system configuration, asked for at each use.
    """

    def __init__(
        self, store: Store, feed: Feed, system: Callable[[], Restrictions] = _no_restrictions, *, limit: int = 20_000
    ) -> None:
        self._store = store
        self._system = system
        self._memory: FeedCache[str, Restrictions] = FeedCache(feed, self._load, limit=limit, keep_absent=True)
        feed.subscribe(TYPE, lambda change: self._memory.forget(change.partition))

    async def check(self, identity: Identity, asked: RequestFacts, account: Account | None) -> None:
        """Raise Forbidden where a restriction stands against the request. `account` is the one in the URL."""
        if identity.method == NAMED_TOKEN:
            _check_named(identity, asked, account)
        if identity.superduper:
            return
        known = self._memory.known(identity.account.id) or (await self._memory.read(identity.account.id),)
        by_level = _for_method(known[0], identity.method)
        system = self._system()
        if by_level is None and system:
            by_level = _for_method(system, identity.method)
        if by_level is None:
            return
        level = identity.priv_level or system.get("default_priv_level", "admin")
        by_endpoint = _object(by_level).get(level, _object(by_level).get(ANY))
        if by_endpoint is not None and not allows(by_endpoint, identity, asked, account):
            raise Forbidden(cause=DENIED)

    async def _load(self, account_id: str) -> Restrictions | None:
        document = await self._store.get(account_id, TYPE, TYPE)
        return document.fields.get("restrictions") if document else None


def _check_named(identity: Identity, asked: RequestFacts, account: Account | None) -> None:
    """Raise Forbidden for what a named token is not for; a log-in, which it could not end, it never gets."""
    if asked.nouns and asked.nouns[-1][0] in LOG_INS and asked.verb in ("PUT", "POST"):
        raise Forbidden(cause=DENIED)
    if not comes_from(identity.networks, asked.client_ip):
        raise Forbidden(cause=DENIED)
    if identity.scope is not None and not allows(identity.scope, identity, asked, account):
        raise Forbidden(cause=DENIED)


def allows(by_endpoint: Restrictions, identity: Identity, asked: RequestFacts, account: Account | None) -> bool:
    """Whether one privilege level's restrictions (endpoint → list of entries) let a request through."""
    if not asked.nouns:
        return False
    endpoint, arguments = asked.nouns[-1]
    entries = _list(_object(by_endpoint).get(endpoint, _object(by_endpoint).get(ANY)))
    names = _names_of(identity, asked, account)
    rules = next((_object(entry).get("rules") for entry in entries if _is_for(_object(entry), names)), None)
    verbs = next((_list(verbs) for pattern, verbs in _object(rules or {}).items() if matches(pattern, arguments)), [])
    return asked.verb in verbs or ANY in verbs


def matches(pattern: str, arguments: Sequence[str]) -> bool:
    """Whether the arguments of an endpoint fit a pattern.

    The pattern's words are separated by `/`: `*` is exactly one argument, `#` any number, else the word itself;
    `/` alone means no arguments.
    """
    # Which numbers of leading arguments the words so far can have taken up.
    taken = {0}
    for word in filter(None, pattern.split("/")):
        if word == "#":
            taken = set(range(min(taken), len(arguments) + 1))
        else:
            taken = {at + 1 for at in taken if at < len(arguments) and word in ("*", arguments[at])}
        if not taken:
            return False
    return len(arguments) in taken


def _for_method(restrictions: Restrictions | None, method: str) -> Restrictions | None:
    if not restrictions:
        return None
    known = _object(restrictions)
    found: Restrictions | None = known.get(method, known.get(ANY))
    return found


def _object(value: JSON) -> Restrictions:
    """A part of restrictions. One of the wrong type is not understood, and what is not understood lets nothing through.

    Raises Forbidden.
    """
    if not isinstance(value, Mapping):
        raise Forbidden(cause=DENIED)
    return value


def _list(value: JSON) -> list[JSON]:
    if value is not None and not isinstance(value, list):
        raise Forbidden(cause=DENIED)
    return value or []


def _names_of(identity: Identity, asked: RequestFacts, account: Account | None) -> set[str]:
    """What `allowed_accounts` may call the account in the URL."""
    if asked.named_account_id is None:
        return {ANY}
    names = {ANY, asked.named_account_id}
    if asked.named_account_id == identity.account.id:
        names.add(AUTH_ACCOUNT)
    elif account is not None and account.within(identity.account.id):
        names.add(DESCENDANT_ACCOUNT)
    return names


def _is_for(entry: Mapping[str, JSON], names: set[str]) -> bool:
    allowed = entry.get("allowed_accounts")
    return allowed is None or any(name in names for name in _list(allowed) if isinstance(name, str))
