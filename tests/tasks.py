# SPDX-License-Identifier: MPL-2.0
"""Tasks for tests: created, started and waited for."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from tests.harness import Api, until

OVER = frozenset({"success", "failure", "partial", "internal_error"})


async def run_task(api: Api, category: str, action: str, sheet: str | None = None) -> dict[str, Any]:
    """A task from its beginning to its end; `sheet` is its input as CSV."""
    query = {"category": category, "action": action}
    if sheet is None:
        created = await api.put("/tasks", {}, query=query)
    else:
        created = await api.request("PUT", "/tasks", body=sheet.encode(), content_type="text/csv", query=query)
    assert created.status == 201, created.envelope
    path = f"/tasks/{created.data['_read_only']['id']}"
    started = await api.patch(path, {})
    assert started.status == 200, started.envelope
    task: dict[str, Any] = {}

    async def is_over() -> bool:
        task.update((await api.get(path)).data["_read_only"])
        return task["status"] in OVER

    await until(is_over)
    return task


async def output_of(api: Api, task: dict[str, Any]) -> list[dict[str, str]]:
    """The rows that a task has made."""
    sheet = await api.get(f"/tasks/{task['id']}/output")
    assert sheet.status == 200
    return list(csv.DictReader(StringIO(sheet.raw.decode())))
