# SPDX-License-Identifier: MPL-2.0
"""Port requests for tests: a reseller, its customer, and what both of them do."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from crossbar.resources.numbers.domain.port_request import DATABASE, TYPE
from tests.harness import Answer, Api, RunningServer, Tenant, new_tenant
from tests.numbers import fresh

NO_WAY = "Cannot move to new state from current state"
NOT_ALLOWED = "you're not allowed to change to new state from current state, please contact your port authority"
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
BILL = {"name": "Ann Lee", "carrier": "Old Telco", "account_number": "12-34", "locality": "Boston", "region": "MA"}
TO_SUBMITTED = ("submitted",)


@dataclass
class Porting:
    """An account whose requests `agent` decides on, which stands beside it; `reseller` is above it."""

    server: RunningServer
    master: Tenant
    reseller: Tenant
    customer: Tenant
    agent: Tenant

    async def made(self, *numbers: str, **fields: Any) -> Answer:
        """A new request of the customer."""
        return await made(self.customer, *numbers, **fields)

    def at(self, request_id: str, rest: str = "") -> str:
        """The path of a request, or of something behind it, under each one's own account."""
        return f"/port_requests/{request_id}{rest}"

    async def moved(self, request_id: str, *states: str) -> Answer:
        """A request that the customer submits and the agent moves on."""
        for state in states:
            api = self.customer.api if state == "submitted" else self.agent.api
            data = {"scheduled_date": 63_900_000_000} if state == "scheduled" else {}
            answer = await api.patch(f"/port_requests/{request_id}/{state}", data)
            assert answer.status == 200, answer.envelope
        return answer


async def made(account: Tenant, *numbers: str, **fields: Any) -> Answer:
    """A new request of an account."""
    data = {"name": "port", "numbers": {number: {} for number in numbers or (fresh(),)}, **fields}
    answer = await account.api.put("/port_requests", data)
    assert answer.status == 201, answer.envelope
    return answer


async def new_porting(server: RunningServer) -> Porting:
    """Fresh accounts: a reseller that has named an agent, and its customer."""
    word = uuid.uuid4().hex[:10]
    reseller = await new_tenant(server, server.master, f"reseller{word}")
    assert (await server.master.root.put(f"/accounts/{reseller.id}/reseller")).status == 201
    agent = await new_tenant(server, server.master, f"agent{word}")
    customer = await new_tenant(server, reseller, f"customer{word}")
    await decide(reseller, agent.id)
    return Porting(server, server.master, reseller, customer, agent)


async def decide(account: Tenant, authority: str, **port: Any) -> None:
    """Have an account's whitelabel name who decides on ports."""
    data = {"domain": f"{account.realm}.example", "port": {"authority": authority, **port}}
    named = await account.api.put("/whitelabel", data)
    if named.status == 409:
        named = await account.api.post("/whitelabel", data)
    assert named.status in (200, 201), named.envelope


async def stored(server: RunningServer, request_id: str) -> Any:
    """A request as it is kept."""
    return await server.runtime.store.get(DATABASE, TYPE, request_id)


def ids(answer: Answer) -> set[str]:
    """The ids in a list of requests by account."""
    assert answer.status == 200, answer.envelope
    return {request["id"] for group in answer.data for request in group["port_requests"]}


async def listed(api: Api, path: str = "/port_requests", **query: str) -> set[str]:
    """The ids of a list."""
    return ids(await api.get(path, query=query))
