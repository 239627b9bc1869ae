# SPDX-License-Identifier: MPL-2.0
"""Schemathesis, in short: requests to some operations made of the description, and no answer that it does not have.

`python -m trials schemathesis` does the same with all operations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from crossbar.description.openapi import openapi
from crossbar.resources import notices, system
from tests.description.conformance import Part
from tests.harness import RunningServer, Tenant
from trials.described import Caller, Outcome, operations_of, try_operation

ACCOUNT: Final = "/v2/accounts/{account_id}"
CHOSEN: Final = (
    f"{ACCOUNT}/webhooks",
    f"{ACCOUNT}/webhooks/{{webhook_id}}",
    f"{ACCOUNT}/webhooks/attempts",
    f"{ACCOUNT}/notifications/{{notification_id}}",
    "/v2/webhooks/samples/{sample_id}",
)
"""Of one wing a collection, a list by time, files, and what anybody may see."""


async def sent(server: RunningServer, tenant: Tenant, description: Part, ids: Mapping[str, str]) -> Outcome:
    """What comes of some requests to all operations of a description."""
    caller, outcome = Caller(server.url, tenant.token, {"account_id": tenant.id, **ids}), Outcome()
    for operation in operations_of(description):
        await asyncio.to_thread(try_operation, operation, caller, outcome, examples=2, start=1)
    return outcome


async def test_no_answer_is_one_that_the_description_does_not_have(server: RunningServer, tenant: Tenant) -> None:
    description = openapi([notices])
    description["paths"] = {path: description["paths"][path] for path in CHOSEN}
    hook = await tenant.api.put("/webhooks", {"name": "a", "hook": "all", "uri": "http://example.com/"})
    ids = {"webhook_id": hook.id, "notification_id": "voicemail_to_email", "sample_id": "channel_create"}
    outcome = await sent(server, tenant, description, ids)
    assert outcome.wrong == {}
    assert {"200", "400"} <= outcome.statuses.keys()


async def test_an_answer_that_is_not_described_is_told(server: RunningServer, tenant: Tenant) -> None:
    description = openapi([system])
    path = f"{ACCOUNT}/about"
    description["paths"] = {path: description["paths"][path]}
    del description["paths"][path]["get"]["responses"]["200"]
    outcome = await sent(server, tenant, description, {})
    assert "Undocumented status code" in outcome.wrong[f"GET {path}"]
