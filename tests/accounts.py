# SPDX-License-Identifier: MPL-2.0
"""Accounts for tests."""

from __future__ import annotations

import uuid
from typing import Any

from crossbar.documents.document import ACCOUNTS, Document
from tests.harness import RunningServer, Tenant

SCHEMA_DEFAULTS: dict[str, Any] = {"call_restriction": {}, "music_on_hold": {}, "preflow": {}, "ringtones": {}}
SHOWN_WHEN_ABSENT: dict[str, Any] = {
    "available_apps": [],
    "blacklists": [],
    "caller_id": {},
    "dial_plan": {},
    "descendants_count": 0,
    "language": "en-US",
}
COMPUTED: dict[str, Any] = {
    "enabled": True,
    "superduper_admin": False,
    "wnm_allow_additions": False,
    "knm_allow_additions": False,
    "is_reseller": False,
}
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})


def unique(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:12]}"


async def change_privately(server: RunningServer, account_id: str, **fields: Any) -> None:
    def change(account: Document) -> None:
        account.fields.update(fields)

    assert await server.runtime.store.update(ACCOUNTS, "account", account_id, change) is not None


async def configure(master: Tenant, **settings: Any) -> None:
    assert (await master.root.post("/system_configs/crossbar.accounts/default", settings)).status == 200
