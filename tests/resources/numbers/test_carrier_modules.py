# SPDX-License-Identifier: MPL-2.0
"""Carriers by name: those of KAZOO that are not here, and those that are plugged in."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar.resources.numbers.domain import carriers
from crossbar.resources.numbers.domain.carrier import BuiltInCarrier, CarrierFault, FeatureRefused
from tests.harness import RunningServer, Tenant
from tests.numbers import add, fresh, refusal


@pytest.mark.parametrize("written", ["knm_bandwidth2", "bandwidth2", "knm_flowroute", "knm_voip_innovations", "mdn"])
async def test_modules_that_are_not_here_are_kept_and_act_as_local(
    written: str, server: RunningServer, tenant: Tenant
) -> None:
    number = fresh()
    created = await add(server.master, tenant, number, carrier_name=written)
    plain = written.removeprefix("knm_")
    assert created.data["_read_only"]["carrier_module"] == plain
    shown = await tenant.api.get(f"/phone_numbers/{number}")
    assert shown.data["_read_only"]["features"]["available"] == ["force_outbound", "prepend", "ringback"]
    # What it is called is the same, with or without the prefix.
    same = await tenant.api.patch(f"/phone_numbers/{number}", {"carrier_name": plain, "note": "x"})
    assert (same.status, same.data["note"]) == (200, "x")
    assert (await tenant.api.delete(f"/phone_numbers/{number}")).data["state"] == "deleted"


async def test_a_carrier_can_be_plugged_in(server: RunningServer, tenant: Tenant) -> None:
    class Strict(BuiltInCarrier):
        async def cnam(self, _: str, name: dict[str, Any]) -> dict[str, Any]:
            if name["display_name"] == "bad":
                raise FeatureRefused("no such name")
            if name["display_name"] == "worse":
                raise CarrierFault("out of order")
            return {**name, "display_name": name["display_name"].upper()}

    carriers.MODULES["strict"] = lambda _: Strict("strict")
    try:
        number = fresh()
        await add(server.master, tenant, number, carrier_name="knm_strict", cnam={"display_name": "ada"})
        shown = await tenant.api.get(f"/phone_numbers/{number}")
        refused = await tenant.api.patch(f"/phone_numbers/{number}", {"cnam": {"display_name": "bad"}})
        failed = await tenant.api.patch(f"/phone_numbers/{number}", {"cnam": {"display_name": "worse"}})
        kept = await tenant.api.patch(f"/phone_numbers/{number}", {"note": "not told again"})
    finally:
        del carriers.MODULES["strict"]
    assert (shown.data["cnam"], shown.data["features"]) == ({"display_name": "ADA"}, ["outbound_cnam"])
    assert shown.data["_read_only"]["features"]["settings"]["outbound_cnam"] == {"display_name": "ADA"}
    assert refused.error() == refusal(400, "invalid", "invalid", "no such name")
    assert failed.error() == refusal(500, "unspecified_fault", "fault by carrier", number)
    assert (kept.status, kept.data["cnam"]) == (200, {"display_name": "ADA"})
