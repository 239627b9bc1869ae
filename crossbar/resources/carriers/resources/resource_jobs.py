# SPDX-License-Identifier: MPL-2.0
"""Imports of numbers from a carrier. On bare paths they are the master account's.

Source: KAZOO `cb_resources.erl` (`create_job`, `read_job`, `jobs_summary`).
"""

from __future__ import annotations

import re
from typing import Final

from crossbar.access.authorship import stamps
from crossbar.documents.document import Document
from crossbar.endpoint import Context, Lists, Reply, answer_listing
from crossbar.errors import Invalid, NotFound
from crossbar.ids import monthly_id
from crossbar.resources.carriers.domain.resource_job import NEWS, TYPE, schedule, told
from crossbar.resources.carriers.resources import resources

MOST_NUMBERS: Final = 20_000
"""Numbers of one import: it is one document."""
_MONTHLY: Final = re.compile(r"\d{6}-.+", re.DOTALL | re.ASCII)


async def _account_id(context: Context) -> str:
    return context.target.id if context.target else await context.directory.master_id() or context.account_id


@resources.get("/accounts/{account_id}/resources/jobs", "/resources/jobs", lists=Lists.TIMES)
async def jobs(context: Context) -> Reply:
    """The imports of a time range, the newest first."""
    account_id, longest = await _account_id(context), context.config.api.maximum_range
    return await answer_listing(context, TYPE, account_id, time_range=longest)


@resources.put("/accounts/{account_id}/resources/jobs", "/resources/jobs", checks_itself=True, schema="resource_jobs")
async def create_job(context: Context) -> Reply:
    """Have numbers imported in the background."""
    data = context.valid_data()
    if len(data["numbers"]) > MOST_NUMBERS:
        text = f"Array must have at most {MOST_NUMBERS} items"
        raise Invalid.field("numbers", "maxItems", text, target=MOST_NUMBERS)
    data.pop("id", None)
    job = Document(await _account_id(context), TYPE, monthly_id(), {**data, "success": {}, "errors": {}})
    job.fields.update(stamps(context.author, job))
    context.ready_to_write()
    saved = await schedule(context.store, job)
    context.service(NEWS).set()
    location = f"{context.request.rel_url.raw_path.rstrip('/')}/{saved.id}"
    return Reply(saved.public, revision=saved.revision, location=location)


@resources.get("/accounts/{account_id}/resources/jobs/{job_id}", "/resources/jobs/{job_id}")
async def read_job(context: Context) -> Reply:
    """One import, and what has come of it."""
    job_id = context.path["job_id"]
    account_id = await _account_id(context)
    job = await context.store.get(account_id, TYPE, job_id) if _MONTHLY.fullmatch(job_id) else None
    if job is None:
        raise NotFound(job_id)
    return Reply(told(job), revision=job.revision)
