# SPDX-License-Identifier: MPL-2.0
"""`crossbar demo`: every list of the account's API shows something, all of it valid, and nobody is written to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.app import ENDPOINTS
from crossbar.care.check import check_runtime
from crossbar.care.demo import Made, NoDemo, make_demo
from crossbar.care.demo_people import STAFF
from tests.harness import Answer, RunningServer, ServerWith

EMPTY: Final = {
    "/apps_store": "apps are registered by the operator",
    "/apps_store/blacklist": "apps are registered by the operator",
    "/security/attempts": "nobody has failed to log in",
    "/multi_factor/attempts": "nobody has failed to log in",
    "/notifications/smtplog": "no mail is sent",
    "/faxes/smtplog": "no mail is sent",
    "/webhooks/attempts": "the webhook is switched off",
    "/websockets": "nobody is connected",
    "/events": "what happens from now on",
    "/channels": "no call goes on",
    "/parked_calls": "no call goes on",
    "/registrations": "no phone is switched on",
    "/devices/status": "no phone is switched on",
    "/pivot/debug": "no switch has asked",
    "/faxes/incoming": "no fax is coming in",
    "/phone_numbers/prefix": "asked with a number",
    "/access_lists": "a setting",
    "/att_handlers_errors": "all is well",
    "/migrations": "the installation's",
    "/system_configs": "the installation's",
    "/acls": "the installation's",
    "/search": "asked with a word",
    "/search/multi": "asked with words",
    "/ips": "those that are free are the installation's",
    "/ips/hosts": "those that are free are the installation's",
    "/ips/zones": "those that are free are the installation's",
    "/media/prompts": "the installation's",
    "/resource_selectors": "imported by tasks",
    "/resource_selectors/name": "imported by tasks",
    "/resource_selectors/resource": "imported by tasks",
    "/resource_templates": "the reseller's",
    "/resources/jobs": "imports under way",
    "/service_plans/available": "the reseller's",
    "/services/available": "the reseller's",
    "/services/audit": "no plan of the reseller's was given to it",
    "/braintree/addresses": "no payment is taken",
    "/braintree/cards": "no payment is taken",
    "/braintree/transactions": "no payment is taken",
    "/transactions": "no payment is taken",
    "/transactions/monthly_recurring": "no payment is taken",
    "/transactions/subscriptions": "no payment is taken",
}
"""Lists in which there is nothing, and why."""


@dataclass
class Example:
    server: RunningServer
    made: Made

    async def get(self, path: str, **query: str) -> Answer:
        return await self.server.master.root.get(f"/accounts/{self.made.account_id}{path}", query=query)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def example(server_with: ServerWith, mongo_uri: str) -> AsyncIterator[Example]:
    async with server_with(log__level="error") as server:
        made = await make_demo(server.runtime.config, database_uri=mongo_uri, account="Demo Office")
        yield Example(server, made)


def lists() -> list[str]:
    """The paths below an account whose answer is a list, or may be."""
    prefix = "/v2/accounts/{account_id}"
    routes = {route.template for endpoint in ENDPOINTS for route in endpoint.routes if route.verb == "GET"}
    return sorted(
        path.removeprefix(prefix) for path in routes if path.startswith(f"{prefix}/") and path.count("{") == 1
    )


async def test_every_list_shows_something(example: Example) -> None:
    month = {"created_from": str(clock.now() - 20 * clock.DAY), "created_to": str(clock.now())}
    empty = []
    for path in lists():
        answer = await example.get(path)
        if answer.data == []:
            answer = await example.get(path, **month)
        if answer.status == 200 and answer.data == [] and path not in EMPTY:
            empty.append(path)
    assert empty == []


async def test_it_is_as_good_as_what_clients_make(example: Example) -> None:
    outcome = await check_runtime(example.server.runtime)
    assert [finding.shown for finding in outcome.findings] == []


async def test_the_log_in_that_is_shown_works(example: Example) -> None:
    import hashlib

    made = example.made
    credentials = hashlib.md5(f"{made.user}:{made.password}".encode()).hexdigest()
    data = {"credentials": credentials, "account_name": made.account}
    login = await example.server.master.root.acting(None).put("/user_auth", data)
    assert login.data["account_id"] == made.account_id


async def test_the_calls_follow_the_week(example: Example) -> None:
    assert example.made.calls == 2500
    rows: list[dict[str, Any]] = []
    for week in range(5):
        since = clock.now() - (7 * week + 7) * clock.DAY
        query = {"created_from": str(since), "created_to": str(since + 7 * clock.DAY - 1), "paginate": "false"}
        rows += (await example.get("/cdrs", **query)).data
    assert len(rows) > 4000
    weekend = [row for row in rows if clock.moment(int(row["timestamp"])).weekday() >= 5]
    assert 0 < len(weekend) < len(rows) / 10
    night = [row for row in rows if 6 <= clock.moment(int(row["timestamp"])).hour < 11]  # UTC; hours behind there
    assert len(night) < len(rows) / 20
    people = (await example.get("/users", paginate="false")).data
    assert len(people) == len(STAFF) + 1


async def test_nobody_is_written_to(example: Example) -> None:
    templates = (await example.get("/notifications", paginate="false")).data
    assert len(templates) > 30
    for template in templates:
        assert (await example.get(f"/notifications/{template['id']}")).data["enabled"] is False


async def test_a_name_that_is_taken_is_refused(example: Example, mongo_uri: str) -> None:
    before = (await example.get("/users", paginate="false")).data
    with pytest.raises(NoDemo, match="There is an account Demo Office already"):
        await make_demo(example.server.runtime.config, database_uri=mongo_uri, account="Demo Office")
    assert (await example.get("/users", paginate="false")).data == before


async def test_the_same_seed_makes_the_same_office_beside_the_first(example: Example, mongo_uri: str) -> None:
    config = example.server.runtime.config
    second = Example(example.server, await make_demo(config, database_uri=mongo_uri, account="Other"))
    names = [sorted(row["username"] for row in (await one.get("/users")).data) for one in (example, second)]
    assert names[0] == names[1]
    numbers = [set((await one.get("/phone_numbers")).data["numbers"]) for one in (example, second)]
    assert numbers[0].isdisjoint(numbers[1])
