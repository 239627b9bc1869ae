"""The calls of queues, one row each.

Source: KAZOO `cb_acdc_call_stats` (acdc).
"""

from __future__ import annotations

from crossbar.endpoint import Context, Reply, Resource, answer_listing
from crossbar.resources.calls.queues.domain.acdc import CALL_STAT, COLUMNS
from crossbar.wire.list_options import chunk_size

acdc_call_stats = Resource("acdc_call_stats")


@acdc_call_stats.get()
async def calls(context: Context) -> Reply:
    """The calls that entered a queue in a time range, newest first."""
    chunk_size(context.query, chunked=True)
    return await answer_listing(context, CALL_STAT.type, time_range=context.config.api.maximum_range, columns=COLUMNS)
