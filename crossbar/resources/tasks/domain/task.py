# SPDX-License-Identifier: MPL-2.0
"""The task as a document of its account: what is to be done, and how far it is.

Source: `core/kazoo_tasks/src/kz_tasks.erl`, `kzd_task.erl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON
from crossbar.ids import new_secret

TASK: Final = "task"
INPUT: Final = "in.csv"
OUTPUT: Final = "out.csv"
CSV: Final = "text/csv"

FIELDS: Final = (
    "account_id",
    "auth_account_id",
    "category",
    "action",
    "file_name",
    "status",
    "start_timestamp",
    "end_timestamp",
    "failure_count",
    "success_count",
    "total_count",
)
SHOWN: Final = Summary("id", *FIELDS, created="pvt_created")
LISTED: Final = Summary("id", *FIELDS, "csvs", created="pvt_created")
NODE: Final = "pvt_worker_node"


class Status(StrEnum):
    """Where a task stands; from `SUCCESS` on it is over."""

    PENDING = "pending"
    EXECUTING = "executing"
    SUCCESS = "success"
    FAILURE = "failure"
    PARTIAL = "partial"
    STOPPED = "stopped"
    INTERNAL_ERROR = "internal_error"


def new_task(
    account_id: str,
    *,
    auth_account_id: str,
    category: str,
    action: str,
    file_name: str | None = None,
    total_count: int | None = None,
) -> Document:
    """A task to be saved; `total_count` are the rows of its input, None for a task without one."""
    given = {
        "account_id": account_id,
        "auth_account_id": auth_account_id,
        "category": category,
        "action": action,
        "file_name": file_name,
        "total_count": total_count,
        "status": Status.PENDING.value,
        "csvs": [] if total_count is None else [INPUT],
        "pvt_type": TASK,
        "pvt_created": clock.now(),
    }
    return Document(account_id, TASK, new_secret(15), {key: value for key, value in given.items() if value is not None})


def status_of(task: Document) -> Status:
    """Where a task stands."""
    return Status(task.fields["status"])


def changed(task: Document, **fields: JSON) -> Document:
    """The task with some fields set anew."""
    return replace(task, fields={**task.fields, "pvt_modified": clock.now(), **fields})


def started(task: Document, node: str) -> Document:
    """The task, executing from now on."""
    return changed(task, status=Status.EXECUTING.value, start_timestamp=clock.now(), **{NODE: node})


def ended(task: Document, status: Status) -> Document:
    """The task, over from now on."""
    return changed(task, status=status.value, end_timestamp=clock.now())


def outcome(task: Document) -> Status:
    """What has become of a task whose rows are all done."""
    failed = task.fields.get("failure_count", 0)
    succeeded = task.fields.get("success_count", 0)
    rows = task.fields.get("total_count", failed + succeeded)
    if not failed and succeeded >= rows:
        return Status.SUCCESS
    return Status.FAILURE if failed == rows else Status.PARTIAL


def listed(task: Document) -> dict[str, JSON]:
    """The task as its listing and its own page show it."""
    return {"_read_only": LISTED.of(task)}


def shown(task: Document) -> dict[str, JSON]:
    """The task as the answer to a change shows it, with the node that works on it."""
    node: Mapping[str, JSON] = {"node": task.fields[NODE]} if NODE in task.fields else {}
    return {"_read_only": {**SHOWN.of(task), **node}}


def _pieces_of(piece: Document) -> list[str]:
    return [piece.fields["pvt_task_id"]]


CHUNK_SHAPE: Final = Shape("task_output", summary=Summary("id"), tags=_pieces_of, stored_in="records")


def piece_of_output(task: Document, number: int, text: bytes) -> Document:
    """Some rows of a task's output, kept until it is whole. Pieces are in order of their number."""
    fields = {"pvt_type": CHUNK_SHAPE.type, "pvt_task_id": task.id, "pvt_text": text}
    return Document(task.partition, CHUNK_SHAPE.type, f"{task.id}-{number:09d}", fields)
