# SPDX-License-Identifier: MPL-2.0
"""A short form of the trials: kills at random moments lose nothing that was acknowledged, and tear nothing."""

from __future__ import annotations

from pathlib import Path

from trials.kills import Outcome, kill_primaries, kill_processes


def silent(_: str) -> None:
    """No progress bar."""


def prove(outcome: Outcome, kills: int) -> None:
    """Nothing is wrong, and the trial was one: writes were acknowledged, some were not, and all was looked at."""
    assert outcome.tally.wrong == []
    assert outcome.kills.total() == kills
    assert outcome.tally.answers[201] > 50
    assert set(outcome.tally.checked) == {"Accounts", "Devices", "Ledgers", "Messages", "Uploads", "Users"}


async def test_killed_processes_lose_nothing(tmp_path: Path) -> None:
    prove(await kill_processes(3, silent, folder=tmp_path), 3)


async def test_killed_primaries_lose_nothing(tmp_path: Path) -> None:
    prove(await kill_primaries(2, silent, election_ms=1_000, folder=tmp_path), 2)
