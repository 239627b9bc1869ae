# SPDX-License-Identifier: MPL-2.0
"""A short form of the trial of events: killed workers leave no acknowledged change untold, and none out of order."""

from __future__ import annotations

from pathlib import Path

from trials.events import kill_relays


async def test_killed_workers_leave_nothing_untold(tmp_path: Path) -> None:
    outcome = await kill_relays(2, lambda _: None, folder=tmp_path)
    assert outcome.tally.wrong == []
    assert outcome.kills.total() == 2
    assert outcome.tally.answers[201] > 20
    assert outcome.tally.checked["feed"] > 20
    assert outcome.tally.checked["webhook"] > 50
