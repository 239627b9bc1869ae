# SPDX-License-Identifier: MPL-2.0
"""Log-in policies: how each account wants each way to log in to work.

An account's own word (document `configs_crossbar.auth`) is laid over that of the accounts above it up to its reseller,
that over the system's, and that over what is built in. A policy is known from memory, kept fresh by the change feed.

Source: `crossbar_auth.erl` (`get_account_config`, `get_inherited_config`), `kapps_account_config.erl`
(`get_hierarchy`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crossbar.access.directory import Account, Directory
from crossbar.access.feed_cache import FeedCache
from crossbar.access.login_types import ModuleSettings
from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.documents.feed import Change, Feed
from crossbar.documents.store import Store
from crossbar.errors import JSON

ID: Final = "configs_crossbar.auth"

Modules = Mapping[str, Mapping[str, JSON]]
"""Module (`cb_user_auth`, …) → its settings, as `auth_modules` has them."""


class Policies:
    """The log-in settings of all accounts.

    `system` gives those of the system, `lifetime` the seconds that a token lives where a module sets none; both are
    asked for at each use.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        directory: Directory,
        *,
        system: Callable[[], Modules],
        lifetime: Callable[[], int],
        limit: int = 100_000,
    ) -> None:
        self._store = store
        self._directory = directory
        self._system = system
        self._lifetime = lifetime
        self._own: FeedCache[str, Modules] = FeedCache(feed, self._load, limit=limit, keep_absent=True)
        feed.subscribe(ACCOUNT_CONFIG, self._forget)

    async def settings_of(self, account: Account | None, module: str) -> ModuleSettings:
        """How one module works for an account; None asks for the system's own."""
        modules = self._system() if account is None else await self._merged(account)
        return self._settings(modules.get(module, {}))

    async def inherited(self, account: Account) -> Modules:
        """What counts for an account that says nothing itself."""
        parent_id = None if account.is_reseller else account.parent_id
        parent = None if parent_id is None else await self._directory.account(parent_id)
        return self._system() if parent is None else await self._merged(parent)

    async def _merged(self, account: Account) -> Modules:
        own = await self._own.get(account.id)
        inherited = await self.inherited(account)
        return laid_over(inherited, own) if own else inherited

    async def _load(self, account_id: str) -> Modules | None:
        document = await self._store.get(account_id, ACCOUNT_CONFIG, ID)
        modules = document.at("auth_modules") if document else None
        return modules if isinstance(modules, dict) else None

    def _settings(self, module: Mapping[str, JSON]) -> ModuleSettings:
        lifetime = module.get("token_auth_expiry_s")
        factor = module.get("multi_factor")
        return ModuleSettings(
            enabled=module.get("enabled") is not False,
            lifetime=lifetime if isinstance(lifetime, int) and lifetime > 0 else self._lifetime(),
            log_failed=module.get("log_failed_attempts") is not False,
            log_successful=module.get("log_successful_attempts") is True,
            multi_factor=factor if isinstance(factor, dict) else {},
        )

    def _forget(self, change: Change) -> None:
        if change.id == ID:
            self._own.forget(change.partition)


def laid_over(lower: Mapping[str, JSON], upper: Mapping[str, JSON]) -> dict[str, JSON]:
    """Both merged at every level; where both have a value, `upper` wins."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
