# SPDX-License-Identifier: MPL-2.0
"""Sup: maintenance functions by their KAZOO names, from a closed list of harmless ones.

Source: KAZOO `cb_sup`, which runs any maintenance function of the node. This server runs those below and no others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.errors import FaultyRequest
from crossbar.resources.system.about import process_use

DEFAULT_FUNCTION: Final = "status"


@dataclass(frozen=True, slots=True)
class Function:
    """One maintenance function: how many arguments it takes, and what it prints."""

    arguments: int
    run: Callable[..., Awaitable[str]]


sup = Endpoint("sup", who=Who.SUPERDUPER, takes_all_words=True)


async def _run(context: Context) -> Reply:
    """What the function prints; 404 for one that is not on the list or wants other arguments."""
    module, name = context.path["module"], context.path.get("function", DEFAULT_FUNCTION)
    arguments = [context.path[key] for key in ("first", "second", "third") if key in context.path]
    function = FUNCTIONS.get((module, name))
    if function is None or function.arguments != len(arguments):
        raise FaultyRequest
    return Reply(await function.run(context, *arguments))


sup.get(
    "/sup/{module}",
    "/sup/{module}/{function}",
    "/sup/{module}/{function}/{first}",
    "/sup/{module}/{function}/{first}/{second}",
    "/sup/{module}/{function}/{first}/{second}/{third}",
)(_run)


async def _status(_: Context) -> str:
    return "\n".join(f"{key}: {value}" for key, value in process_use().items())


async def _find_by_id(context: Context, account_id: str) -> str:
    document = await context.store.get(ACCOUNTS, ACCOUNT, account_id)
    return _told([Account.of(document)] if document else [])


async def _find_by_name(context: Context, name: str) -> str:
    return _told(await context.directory.accounts_of_name(name))


async def _find_by_realm(context: Context, realm: str) -> str:
    account = await context.directory.account_of_realm(realm)
    return _told([account] if account else [])


def _told(accounts: list[Account]) -> str:
    lines = [f"Account ID: {account.id} ({account.name}, {account.realm})" for account in accounts]
    return "\n".join(lines) or "failed to find account: not_found"


async def _flush(context: Context) -> str:
    context.runtime.settings.forget()
    return "ok"


FUNCTIONS: Final = {
    ("kz_nodes", "status"): Function(0, _status),
    ("crossbar_maintenance", "find_account_by_id"): Function(1, _find_by_id),
    ("crossbar_maintenance", "find_account_by_name"): Function(1, _find_by_name),
    ("crossbar_maintenance", "find_account_by_realm"): Function(1, _find_by_realm),
    ("kapps_config", "flush"): Function(0, _flush),
}
"""(module, function) → what it does here. None of them changes a document or starts anything."""
