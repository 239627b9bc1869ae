# SPDX-License-Identifier: MPL-2.0
"""Tokens of who is disabled, on two running workers with one database."""

from __future__ import annotations

from tests.harness import Api, Workers, new_person, new_tenant, until

SECOND = 1.0
INVALID = (401, "401", "invalid_credentials", {"message": "invalid credentials"})


async def test_tokens_stop_within_a_second_on_every_worker(workers: Workers) -> None:
    first, second = workers
    tenant = await new_tenant(first, first.master, "acme")
    person = await new_person(first, tenant)
    account, user = f"/accounts/{tenant.id}", f"/accounts/{tenant.id}/users/{person.id}"
    everywhere = [
        Api(person.api.session, server.master.api.base, person.token, f"/accounts/{tenant.id}") for server in workers
    ]

    async def answer(status: int) -> None:
        async def do() -> bool:
            return all([(await api.get("/devices")).status == status for api in everywhere])

        await until(do, SECOND)

    await answer(200)
    for path in (user, account):
        assert (await first.master.root.patch(path, {"enabled": False})).status == 200
        await answer(401)
        assert [(await api.get("/devices")).error() for api in everywhere] == [INVALID] * 2
        told = await everywhere[1].acting(None, "").get("/auth/tokeninfo", query={"token": person.token})
        assert told.error() == (401, "401", "invalid_identity_signature", {})
        assert (await first.master.root.patch(path, {"enabled": True})).status == 200
        await answer(200)

    store = first.runtime.store
    await store.update("accounts", "account", tenant.id, lambda found: found.fields.update(pvt_trial_expires=1))
    await answer(423)
    told = await everywhere[1].acting(None, "").get("/auth/tokeninfo", query={"token": person.token})
    assert told.status == 423
    assert (await second.master.root.get(account)).status == 200  # from above it is seen as before
