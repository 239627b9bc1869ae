# SPDX-License-Identifier: MPL-2.0
"""The mail spool on disk."""

from __future__ import annotations

import stat
from email.message import EmailMessage
from pathlib import Path

import pytest

from crossbar import clock
from crossbar.events.spool import Spool

NOW = 1_700_000_000.0


def message(subject: str = "Hello") -> EmailMessage:
    made = EmailMessage()
    made["To"] = "ann@example.com"
    made["Subject"] = subject
    made.set_content("Grüße\n")
    return made


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "mail")


def test_messages_are_kept_in_order_and_come_back_whole(spool: Spool) -> None:
    assert spool.entries() == []
    with clock.frozen(NOW):
        first = spool.put(message("First"))
    with clock.frozen(NOW + 1):
        second = spool.put(message("Second"))
    assert [(entry.id, entry.created, entry.due, entry.failed) for entry in spool.entries()] == [
        (first, NOW, NOW, False),
        (second, NOW + 1, NOW + 1, False),
    ]
    found = spool.read(first)
    assert found is not None
    assert (found["Subject"], found.get_content()) == ("First", "Grüße\r\n")


def test_nobody_else_on_the_machine_can_read_them(spool: Spool, tmp_path: Path) -> None:
    entry_id = spool.put(message())
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "mail" / f"{entry_id}.eml").stat().st_mode) == 0o600


def test_a_message_is_claimed_by_one_at_a_time(spool: Spool) -> None:
    entry_id = spool.put(message())
    with spool.claimed(entry_id) as mine:
        assert mine is not None
        with spool.claimed(entry_id) as theirs:
            assert theirs is None
    with spool.claimed(entry_id) as mine:
        assert mine is not None
        spool.remove(entry_id)
        with spool.claimed(entry_id) as theirs:
            assert theirs is None
    assert spool.entries() == []


def test_a_message_can_wait_and_fail(spool: Spool) -> None:
    entry_id = spool.put(message())
    spool.postpone(entry_id, NOW + 60)
    assert [entry.due for entry in spool.entries()] == [NOW + 60]
    spool.give_up(entry_id)
    assert [entry.failed for entry in spool.entries()] == [True]
    assert spool.read(entry_id) is not None
    with spool.claimed(entry_id) as claimed:
        assert claimed is None


@pytest.mark.parametrize("entry_id", ["../mail/x", "x/y", "", ".", "..", "1-x"])
def test_an_id_leads_nowhere_else(entry_id: str, spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "outside.eml").write_text("secret")
    assert spool.read(entry_id) is None
