# SPDX-License-Identifier: MPL-2.0
"""Service plans: what a reseller sells, and which of it an account has.

Source: KAZOO `kz_services.erl`, `kz_services_plans.erl`. Plan documents (type `service_plan`) live in the reseller's
account; what an account has is one document of its own, `services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crossbar.access.directory import Account, Directory
from crossbar.documents.document import Document, merge, public_fields
from crossbar.documents.store import Store
from crossbar.errors import JSON, NotFound
from crossbar.runtime import Runtime

SERVICES: Final = "services"
PLAN: Final = "service_plan"


def assigned(document: Document | None) -> dict[str, dict[str, JSON]]:
    """Plan id → `{vendor_id, overrides?, contract?}` of an account's services document."""
    plans = document.at("plans") if document else None
    return {key: entry for key, entry in plans.items() if isinstance(entry, dict)} if isinstance(plans, dict) else {}


async def load_services(runtime: Runtime, account_id: str) -> Document | None:
    """The account's services document, if it has one."""
    return await runtime.store.get(account_id, SERVICES, SERVICES)


async def load_plans(runtime: Runtime, account: Account) -> list[dict[str, Any]]:
    """The plans an account has, each with its `id`, its `vendor_id` and the account's overrides laid over it."""
    return await resolve(runtime, account, assigned(await load_services(runtime, account.id)))


async def resolve(runtime: Runtime, account: Account, entries: dict[str, dict[str, JSON]]) -> list[dict[str, Any]]:
    """The plan documents behind assignments; those that are gone are left out."""
    reseller_id = await runtime.access.directory.reseller_of(account)
    plans = []
    for plan_id, entry in entries.items():
        vendor_id = entry.get("vendor_id") or reseller_id
        document = await runtime.store.get(vendor_id, PLAN, plan_id) if isinstance(vendor_id, str) else None
        if document is not None:
            overrides = entry.get("overrides")
            plan = merge(public_fields(document.fields), overrides if isinstance(overrides, dict) else {})
            plans.append({**plan, "id": plan_id, "vendor_id": vendor_id})
    return plans


async def overridden_plans(runtime: Runtime, account: Account, services: Document | None) -> list[dict[str, Any]]:
    """The plans that a services document assigns, with each one's overrides laid over it, and then the account's."""
    overrides = services.at("overrides") if services else None
    laid = overrides if isinstance(overrides, dict) else {}
    return [merge(plan, laid) for plan in await resolve(runtime, account, assigned(services))]


async def check_plans(store: Store, directory: Directory, account: Account, plan_ids: Iterable[str]) -> str:
    """The account's reseller, which has each of the plans. Raises NotFound for a plan that it does not have."""
    vendor_id = await directory.reseller_of(account) or account.id
    for plan_id in plan_ids:
        if await store.get(vendor_id, PLAN, plan_id) is None:
            raise NotFound(plan_id)
    return vendor_id
