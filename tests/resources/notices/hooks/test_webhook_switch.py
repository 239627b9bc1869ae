# SPDX-License-Identifier: MPL-2.0
"""What a switch tells of a call reaches the webhooks that want it, with the keys of their catalog."""

from __future__ import annotations

import orjson

from crossbar import clock
from crossbar.resources.ingest.domain.registration_ends import LATE_SECONDS, tell_of_ends
from crossbar.resources.notices.domain.webhook_event import HOOKS
from tests.harness import RunningServer, Tenant
from tests.hooks import new_hook
from tests.receiver import Receiver
from tests.switch import FreeSwitch, ingest_token, post

NOT_TOLD = {
    "callee_id_name", "custom_application_vars", "hangup_code", "inception", "local_resource_id", "original_number",
    "reseller_id",
}  # fmt: skip
"""What there is nothing to say of in these calls."""


async def test_the_hooks_of_a_call(tenant: Tenant, receiver: Receiver, path: str) -> None:
    kinds = ("channel_create", "channel_answer", "channel_bridge", "channel_destroy", "parking")
    for kind in kinds:
        await new_hook(tenant.api, f"{receiver.url}{path}/{kind}", hook=kind, custom_data={})
    chosen = {"hook": "notifications", "custom_data": {"type": "register"}}
    await new_hook(tenant.api, f"{receiver.url}{path}/register", **chosen)
    user = await tenant.api.put("/users", {"first_name": "A", "last_name": "B"})
    device = {"name": "1000", "owner_id": user.id, "sip": {"username": "1000", "password": "a secret"}}
    device_id = (await tenant.api.put("/devices", device)).id

    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    said = fs.call("a", "b")
    parked = fs.leg("CHANNEL_PARK", "a", "inbound", "1000", variable_parking_slot="9")
    await post(switch, *said, fs.registers("1000", "reg"), fs.registers("1000", "reg"))
    await post(switch, {**parked, "Unique-ID": "parked"})

    for kind, many in zip(kinds, (2, 2, 1, 2, 1), strict=True):
        sent = [orjson.loads(one.body) for one in await receiver.wait(f"{path}/{kind}", many)]
        assert len(sent) == many
        body = next(one for one in sent if one["call_id"] in ("a", "parked"))
        legless = set() if kind == "channel_bridge" else {"other_leg_call_id"}
        assert set(HOOKS[kind].keys) - NOT_TOLD - legless <= body.keys(), kind
        if kind == "parking":
            assert (body["event_name"], body["parking_slot"]) == ("PARK_PARKED", "9")
        else:
            assert (body["hook_event"], body["authorizing_id"], body["owner_id"]) == (kind, device_id, user.id)
    (registered,) = [orjson.loads(one.body) for one in await receiver.wait(f"{path}/register")]
    expected = {
        "username": "1000",
        "authorizing_id": device_id,
        "owner_id": user.id,
        "expires": 300,
        "account_id": tenant.id,
    }
    assert expected.items() <= registered.items()


async def test_the_hook_of_a_registration_that_runs_out(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    chosen = {"hook": "notifications", "custom_data": {"type": "deregister"}}
    await new_hook(tenant.api, receiver.url + path, **chosen)
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    await post(switch, fs.registers("1000", "reg", expires=60))
    with clock.frozen(fs.began + 60 + LATE_SECONDS + 1):
        await tell_of_ends(server.runtime.store)
    (sent,) = [orjson.loads(one.body) for one in await receiver.wait(path)]
    expected = {"event_name": "deregister", "username": "1000", "status": "expired", "account_id": tenant.id}
    assert expected.items() <= sent.items()
