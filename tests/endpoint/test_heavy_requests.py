# SPDX-License-Identifier: MPL-2.0
"""One heavy request at a time."""

from __future__ import annotations

import asyncio

from crossbar.endpoint.heavy_requests import HeavyRequests
from tests.harness import Tenant

MANY = [{"a": number} for number in range(10_000)]


async def test_one_waits_for_the_other_and_whoever_gives_up_holds_nobody_up() -> None:
    heavy = HeavyRequests()
    await heavy.begin()
    impatient, patient = (asyncio.create_task(heavy.begin()) for _ in range(2))
    await asyncio.sleep(0)
    heavy.end()
    await asyncio.sleep(0)
    assert not patient.done()
    impatient.cancel()  # in the middle of its turn
    await patient
    heavy.end()
    await heavy.begin()
    heavy.end()


async def test_heavy_requests_are_all_answered(tenant: Tenant) -> None:
    answers = await asyncio.gather(
        *(tenant.api.put("/skels", {"name": f"skel {number}", "x": MANY}) for number in range(6)),
        *(tenant.api.put("/devices", {"name": f"device {number}", "sip": MANY}) for number in range(6)),
        *(tenant.api.get("/devices") for _ in range(20)),
    )
    statuses = [answer.status for answer in answers]
    del answers  # which a failure would print
    assert statuses == [201] * 6 + [400] * 6 + [200] * 20
