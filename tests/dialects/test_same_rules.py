# SPDX-License-Identifier: MPL-2.0
"""What holds for Crossbar's own requests holds for those that say the same in a dialect."""

from __future__ import annotations

from crossbar.documents.document_types import USER
from tests.dialects.speaker import Speaker, basic
from tests.harness import RunningServer, Tenant


async def test_token_restrictions(old: Speaker, confd: Speaker, auth: Speaker, tenant: Tenant) -> None:
    rules = {
        "cb_user_auth": {
            "admin": {"users": [{"rules": {"/": ["GET"]}}], "token_restrictions": [{"rules": {"#": ["_"]}}]}
        }
    }
    assert (await tenant.api.post("/token_restrictions", {"restrictions": rules})).status == 200
    for speaker in (old, confd, auth):
        assert (await speaker.get("/users")).status == 200, speaker.base
        assert (await speaker.post("/users", {"firstname": "A", "username": "a"})).status == 401, speaker.base
        assert (await speaker.delete(f"/users/{tenant.admin_id}")).status in (401, 404), speaker.base
    for speaker in (old, confd):
        assert (await speaker.get("/voicemails")).status == 401


async def test_who_changed_what_is_noted(old: Speaker, server: RunningServer, tenant: Tenant) -> None:
    made = await old.post("/users", {"firstname": "Ana"}, headers={"X-Request-ID": "first"})
    row = next(row for row in (await tenant.api.get("/users")).data if row["first_name"] == "Ana")
    await old.put(f"/users/{made.number}", {"firstname": "Bo"}, headers={"X-Request-ID": "second"})
    user = await server.runtime.store.get(tenant.id, USER, row["id"])
    assert user is not None
    assert (user.fields["pvt_request_id"], user.fields["pvt_auth_user_id"]) == ("second", tenant.admin_id)
    assert user.revision is not None and user.revision.startswith("2-")


async def test_addresses_are_those_of_a_trusted_proxys_client(old: Speaker) -> None:
    proxied = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "pbx.example.com"}
    made = await old.post("/users", {"firstname": "Ana"}, headers=proxied)
    assert made.headers["Location"].startswith("https://pbx.example.com/1.0/users/")
    unproxied = {name: value for name, value in proxied.items() if name != "X-Forwarded-For"}
    made = await old.post("/users", {"firstname": "Ana"}, headers=unproxied)
    assert made.headers["Location"].startswith(f"{old.base}/users/")


async def test_name_and_password_are_not_enough_where_a_second_factor_is_wanted(
    old: Speaker, auth: Speaker, tenant: Tenant
) -> None:
    name = f"admin@{tenant.realm}"
    nobody = old.acting(None)

    async def answers() -> tuple[int, int]:
        token = await auth.acting(None).post("/token", {}, headers=basic(name, "correct horse"))
        return token.status, (await nobody.get("/users", headers=basic(name, "correct horse"))).status

    assert await answers() == (200, 200)
    factor = {"enabled": True, "configuration_id": "otp", "account_id": tenant.id}
    for module in ({"multi_factor": factor}, {"enabled": False}):
        assert (await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": module}})).status == 200
        assert await answers() == (401, 401), module
