# SPDX-License-Identifier: MPL-2.0
"""An account's definition that comes in: below which account it goes, and what of it is this installation's to say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from crossbar.documents.document import ACCOUNTS, TREE, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.store import Duplicate, Retries, Stale
from crossbar.errors import JSON, Conflict, Invalid
from crossbar.moving import secrets
from crossbar.moving.claims_held import held_by_others
from crossbar.moving.private_fields import modified, with_private
from crossbar.moving.report import CREATED, SKIPPED, UPDATED, MovingReport
from crossbar.resources.identity.domain import account_tree
from crossbar.runtime import Runtime

PARENT: Final = "pvt_parent_id"
SUPERDUPER: Final = "pvt_superduper_admin"
OWN: Final[tuple[str, ...]] = (
    TREE,
    PARENT,
    "pvt_previous_tree",
    "descendants_count",
    SUPERDUPER,
    "pvt_notification_preference",
)
"""Fields that follow from where an account has its place, here and not where it comes from."""


@dataclass(slots=True)
class AccountArrival:
    """Takes accounts in, the first one below `parent_id`; where there is no account at all yet, as the master account.

    An account that is here already stays where it is.
    """

    runtime: Runtime
    report: MovingReport
    parent_id: str | None
    dry_run: bool
    is_whole: bool = True
    """Whether definitions come with their private fields."""
    here: set[str] = field(default_factory=set)
    """The accounts that were taken in, or were here."""

    async def take(self, incoming: Document) -> bool:
        """Take one in, its fields opened; says whether it is here now."""
        before = await self.runtime.store.get(ACCOUNTS, ACCOUNT, incoming.id)
        taken = await (self._change(incoming, before) if before else self._make(incoming))
        if taken:
            self.here.add(incoming.id)
        return taken

    async def _change(self, incoming: Document, before: Document) -> bool:
        pepper = self.runtime.access.pepper
        async for _ in Retries():
            opened = secrets.opened(ACCOUNT, before.fields, pepper)
            own = {name: opened[name] for name in OWN if name in opened}
            come = incoming.fields if self.is_whole else with_private(incoming, opened)
            brought = {key: value for key, value in come.items() if key not in OWN}
            fields = secrets.completed(ACCOUNT, {**brought, **own}, opened)
            if fields == opened:
                self.report.count(SKIPPED, ACCOUNT)
                return True
            if not self.is_whole:
                fields |= modified(incoming)
            after = replace(before, fields=secrets.closed(ACCOUNT, fields, pepper))
            if (reason := (await held_by_others(self.runtime.store, [after])).get(after.key)) is not None:
                self.report.trouble(incoming.key, f"{reason}; its documents were taken over all the same")
                return True
            try:
                if not self.dry_run:
                    await self.runtime.store.replace(after, before)
            except Stale:
                before = await self.runtime.store.get(ACCOUNTS, ACCOUNT, incoming.id) or before
                continue
            self.report.count(UPDATED, ACCOUNT)
            return True
        raise Conflict

    async def _make(self, incoming: Document) -> bool:
        parent_id = self._parent_of(incoming)
        if self.here and parent_id not in self.here and parent_id != self.parent_id:
            return self._refuse(incoming, f"the account {parent_id} above it was not taken over")
        own = {name for name in OWN if parent_id is not None or name not in (SUPERDUPER, "pvt_notification_preference")}
        come = incoming.fields if self.is_whole else with_private(incoming, None)
        brought: dict[str, JSON] = {key: value for key, value in come.items() if key not in own}
        fields = secrets.completed(ACCOUNT, brought, None)
        account = replace(incoming, fields=secrets.closed(ACCOUNT, fields, self.runtime.access.pepper))
        if (reason := (await held_by_others(self.runtime.store, [account])).get(account.key)) is not None:
            return self._refuse(incoming, f"{reason}; nothing of the account was taken over")
        if parent_id is not None and incoming.fields.get(SUPERDUPER):
            self.report.trouble(incoming.key, "it rules this installation no more than others (superduper_admin)")
        try:
            await self._insert(account, parent_id)
        except (Duplicate, Invalid) as error:
            return self._refuse(incoming, f"it cannot be written: {error}; nothing of the account was taken over")
        self.report.count(CREATED, ACCOUNT)
        return True

    def _parent_of(self, incoming: Document) -> str | None:
        """The account above it here: the one above it there, where that was taken in, too."""
        above = incoming.fields.get(TREE) or []
        return str(above[-1]) if above and self.here else self.parent_id

    async def _insert(self, account: Document, parent_id: str | None) -> None:
        if self.dry_run:
            return
        if parent_id is None:
            account.fields[TREE] = []
            await self.runtime.store.insert(account)
        else:
            await account_tree.insert_below(self.runtime, account, parent_id)

    def _refuse(self, incoming: Document, reason: str) -> bool:
        self.report.trouble(incoming.key, reason)
        return False
