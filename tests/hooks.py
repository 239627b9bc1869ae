# SPDX-License-Identifier: MPL-2.0
"""Webhooks in tests: setting one, and what was sent to it and became of it."""

from __future__ import annotations

from typing import Any

import orjson

from tests.harness import Api, until
from tests.receiver import Sent

EVERYTHING = {"type": "all", "action": "all"}


async def new_hook(api: Api, uri: str, **fields: Any) -> str:
    about = {"name": "Mine", "uri": uri, "hook": "object", "custom_data": EVERYTHING, "format": "json"}
    created = await api.put("/webhooks", about | fields)
    assert created.status == 201, created.envelope
    return created.id


def told(sent: Sent) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(sent.body)
    return found


async def attempts(api: Api, hook_id: str, many: int) -> list[dict[str, Any]]:
    """The attempts of a hook, the oldest first, once there are so many."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await api.get(f"/webhooks/{hook_id}/attempts")).data
        return len(found) >= many

    await until(there)
    return sorted(found, key=lambda one: one["try"])
