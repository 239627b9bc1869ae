# SPDX-License-Identifier: MPL-2.0
"""What carriers have to do for the features of numbers: caller names and emergency addresses.

Source: KAZOO `knm_providers:save`, `knm_gen_provider.erl`.
"""

from __future__ import annotations

from typing import Any

from crossbar.documents.document import Document, as_object
from crossbar.errors import CrossbarError
from crossbar.resources.numbers.domain import number_errors, number_features
from crossbar.resources.numbers.domain.carrier import Carrier, CarrierFault, FeatureRefused
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.resources.numbers.domain.number import carrier_of
from crossbar.resources.numbers.domain.number_change import Changes, NumberChange
from crossbar.runtime import Runtime


async def provisioned(runtime: Runtime, changes: Changes) -> dict[str, CrossbarError]:
    """Tell carriers what is new, and keep it as they say; returns what is wrong with numbers that cannot have it."""
    failed: dict[str, CrossbarError] = {}
    for number, change in changes.items():
        new = {key: as_object(change.after.at(key)) for key in ("cnam", "e911") if _is_new(change, key)}
        if not new:
            continue
        carrier = carrier_named(runtime, carrier_of(change.after))
        try:
            for key, value in new.items():
                number_features.put(change.after, key, await _told(carrier, number, key, value))
        except FeatureRefused as refusal:
            failed[number] = number_errors.invalid(str(refusal))
        except CarrierFault:
            failed[number] = number_errors.by_carrier(number)
    return failed


def _is_new(change: NumberChange, key: str) -> bool:
    value = change.after.at(key)
    return bool(as_object(value)) and (change.before is None or change.before.at(key) != value)


async def _told(carrier: Carrier, number: str, key: str, value: dict[str, Any]) -> dict[str, Any]:
    return await (carrier.cnam if key == "cnam" else carrier.e911)(number, value)


def as_before(public: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Public fields in which an emergency address that says the same as before has the status of before, too."""
    known = as_object(before.at("e911")) if before else {}
    sent = as_object(public.get("e911"))
    same = bool(known) and {**sent, "status": None} == {**known, "status": None} and "status" not in sent
    return {**public, "e911": known} if same else public
