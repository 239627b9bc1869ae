# SPDX-License-Identifier: MPL-2.0
"""What of an account an API shows, by the declarations of the endpoints: where lists are, and what they list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from crossbar.documents.document_types import ACCOUNT
from crossbar.endpoint import Collection, Endpoint, Singleton
from crossbar.resources.carriers.domain.resource_selector import RULES, RULES_SHAPE

ACCOUNT_PATH: Final = "/accounts/{account_id}/"
NOT_TAKEN: Final[Mapping[str, str]] = {
    "apps_store": "who may open which apps is decided anew",
    "configs": "no list tells which categories an account has set",
    "multi_factor": "secrets of second factors are not shown",
    "notifications": "templates of an account are not told from those of the installation",
    "rate_limits": "no list tells which accounts and devices have some",
    "security": "no answer tells what an account has set by itself",
    "storage": "whose storage it is no answer tells",
    "services": "they follow from service plans, which are the reseller's",
    "service_plans": "an account is told the plans that it has, not those that it offers",
    "tasks": "tasks are the work of one installation",
}
"""Endpoints with documents that an API does not show as they are kept, and why."""
NEVER_SHOWN: Final = (
    "passwords of users, secrets of webhooks and of second factors, ingest tokens, named tokens: an API never shows "
    "them",
    "ledgers, transactions, audit logs, log-in attempts, statistics, call events, deliveries of webhooks, logs of "
    "faxes, mail, pivot and click to call, earlier versions of documents: books and logs stay where they were written",
    "faxes that wait to be sent: they are sent from where they wait",
    "attachments of MMS, photos of list entries, carriers' data on numbers, states of agents, presence that was set by "
    "hand, links to log-ins of other providers, groups, policies, lines and extensions of other dialects: no path "
    "answers them as they are kept",
)
"""What of an account no list shows."""


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """Documents of a type: the path of one (`path`, with names in braces) and of their list; what they are below.

    A singleton has a path without a name, and no list; `document_id` is then its id.
    """

    type: str
    path: str
    document_id: str | None = None
    parent: str | None = None
    """The name of the documents whose id the list's path has, as braces have it: `list_id`."""
    is_timed: bool = False
    """Whether the list is one of a range of time, which may be no longer than about a month."""

    @property
    def name(self) -> str:
        """What stands for one document in `path`."""
        return self.path.rpartition("/")[2].strip("{}")

    @property
    def list_path(self) -> str:
        """The path of the list."""
        return self.path.rpartition("/")[0]


TIMED: Final = frozenset({"call_recording"})
"""Types of collections that are listed by ranges of time."""
OTHERS: Final = (
    RemoteSource(RULES_SHAPE.type, "/accounts/{account_id}/resource_selectors/rules", document_id=RULES),
    RemoteSource(
        "mailbox_message", "/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}", parent="vmbox_id"
    ),
    RemoteSource("fax", "/accounts/{account_id}/faxes/inbox/{fax_id}", is_timed=True),
    RemoteSource("fax", "/accounts/{account_id}/faxes/outbox/{fax_id}", is_timed=True),
    RemoteSource("sms", "/accounts/{account_id}/sms/{message_id}", is_timed=True),
    RemoteSource("mms", "/accounts/{account_id}/mms/{message_id}", is_timed=True),
    RemoteSource("cdr", "/accounts/{account_id}/cdrs/{cdr_id}", is_timed=True),
)
"""What is read by paths that are not those of a collection, most of them records."""


def sources(endpoints: Iterable[Endpoint]) -> list[RemoteSource]:
    """Of all collections that an account has, what can be read, parents first."""
    found: list[RemoteSource] = []
    for endpoint in endpoints:
        readable = {route.template.removeprefix("/v2") for route in endpoint.routes if route.verb == "GET"}
        for collection in endpoint.collections:
            if endpoint.name in NOT_TAKEN or not collection.shape.moves or collection.shape.type == ACCOUNT:
                continue
            source = _source(collection, readable)
            if source is not None and source not in found:
                found.append(source)
    return [*sorted(found, key=lambda source: (source.parent is not None, source.path)), *OTHERS]


def _source(collection: Collection, readable: set[str]) -> RemoteSource | None:
    path = min((path for path in collection.paths if path.startswith(ACCOUNT_PATH)), key=len, default=None)
    if path is None or path not in readable:
        return None
    if isinstance(collection, Singleton):
        return RemoteSource(collection.shape.type, path, collection.document_id)
    if not path.endswith("}"):
        return None
    source = RemoteSource(collection.shape.type, path)
    names = [part.strip("{}") for part in source.list_path.split("/") if part.startswith("{")]
    parents = [name for name in names if name != "account_id"]
    if source.list_path not in readable or len(parents) > 1:
        return None
    return RemoteSource(source.type, path, parent=parents[0] if parents else None, is_timed=source.type in TIMED)
