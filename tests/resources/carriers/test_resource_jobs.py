# SPDX-License-Identifier: MPL-2.0
"""`/resources/jobs`: imports of numbers from a carrier."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA
from crossbar.documents.listing import Listing
from crossbar.resources.carriers.domain import resource_job
from crossbar.resources.carriers.domain.resource_job import work_off
from tests.harness import Api, RunningServer, Tenant, until
from tests.numbers import add, allow_additions, fresh

GATEWAY = {"server": "sip.example.com"}


async def a_carrier(api: Api) -> str:
    made = await api.put("/resources", {"name": "carrier", "gateways": [GATEWAY]})
    assert made.status == 201
    return made.id


async def done(server: RunningServer, api: Api, job_id: str) -> dict[str, Any]:
    """A job, when every number was tried."""
    await work_off(server.runtime)
    read = await api.get(f"/resources/jobs/{job_id}")
    assert read.status == 200
    job: dict[str, Any] = read.data
    assert job["status"] == "complete", job
    return job


async def test_an_import_for_an_account(server: RunningServer, tenant: Tenant) -> None:
    await allow_additions(server, tenant)
    resource_id, number = await a_carrier(tenant.api), fresh()
    before = clock.now()
    sent = {"resource_id": resource_id, "name": "batch", "numbers": [number[2:], "600", "600"]}
    created = await tenant.api.put("/resources/jobs", sent)
    assert created.status == 201
    assert created.envelope["status"] == "success"
    assert re.fullmatch(r"\d{6}-[0-9a-f]+", created.id)
    assert created.data == {**sent, "id": created.id, "success": {}, "errors": {}}
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/resources/jobs/{created.id}"

    job = await done(server, tenant.api, created.id)
    assert before <= job["timestamp"] <= clock.now()
    told = job["success"][number]
    assert job == {
        **created.data,
        "timestamp": job["timestamp"],
        "status": "complete",
        "success": {
            number: {
                "id": number,
                "resource_id": resource_id,
                "state": "reserved",
                "_read_only": {"created": told["_read_only"]["created"], "carrier_module": "local"},
            }
        },
        "errors": {"600": {"reason": "not_reconcilable", "message": "number 600 is not reconcilable"}},
    }
    kept = await tenant.api.get(f"/phone_numbers/{number}")
    assert (kept.data["state"], kept.data["resource_id"]) == ("reserved", resource_id)
    assert kept.data["_read_only"]["carrier_module"] == "local"

    listed = await tenant.api.get("/resources/jobs")
    row = {
        "id": created.id,
        "timestamp": job["timestamp"],
        "status": "complete",
        "failures": 1,
        "successes": 1,
        "resource_id": resource_id,
        "name": "batch",
    }
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [row], 1)
    long_ago = {"created_from": str(before - 100), "created_to": str(before - 50)}
    assert (await tenant.api.get("/resources/jobs", query=long_ago)).data == []
    assert await server.runtime.store.get(SYSTEM_DATA, resource_job.QUEUED, created.id) is None


async def test_an_import_from_a_carrier_that_is_everybodys(server: RunningServer, master: Tenant) -> None:
    resource_id, number = await a_carrier(master.root), fresh()
    created = await master.root.put("/resources/jobs", {"resource_id": resource_id, "numbers": [number]})
    assert created.headers["Location"] == f"/v2/resources/jobs/{created.id}"
    job = await done(server, master.root, created.id)
    assert job["success"][number]["_read_only"]["carrier_module"] == "other"
    assert job["errors"] == {}
    number_of_master = await master.api.get(f"/phone_numbers/{number}")
    assert number_of_master.data["state"] == "reserved"
    assert (await master.api.get(f"/resources/jobs/{created.id}")).data == job
    assert created.id in {row["id"] for row in (await master.root.get("/resources/jobs")).data}


async def test_numbers_that_cannot_be_had(
    server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant
) -> None:
    taken, free = fresh(), fresh()
    await add(master, stranger, taken)
    resource_id = await a_carrier(tenant.api)
    sent = {"resource_id": resource_id, "numbers": [taken, free]}
    refused = await done(server, tenant.api, (await tenant.api.put("/resources/jobs", sent)).id)
    reason = {"reason": "forbidden", "message": "requestor is unauthorized to perform operation"}
    assert (refused["success"], refused["errors"]) == ({}, {taken: reason, free: reason})

    await allow_additions(server, tenant)
    half = await done(server, tenant.api, (await tenant.api.put("/resources/jobs", sent)).id)
    exists = {"reason": "number_exists", "message": f"number {taken} already exists"}
    assert ([*half["success"]], half["errors"]) == ([free], {taken: exists})
    rows = {row["id"]: row for row in (await tenant.api.get("/resources/jobs")).data}
    assert [(rows[job["id"]]["successes"], rows[job["id"]]["failures"]) for job in (refused, half)] == [(0, 2), (1, 1)]
    assert (await stranger.api.get(f"/phone_numbers/{taken}")).data["state"] == "in_service"


async def test_a_job_goes_on_after_a_crash(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made and not yet noted when the worker died is the job's own, and is not made twice."""
    await allow_additions(server, tenant)
    numbers = sorted(fresh() for _ in range(5))
    resource_id = await a_carrier(tenant.api)
    note = resource_job._note

    class Died(BaseException):
        """The worker's end."""

    def die(*_: Any, **__: Any) -> None:
        raise Died

    created = await tenant.api.put("/resources/jobs", {"resource_id": resource_id, "numbers": numbers})
    monkeypatch.setattr(resource_job, "AT_A_TIME", 2)
    monkeypatch.setattr(resource_job, "_note", die)
    with pytest.raises(Died):
        await work_off(server.runtime)
    monkeypatch.setattr(resource_job, "_note", note)
    job = await done(server, tenant.api, created.id)
    assert (sorted(job["success"]), job["errors"]) == (numbers, {})


async def test_a_job_that_several_workers_do_at_a_time(server: RunningServer, tenant: Tenant) -> None:
    """None of them takes what another has made for somebody else's."""
    await allow_additions(server, tenant)
    numbers = sorted(fresh() for _ in range(20))
    created = await tenant.api.put("/resources/jobs", {"resource_id": "f" * 32, "numbers": numbers})
    await asyncio.gather(*(work_off(server.runtime) for _ in range(4)))
    job = await done(server, tenant.api, created.id)
    assert (sorted(job["success"]), job["errors"]) == (numbers, {})


async def test_the_server_does_jobs_by_itself(server: RunningServer, tenant: Tenant) -> None:
    sent = {"resource_id": "f" * 32, "numbers": ["600"]}
    job_id = (await tenant.api.put("/resources/jobs", sent)).id

    async def is_done() -> bool:
        return bool((await tenant.api.get(f"/resources/jobs/{job_id}")).data["status"] == "complete")

    await until(is_done)


async def test_jobs_of_an_account_that_is_gone(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    await tenant.api.put("/resources/jobs", {"resource_id": "f" * 32, "numbers": ["600"]})
    await master.root.delete(f"/accounts/{tenant.id}")
    await work_off(server.runtime)
    assert await server.runtime.store.all(Listing(SYSTEM_DATA, resource_job.QUEUED)) == []


async def test_what_the_schema_says(tenant: Tenant) -> None:
    refused = await tenant.api.put("/resources/jobs", {"numbers": [], "name": ""})
    assert refused.refusals() == {
        "name": ["minLength"],
        "numbers": ["minItems"],
        "resource_id": ["required"],
    }
    many = await tenant.api.put("/resources/jobs", {"resource_id": "a", "numbers": ["600"] * 20_001})
    detail = {"message": "Array must have at most 20000 items", "target": 20_000}
    assert many.invalid() == {"numbers": {"maxItems": detail}}


@pytest.mark.parametrize("job_id", ["a", "2026-01", f"202601-{'f' * 32}"])
async def test_jobs_that_are_not_there(tenant: Tenant, job_id: str) -> None:
    read = await tenant.api.get(f"/resources/jobs/{job_id}")
    assert read.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": job_id})
