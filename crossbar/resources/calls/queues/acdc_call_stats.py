# SPDX-License-Identifier: MPL-2.0
"""The calls of queues, one row each.

Source: KAZOO `cb_acdc_call_stats` (acdc).
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_listing
from crossbar.resources.calls.queues.domain.acdc import CALL_STAT_SHAPE, COLUMNS
from crossbar.wire.list_options import CHUNKS, chunk_size

acdc_call_stats = Endpoint("acdc_call_stats")


@acdc_call_stats.get(
    "/accounts/{account_id}/acdc_call_stats",
    lists=Lists.TIMES,
    options=CHUNKS,
)
async def calls(context: Context) -> Reply:
    """The calls that entered a queue in a time range, newest first."""
    chunk_size(context.query, chunked=True)
    return await answer_listing(
        context, CALL_STAT_SHAPE.type, time_range=context.config.api.maximum_range, columns=COLUMNS
    )
