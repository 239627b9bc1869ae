# SPDX-License-Identifier: MPL-2.0
"""Errors of attachment handlers: what went wrong with stores outside of the database.

Source: KAZOO `cb_att_handlers_errors.erl`.
"""

from __future__ import annotations

from crossbar.endpoint import Collection, Context, Lists, Reply, answer_listing
from crossbar.resources.system.domain.store_error import STORE_ERROR_SHAPE, TYPE

att_handlers_errors = Collection(
    "att_handlers_errors",
    "/accounts/{account_id}/att_handlers_errors/{error_id}",
    STORE_ERROR_SHAPE,
    operations=("read",),
)


@att_handlers_errors.get("/accounts/{account_id}/att_handlers_errors", lists=Lists.TIMES)
async def of_account(context: Context) -> Reply:
    """What went wrong in a time range."""
    return await answer_listing(context, TYPE, time_range=context.config.api.maximum_range)


@att_handlers_errors.get("/accounts/{account_id}/att_handlers_errors/handler/{handler_id}", lists=Lists.TIMES)
async def of_handler(context: Context) -> Reply:
    """What went wrong with one handler."""
    tag = f"handler/{context.path['handler_id']}"
    return await answer_listing(context, TYPE, tag=tag, time_range=context.config.api.maximum_range)
