# SPDX-License-Identifier: MPL-2.0
"""Which carriers there are here.

A number keeps the name of its carrier, whatever that is. Where no module of the name is configured, the number acts as
a local one: nobody outside is asked, and it exists while an account has it.

Source: KAZOO `knm_carriers.erl`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crossbar.documents.document import as_list
from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.resources.numbers.domain.carrier import Carrier, Inventory, Local
from crossbar.resources.numbers.domain.number import CARRIERS, INVENTORY, LOCAL, MODULE_PREFIX, OTHER
from crossbar.resources.numbers.domain.number_settings import CATEGORY
from crossbar.resources.numbers.domain.other_carrier import other_carrier
from crossbar.runtime import Runtime

Module = Callable[[Runtime], Carrier | None]
"""A carrier as it is configured at the moment; None where it is not."""

MODULES: Final[dict[str, Module]] = {
    LOCAL: lambda _: Local(),
    INVENTORY: lambda runtime: Inventory(runtime.store),
    OTHER: other_carrier,
}
"""The carriers that can be configured here, by name."""


def known(name: object) -> str | None:
    """The name of a carrier, written with or without the prefix of modules; None where nobody knows it."""
    plain = name.removeprefix(MODULE_PREFIX) if isinstance(name, str) else ""
    return plain if plain in CARRIERS or plain in MODULES else None


def carrier_named(runtime: Runtime, name: str) -> Carrier:
    """The carrier of this name, or what stands in for it."""
    module = MODULES.get(name)
    return (module(runtime) if module else None) or Local(name)


async def carriers_to_search(runtime: Runtime, reseller_id: str | None) -> list[Carrier]:
    """The carriers that are asked for numbers, in their order: the inventory, then those that are configured.

    The setting `carrier_modules`, or that of the account's reseller, says which of them are.
    """
    config = await runtime.store.get(reseller_id, ACCOUNT_CONFIG, f"configs_{CATEGORY}") if reseller_id else None
    wanted = as_list(config.at("carrier_modules")) if config else []
    wanted = wanted or as_list(runtime.settings.get(CATEGORY, "carrier_modules"))
    names = [name for name in map(known, wanted) if name] or list(MODULES)
    inventory = MODULES[INVENTORY](runtime)
    others = (MODULES[name](runtime) for name in dict.fromkeys(names) if name in MODULES and name != INVENTORY)
    return [carrier for carrier in (inventory, *others) if carrier is not None]
