"""Schemathesis, in short: requests to some operations made of the description, and no answer that it does not have.

`python -m trials schemathesis` does the same with all operations.
"""

from __future__ import annotations

import asyncio
from typing import Final

from crossbar.app import WINGS
from crossbar.description.openapi import openapi
from tests.harness import RunningServer, Tenant
from trials.described import Caller, Outcome, operations_of, try_operation
from trials.worlds import made_in

ACCOUNT: Final = "/v2/accounts/{account_id}"
CHOSEN: Final = (
    "/v2/user_auth",
    f"{ACCOUNT}/menus",
    f"{ACCOUNT}/users/{{user_id}}/photo",
    f"{ACCOUNT}/cdrs",
    f"{ACCOUNT}/{{collection}}/{{document_id}}/comments",
)
"""A log-in, a collection, files, a list by time, a part of any document."""
EXAMPLES: Final = 3


async def test_no_answer_is_one_that_the_description_does_not_have(server: RunningServer, tenant: Tenant) -> None:
    description = openapi(WINGS)
    description["paths"] = {path: description["paths"][path] for path in CHOSEN}
    caller, outcome = Caller(server.url, tenant.token, await made_in(tenant)), Outcome()
    for operation in operations_of(description):
        await asyncio.to_thread(try_operation, operation, caller, outcome, examples=EXAMPLES, start=1)
    assert outcome.wrong == {}
    assert {"200", "400", "404"} <= outcome.statuses.keys()


async def test_an_answer_that_is_not_described_is_told(server: RunningServer, tenant: Tenant) -> None:
    description = openapi(WINGS)
    path = "/v2/accounts/{account_id}/about"
    description["paths"] = {path: description["paths"][path]}
    del description["paths"][path]["get"]["responses"]["200"]
    caller, outcome = Caller(server.url, tenant.token, {"account_id": tenant.id}), Outcome()
    for operation in operations_of(description):
        await asyncio.to_thread(try_operation, operation, caller, outcome, examples=2, start=1)
    assert "Undocumented HTTP status code" in outcome.wrong[f"GET {path}"]
