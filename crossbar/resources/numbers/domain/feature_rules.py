# SPDX-License-Identifier: MPL-2.0
"""Which features a caller may switch on for a number: what fits the number, and nobody has forbidden.

Source: KAZOO `knm_providers.erl` (`allowed_features`, `available_features`).
"""

from __future__ import annotations

from crossbar.access.identity import Identity
from crossbar.documents.document import Document
from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.resources.numbers.domain import number_features
from crossbar.resources.numbers.domain.carrier import OUTSIDE
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.resources.numbers.domain.number import carrier_of, owner_of
from crossbar.resources.numbers.domain.number_settings import CATEGORY, NumberSettings
from crossbar.runtime import Runtime


class FeatureRules:
    """The rules for one caller; what resellers say is read once for each account."""

    def __init__(self, runtime: Runtime, identity: Identity) -> None:
        self._runtime = runtime
        self._identity = identity
        self._rules = NumberSettings(runtime)
        self._narrowings: dict[str | None, tuple[list[str], list[str]]] = {}

    async def available(self, number: Document, used_by: str | None) -> list[str]:
        """The features that the caller may switch on."""
        outside = OUTSIDE if self._rules.local_features else carrier_named(self._runtime, carrier_of(number)).features()
        wanted = number_features.fitting(number, used_by, outside)
        owner = owner_of(number)
        if owner not in self._narrowings:
            self._narrowings[owner] = await self._of_reseller(owner)
        allowed, denied = self._narrowings[owner]
        named = number_features.narrowed(number, wanted, allowed, denied)
        return sorted(named | ({number_features.ADMIN} if self._identity.superduper else set()))

    async def _of_reseller(self, owner: str | None) -> tuple[list[str], list[str]]:
        """Features allowed and denied by the reseller of a number's account, else by the installation."""
        directory, store = self._runtime.access.directory, self._runtime.store
        account = await directory.account(owner) if owner else None
        reseller_id = await directory.reseller_of(account) if account else None
        config = await store.get(reseller_id, ACCOUNT_CONFIG, f"configs_{CATEGORY}") if reseller_id else None
        allowed, denied = (config.at(f"features.{key}") if config else None for key in ("allow", "deny"))
        return (
            allowed if isinstance(allowed, list) else self._rules.allowed,
            denied if isinstance(denied, list) else self._rules.denied,
        )
