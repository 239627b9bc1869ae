# SPDX-License-Identifier: MPL-2.0
"""Alerts about port requests: those that wait for their account, and those whose last comment asks for something.

Source: KAZOO `cb_alerts:maybe_check_port_requests`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.resources.numbers.domain.port_request import (
    DATABASE,
    OWNER,
    TYPE,
    PortState,
    open_below,
    open_of,
    state_of,
)
from crossbar.resources.ports.domain.port_authority import decides_as, port_settings
from crossbar.resources.ports.domain.port_comment import visible
from crossbar.resources.ports.domain.port_transition import into
from crossbar.runtime import Runtime
from crossbar.wire.request_values import is_true

CATEGORY: Final = "crossbar.alerts"
TITLE: Final = "Port request requires action"
WAITING: Final = {
    PortState.UNCONFIRMED: ("The port request has not been submitted, until it is submitted it will not be processed."),
    PortState.REJECTED: "The port request has been rejected, please update the port or cancel.",
}


@dataclass(frozen=True, slots=True)
class PortAlerts:
    """What the caller is alerted of."""

    runtime: Runtime
    identity: Identity

    async def for_account(self, account: Account) -> list[dict[str, Any]]:
        """The alerts about the requests of an account, and of those below where it is a reseller that others decide
        for."""
        if not self._is_wanted("check_port_requests"):
            return []
        return [
            alert
            for tag in await self._tags(account)
            for request in await self.runtime.store.all(Listing(DATABASE, TYPE, tag=tag))
            for alert in self._alerts(request)
        ]

    def _is_wanted(self, check: str) -> bool:
        return self.runtime.settings.get(CATEGORY, check, default=True) is not False

    async def _tags(self, account: Account) -> list[str]:
        """Whose requests count."""
        own, store, directory = open_of(account.id), self.runtime.store, self.runtime.access.directory
        if self.identity.account_id == await directory.master_id():
            return [own]
        if account.is_reseller:
            decides = await decides_as(store, directory, account) == account.id
            return [own] if decides else [own, open_below(account.id)]
        reseller_id = await directory.reseller_of(account)
        hidden = reseller_id is not None and (await port_settings(store, reseller_id)).hidden
        return [] if hidden else [own]

    def _alerts(self, request: Document) -> Iterator[dict[str, Any]]:
        state = state_of(request)
        about = {"name": request.at("name"), "state": str(state)}
        comments = visible(self.identity, request)
        if self._is_wanted("check_port_action_required") and comments and is_true(comments[-1].get("action_required")):
            yield _alert(request, "port_action_required", comments[-1], about)
        move = into(request, state)
        if self._is_wanted("check_port_suspended") and state in WAITING and move is not None:
            yield _alert(request, "port_suspended", WAITING[state], {**about, "transition": move})


def _alert(request: Document, category: str, message: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": request.id,
        "title": TITLE,
        "message": message,
        "category": category,
        "metadata": metadata,
        "from": [{"type": "account", "value": request.text(OWNER)}],
        "clearable": False,
    }
