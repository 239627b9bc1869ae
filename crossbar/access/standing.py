# SPDX-License-Identifier: MPL-2.0
"""May the account, and the user, be of use at all? Disabled and expired ones may not.

Source: `kzd_accounts.erl` (`is_expired`), `cb_token_auth.erl`, `crossbar_auth.erl`. KAZOO means to answer 423; see
`docs/compatibility.md` for why its 400 is not followed.
"""

from __future__ import annotations

import asyncio
import logging

from crossbar.access.directory import Account, User
from crossbar.access.login_types import Expired
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.store import Store
from crossbar.errors import CrossbarError, Invalid

log = logging.getLogger(__name__)


def refuse_expired(account: Account, on_expired: Expired = lambda _: None) -> None:
    """Raise 423 `locked` if the account's trial is over; `on_expired` is told of one that is enabled nevertheless."""
    if account.expired:
        if account.enabled:
            on_expired(account)
        raise _locked().add("account", "expired", "account expired", cause=account.trial_expires)


def refuse_disabled(account: Account) -> None:
    """Raise 423 `locked` if the account is disabled."""
    if not account.enabled:
        raise _locked().add("account", "disabled", "account disabled")


def is_switched_off(account: Account, user: User | None) -> bool:
    """Whether the user or the account is disabled. Of one whose trial is over `refuse_expired` tells more."""
    return (user is not None and not user.enabled) or not (account.enabled or account.expired)


def _locked() -> Invalid:
    return Invalid(status=423, message="locked")


class Trials:
    """Disables accounts whose trial is over, behind the request that noticed it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ending: dict[str, asyncio.Task[None]] = {}

    def end(self, account: Account) -> None:
        """The account was used after its trial."""
        if account.id not in self._ending:
            task = self._ending[account.id] = asyncio.create_task(self._disable(account.id))
            task.add_done_callback(lambda _: self._ending.pop(account.id))

    async def settle(self) -> None:
        """Return when all that was begun is done."""
        if self._ending:
            await asyncio.wait(set(self._ending.values()))

    async def _disable(self, account_id: str) -> None:
        def disable(account: Document) -> None:
            account.fields["pvt_enabled"] = False

        try:
            await self._store.update(ACCOUNTS, ACCOUNT, account_id, disable)
        except CrossbarError as error:  # the next use of the account tries again
            log.warning("account %s is not disabled after its trial: %s", account_id, error)
