# SPDX-License-Identifier: MPL-2.0
"""Accounts with something of everything can be made beside each other, however many."""

from __future__ import annotations

from tests.every_document import new_world
from tests.harness import RunningServer
from trials.worlds import new_number


def test_no_number_comes_twice() -> None:
    assert len({new_number() for _ in range(20_000)}) == 20_000


async def test_a_name_serves_for_several(server: RunningServer) -> None:
    first, second = [await new_world(server, "several") for _ in range(2)]
    assert first.ids["account_id"] != second.ids["account_id"]
