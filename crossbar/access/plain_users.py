# SPDX-License-Identifier: MPL-2.0
"""What a plain user may not do, though the account tree allows it.

KAZOO lets any token of an account do everything in it, so that a user without rights makes an administrator of
himself. Here a user whose `priv_level` is not `admin` is kept from the requests of the table below, in whatever account
of the tree; single fields of users and devices are guarded where these are saved. API keys and addresses, which stand
for the account as a whole, and administrators are not concerned. `docs/compatibility/auth.md` has the same table for
people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from crossbar.access.identity import Identity
from crossbar.access.request_facts import RequestFacts
from crossbar.access.restrictions import matches

HISTORY: Final = "history"
"""The word below a document's path under which its versions are."""
CHANGES: Final = frozenset({"PUT", "POST", "PATCH", "DELETE"})


class Need(Enum):
    """Who may send a request."""

    ADMIN = "an administrator"
    OWN = "an administrator, or the user whom the path names"


@dataclass(frozen=True, slots=True)
class Guarded:
    """Requests that are not for everybody: an endpoint's arguments, as token restrictions spell them, and verbs."""

    arguments: str
    verbs: frozenset[str] = CHANGES
    need: Need = Need.ADMIN


EVERYTHING: Final = (Guarded("#"),)
NOT_EVEN_READING: Final = (Guarded("#", CHANGES | {"GET"}),)

GUARDED: Final[Mapping[str, tuple[Guarded, ...]]] = {
    # Accounts, those below them, their API keys
    "accounts": (
        Guarded("/"),
        Guarded("*"),
        Guarded("*/api_key", CHANGES | {"GET"}),
        Guarded("*/move"),
        Guarded("*/reseller"),
    ),
    # Who there is
    "users": (Guarded("/"), Guarded("*", frozenset({"DELETE"}), Need.OWN)),
    # How people log in, and what their tokens may do
    "security": EVERYTHING,
    "multi_factor": (Guarded("/"), Guarded("*", CHANGES - {"PUT"})),
    "token_restrictions": EVERYTHING,
    "auth": (Guarded("apps/*"), Guarded("providers/*"), Guarded("keys/*")),
    "ingest_tokens": EVERYTHING,
    # Settings, among them those of log-ins, and where people are led to log in
    "configs": EVERYTHING,
    "system_configs": EVERYTHING,
    "whitelabel": EVERYTHING,
    "apps_store": EVERYTHING,
    # Where files go, with the credentials for it
    "storage": (Guarded("/", CHANGES | {"GET"}, Need.OWN), Guarded("plans/#", CHANGES | {"GET"})),
    # Which way calls leave, with the passwords for it
    "resources": NOT_EVEN_READING,
    "resource_selectors": NOT_EVEN_READING,
    "resource_templates": NOT_EVEN_READING,
    # Everything that happens in the account
    "events": (Guarded("/", frozenset({"GET"})),),
    "audit": NOT_EVEN_READING,
    # What holds for everybody in the account
    "access_lists": EVERYTHING,
    "allotments": EVERYTHING,
    "limits": EVERYTHING,
    "rate_limits": EVERYTHING,
    # Money, and addresses that cost some
    "ips": (Guarded("/", frozenset({"POST", "DELETE"})), Guarded("*", frozenset({"POST", "DELETE"}))),
    "ledgers": EVERYTHING,
    "transactions": EVERYTHING,
    "services": (Guarded("topup"),),
}
"""Endpoint → what of it is guarded."""


def need_of(endpoint: str, arguments: Sequence[str], verb: str) -> Need | None:
    """What a request needs its user to be; None for one that any user may send."""
    for rule in GUARDED.get(endpoint, ()):
        if verb in rule.verbs and matches(rule.arguments, arguments):
            return rule.need
    return None


class PlainUsers:
    """Judges requests of plain users. `guarded` says whether they are guarded at all; it is asked at each use."""

    def __init__(self, guarded: Callable[[], bool]) -> None:
        self._guarded = guarded

    def guards(self, identity: Identity | None) -> bool:
        """Whether the caller is a plain user and has to be kept from what only administrators should do."""
        return identity is not None and identity.is_plain_user and self._guarded()

    def refuses(self, identity: Identity, asked: RequestFacts) -> bool:
        """Whether the request is one of the table, and the caller has not what it needs."""
        if not asked.nouns or not self.guards(identity):
            return False
        endpoint, arguments = asked.nouns[-1]
        if HISTORY in arguments:  # what may be done to a document, may be done to its past
            arguments = arguments[: arguments.index(HISTORY)]
        need = need_of(endpoint, arguments, asked.verb)
        if need is not Need.OWN:
            return need is Need.ADMIN
        whom = arguments or (asked.nouns[-2][1] if asked.nouns[-2:-1] else ())
        return not is_oneself(identity, asked.named_account_id, "".join(whom[:1]))


def is_oneself(identity: Identity, account_id: str | None, user_id: str) -> bool:
    """Whether the caller is that user of that account."""
    return identity.account_id == account_id and identity.owner_id == user_id
