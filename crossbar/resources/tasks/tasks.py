# SPDX-License-Identifier: MPL-2.0
"""`tasks`: creating, starting, watching and stopping work in the background.

Source: KAZOO `cb_tasks`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs

from crossbar.access.authorship import stamps
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape
from crossbar.documents.store import Transaction
from crossbar.endpoint import Binary, Collection, Context, Lists, Reply, Who, answer_listing
from crossbar.errors import JSON, Forbidden, NotFound, Plain, SystemFault
from crossbar.resources.tasks.domain import task_sheet
from crossbar.resources.tasks.domain.action import Action
from crossbar.resources.tasks.domain.runner import RUNNER
from crossbar.resources.tasks.domain.task import (
    CSV,
    INPUT,
    LISTED,
    OUTPUT,
    TASK,
    Status,
    listed,
    new_task,
    shown,
    status_of,
)
from crossbar.resources.tasks.domain.task_catalog import CATALOG
from crossbar.wire.negotiation import CSV_TYPES

tasks = Collection(
    "tasks",
    ("/accounts/{account_id}/tasks/{task_id}", "/tasks/{task_id}"),
    Shape(TASK, summary=LISTED, sort="pvt_created"),
    operations=(),
)

JOB: Final = {
    "category": "What the action is for",
    "action": "What is to be done with each row",
    "file_name": "What the input is called",
}


@tasks.get(
    "/tasks",
    who=Who.ANONYMOUS,
    options={"category": "What the actions are for", "action": "One of them"},
    refuses=(404,),
)
async def explain(context: Context) -> Reply:
    """What tasks can do: all, a category, or one action."""
    told = CATALOG.help(_asked(context, "category"), _asked(context, "action"))
    if not told:
        raise Plain(404, "bad identifier", ["unknown category or action"])
    return Reply({"tasks": told})


@tasks.get("/accounts/{account_id}/tasks", lists=Lists.PAGES)
async def index(context: Context) -> Reply:
    """The account's tasks, newest first."""
    return await answer_listing(context, TASK)


@tasks.put(
    "/accounts/{account_id}/tasks",
    "/tasks",
    checks_itself=True,
    schema="tasks",
    accepts=CSV_TYPES,
    options=JOB,
    refuses=(404, 500),
)
async def create(context: Context) -> Reply:
    """A new task with its input: a CSV, or `data.records`."""
    category, name = _asked(context, "category"), _asked(context, "action")
    if not category or not name:
        raise SystemFault("invalid request")
    contents = await _input(context)
    total = None if contents is None else await asyncio.to_thread(task_sheet.count_rows, contents)
    action = CATALOG.find(category, name)
    if action is None:
        raise Plain(404, "bad identifier", ["unknown_category_action"])
    if action.for_administrators and context.is_guarded:
        raise Forbidden
    if errors := await asyncio.to_thread(_input_errors, action, contents, bool(context.files)):
        raise Plain(400, "bad request", errors)
    context.ready_to_write()
    task = new_task(
        context.account_id,
        auth_account_id=context.identity.account_id,
        category=category,
        action=name,
        file_name=context.values.text("file_name"),
        total_count=total,
    )
    task.fields.update(stamps(context.author, task))
    if contents is not None:
        await context.runtime.attachments.put(task, INPUT, CSV, contents)
    task = await context.store.insert(task)
    location = f"{context.request.rel_url.raw_path.rstrip('/')}/{task.id}"
    return Reply(shown(task), revision=task.revision, location=location)


@tasks.get(
    "/accounts/{account_id}/tasks/{task_id}",
    "/tasks/{task_id}",
    options={"csv_name": "`input` or `output`, where CSV is accepted"},
)
async def read(context: Context) -> Reply | Binary:
    """How far a task is, or one of its files."""
    if context.wants_csv:
        return await _file(context, context.values.text("csv_name") or OUTPUT)
    task = await _task(context)
    return Reply(listed(task), revision=task.revision)


@tasks.get("/accounts/{account_id}/tasks/{task_id}/input", "/tasks/{task_id}/input", provides=CSV_TYPES)
async def read_input(context: Context) -> Binary:
    """The CSV that a task works on, as it was sent."""
    return await _file(context, INPUT)


@tasks.get("/accounts/{account_id}/tasks/{task_id}/output", "/tasks/{task_id}/output", provides=CSV_TYPES)
async def read_output(context: Context) -> Binary:
    """The CSV that a task has made."""
    return await _file(context, OUTPUT)


@tasks.patch("/accounts/{account_id}/tasks/{task_id}", "/tasks/{task_id}")
async def start(context: Context) -> Reply:
    """Begin the work of a task."""
    return await _changed(context, context.service(RUNNER).start, "task already started")


@tasks.patch("/accounts/{account_id}/tasks/{task_id}/stop", "/tasks/{task_id}/stop")
async def stop(context: Context) -> Reply:
    """End a task where it is; the output has what was done until then."""
    return await _changed(context, context.service(RUNNER).stop, "task is not running")


@tasks.delete("/accounts/{account_id}/tasks/{task_id}", "/tasks/{task_id}", checks_itself=True)
async def delete(context: Context) -> Reply:
    """Remove a task that is not running, with its files."""
    task = await _task(context)
    context.ready_to_write(task.revision)

    async def remove(transaction: Transaction) -> Document:
        now = await transaction.get(task.partition, TASK, task.id)
        if now is None or status_of(now) is Status.EXECUTING:
            raise NotFound(task.id)
        await transaction.remove(now)
        return now

    removed = await context.store.transact(remove)
    await context.runtime.attachments.delete(removed)
    return Reply(shown(removed), revision=removed.revision)


def _asked(context: Context, name: str) -> str | None:
    """A value of the query string."""
    value = context.query.first.get(name)
    return value if isinstance(value, str) and value else None


async def _input(context: Context) -> bytes | None:
    """What the request has for the task to work on, as CSV."""
    if context.files:
        return context.files[0].contents
    content_type = context.request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if content_type in CSV_TYPES:
        return b""
    records = context.valid_data().get("records")
    return await asyncio.to_thread(task_sheet.of_records, records) if records else None


def _input_errors(action: Action, contents: bytes | None, uploaded: bool) -> dict[str, JSON]:
    """What an action cannot do with its input. The cells of records are not looked at before their rows are done."""
    header = task_sheet.Input(contents).header if contents is not None else []
    errors: dict[str, JSON] = {}
    if missing := [column for column in action.mandatory if column not in header]:
        errors["missing_mandatory_fields"] = missing
    if contents and uploaded and (rows := task_sheet.rows_lacking(contents, action.mandatory)):
        errors["missing_mandatory_values"] = rows
    if (action.expected_content is not None) != (contents is not None):
        errors["expected_content"] = action.expected_content or "none"
    return errors


async def _changed(context: Context, change: Callable[[str, str], Awaitable[Document | None]], refusal: str) -> Reply:
    """The task as `change` left it, which is None if its state did not allow that."""
    task = await _task(context)
    after = await change(task.partition, task.id)
    if after is None:
        raise SystemFault("bad_identifier", reason=refusal, cause=task.id)
    return Reply(shown(after), revision=after.revision)


async def _task(context: Context) -> Document:
    """The task in the path. Raises 404 in the words of KAZOO's task service."""
    task = await context.store.get(context.account_id, TASK, context.path["task_id"])
    if task is None:
        raise Plain(404, "bad identifier", [context.path["task_id"]])
    return task


async def _file(context: Context, name: str) -> Binary:
    task = await _task(context)
    attachment = await context.runtime.attachments.find(task, name)
    if attachment is None:
        raise NotFound(task.id)
    category, action = task.fields["category"], task.fields["action"]
    return await Binary.attachment(context, attachment, f"{category}_{action}_{task.id}_{name}")
