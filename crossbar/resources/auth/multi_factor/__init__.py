# SPDX-License-Identifier: MPL-2.0
"""Second factors: their providers, for the system and for each account, and the attempts to pass them.

Source: KAZOO `cb_multi_factor`. Provider documents of the system lie in the partition `system_auth`, beside those of
log-ins by others. The set-up of authenticator apps is in `authenticator_setup`.
"""

from __future__ import annotations

from typing import Any

import orjson

from crossbar.access.login_types import MULTI_FACTOR
from crossbar.access.second_factor import PROVIDER
from crossbar.documents.document import SYSTEM_AUTH
from crossbar.documents.listing import Listing
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who
from crossbar.resources.auth.domain.login_provider import PROVIDER_SHAPE, type_tag
from crossbar.resources.auth.security import answer_attempt, answer_attempts

multi_factor = Collection(
    "multi_factor",
    ("/accounts/{account_id}/multi_factor/{config_id}", "/multi_factor/{config_id}"),
    PROVIDER_SHAPE,
    schema="multi_factor_provider",
    operations=("create", "read", "replace", "merge", "delete"),
    partition=lambda context: SYSTEM_AUTH if context.target is None else context.account_id,
)


@multi_factor.finish
async def mark_type(context: Context, draft: Draft) -> None:
    """What is made here is a second factor."""
    if draft.previous is None:
        draft.private["pvt_provider_type"] = MULTI_FACTOR


@multi_factor.get("/multi_factor", who=Who.AUTHENTICATED)
async def system_providers(context: Context) -> Reply:
    """The providers that the system offers."""
    return Reply.rows(await _rows(context, SYSTEM_AUTH), page_size=True)


@multi_factor.get("/accounts/{account_id}/multi_factor")
async def providers(context: Context) -> Reply:
    """The account's own providers, and those of the system."""
    return Reply(
        {
            "configured": await _rows(context, context.account_id),
            "multi_factor_providers": await _rows(context, SYSTEM_AUTH),
        }
    )


async def _rows(context: Context, partition: str) -> list[dict[str, Any]]:
    page = await context.store.page(Listing(partition, PROVIDER, tag=type_tag(MULTI_FACTOR), descending=False))
    return [orjson.loads(row.body) for row in page.rows]


@multi_factor.get("/accounts/{account_id}/multi_factor/attempts", lists=Lists.TIMES)
async def attempts(context: Context) -> Reply:
    """Who tried to pass a second factor, the newest first."""
    return await answer_attempts(context, MULTI_FACTOR)


@multi_factor.get("/accounts/{account_id}/multi_factor/attempts/{attempt_id}")
async def attempt(context: Context) -> Reply:
    """One attempt."""
    return await answer_attempt(context, context.path["attempt_id"])
