# SPDX-License-Identifier: MPL-2.0
"""Notices become letters once, wherever a worker ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.document_types import NOTICE
from crossbar.documents.listing import Listing
from crossbar.errors import SystemFault
from crossbar.events.letters import composed
from crossbar.events.mail import Mail, spool_folder
from crossbar.events.notices import NOTICE_SHAPE, NOTICES, letter, notice
from crossbar.events.spool import HELD
from crossbar.ids import new_id
from crossbar.resources.notices.domain.notice_mail import (
    FORGOTTEN_SECONDS,
    HELD_SECONDS,
    LEASE,
    LONGEST_WAIT,
    MOST_TRIES,
    NoticeMail,
)
from crossbar.resources.notices.domain.sent_mail import LOG
from tests.harness import RunningServer, Tenant, letters
from tests.spooled import spooled

STEPS = [
    (owner, method, when)
    for owner, method in (("mail", "hold"), ("store", "transact"), ("mail", "release"), ("store", "remove_by_ids"))
    for when in ("before", "after")
]


class Sender:
    """Makes letters of notices as a worker does that did not write them."""

    def __init__(self, server: RunningServer, tenant: Tenant, patched: pytest.MonkeyPatch) -> None:
        self.server, self.tenant, self._patched = server, tenant, patched
        self.mail = Mail(lambda: server.runtime.config)
        self.store = server.runtime.store
        self.address = f"{new_id()[:8]}@{tenant.realm}"

    def worker(self) -> NoticeMail:
        return NoticeMail(self.server.runtime, self.mail)

    async def written(self, **fields: Any) -> Document:
        """A notice that another worker wrote and left behind."""
        told = letter("new_user", {"user": {"first_name": "Ann"}}, original=[self.address])
        one = notice("new_user", self.tenant.id, {"user_id": "x"}, letters=[told])
        one.fields |= fields
        with self._patched.context() as patch:
            patch.setattr(self.server.runtime.feed, "_own", {})  # the worker that wrote it is gone
            return await self.store.insert(one)

    async def look(self, later: float = 60) -> None:
        """What a worker does now and then, some seconds later."""
        await self.store.database["leases"].delete_one({"_id": LEASE})
        with clock.frozen(clock.unix_now() + later):
            await self.worker().look()
        await self.store.database["leases"].delete_one({"_id": LEASE})  # it is held until then, which is far away

    def letters(self) -> list[str]:
        return [entry_id for entry_id, message in spooled(self.server.runtime.config) if message["To"] == self.address]

    async def logged(self) -> list[Document]:
        entries = await self.store.all(Listing(self.tenant.id, LOG))
        return [entry for entry in entries if entry.at("emails.to") == [self.address]]

    async def left(self) -> list[str]:
        """The notices of the account that are still there."""
        waiting = await self.store.all(Listing(NOTICES, NOTICE))
        return [one.id for one in waiting if one.text("account_id") == self.tenant.id]


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        yield patch


@pytest_asyncio.fixture(loop_scope="session")
async def sender(server: RunningServer, tenant: Tenant, patched: pytest.MonkeyPatch) -> Sender:
    """One whose server has nothing else to write, so that nobody else meets what is patched."""
    await letters(server)
    return Sender(server, tenant, patched)


@pytest.mark.parametrize(("owner", "method", "when"), STEPS)
async def test_a_letter_is_sent_once_wherever_a_worker_ends(
    sender: Sender, patched: pytest.MonkeyPatch, owner: str, method: str, when: str
) -> None:
    one = await sender.written()
    target: Any = getattr(sender, owner)
    usual, worker = getattr(target, method), asyncio.current_task()

    async def ends(*given: Any) -> Any:
        if asyncio.current_task() is not worker:  # the server's own tasks go on, else nobody writes letters any more
            return await usual(*given)
        if when == "after":
            await usual(*given)
        raise asyncio.CancelledError

    with patched.context() as patch:
        patch.setattr(target, method, ends)
        with pytest.raises(asyncio.CancelledError):
            await sender.worker().work_on(one.id)
    assert len(sender.letters()) <= 1
    for _ in range(2):
        await sender.look()
        assert len(sender.letters()) == len(await sender.logged()) == 1
    assert await sender.mail.held() == []
    await sender.look(FORGOTTEN_SECONDS + 60)
    assert (await sender.left(), len(sender.letters())) == ([], 1)


async def test_many_workers_make_one_letter(sender: Sender) -> None:
    one = await sender.written()
    await asyncio.gather(*(sender.worker().work_on(one.id) for _ in range(4)))
    assert (len(sender.letters()), len(await sender.logged())) == (1, 1)
    assert (await sender.left(), await sender.mail.held()) == ([], [])


async def test_a_letter_whose_fate_is_not_known_is_not_lost(sender: Sender, patched: pytest.MonkeyPatch) -> None:
    """The answer to the transaction is lost, which was done."""
    one = await sender.written()
    usual = sender.store.transact

    async def unanswered(work: Any) -> None:
        await usual(work)
        raise SystemFault("datastore_unreachable")

    with patched.context() as patch:
        patch.setattr(sender.store, "transact", unanswered)
        with pytest.raises(SystemFault):
            await sender.worker().work_on(one.id)
    assert sender.letters() == []
    await sender.look()
    assert (len(sender.letters()), len(await sender.logged())) == (1, 1)
    await sender.look(FORGOTTEN_SECONDS + 60)  # else tests that wait for all notices to be letters wait for this one
    assert await sender.left() == []


async def test_a_file_of_somebody_elses_keeps_no_letter_back(sender: Sender) -> None:
    strange = spool_folder(sender.server.runtime.config) / f"{HELD}1strange"
    strange.parent.mkdir(parents=True, exist_ok=True)
    strange.write_text("no letter")
    await sender.written()
    await sender.look()
    assert len(sender.letters()) == 1
    assert strange.exists()
    strange.unlink()


async def test_what_a_worker_is_still_busy_with_is_left_to_it(sender: Sender) -> None:
    await sender.written()
    await sender.look(5)
    assert sender.letters() == []
    await sender.look()
    assert len(sender.letters()) == 1


async def test_a_spool_that_takes_nothing_is_tried_again(sender: Sender, patched: pytest.MonkeyPatch) -> None:
    one = await sender.written()

    async def full(*_: Any) -> str:
        raise OSError("no space left")

    with patched.context() as patch:
        patch.setattr(sender.mail, "hold", full)
        await sender.look()
    assert (await sender.left(), await sender.logged()) == ([one.id], [])
    await sender.look(70)
    assert sender.letters() == []
    await sender.look(LONGEST_WAIT)
    assert (len(sender.letters()), await sender.left()) == (1, [])


async def test_a_letter_that_can_never_be_made_is_given_up(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    await sender.written(letters=[{"told": {}}], pvt_tries=MOST_TRIES - 2)
    await sender.look()
    assert len(await sender.left()) == 1
    await sender.look(2 * LONGEST_WAIT)
    assert (await sender.left(), sender.letters()) == ([], [])
    assert "is given up" in caplog.text


async def test_what_nobody_released_goes_after_a_day(sender: Sender) -> None:
    one = await sender.written(pvt_due=clock.now() + 10 * HELD_SECONDS)
    await sender.mail.hold(composed(sender="a@b.test", to=[sender.address], subject="x", text="x"), f"{one.id}-0")
    await sender.look()
    assert len(await sender.mail.held()) == 1
    await sender.look(HELD_SECONDS + 60)
    assert (await sender.mail.held(), sender.letters()) == ([], [])
    await sender.store.remove_by_ids(NOTICES, NOTICE, [one.id])


async def test_a_notice_of_an_account_that_is_gone(sender: Sender) -> None:
    one = await sender.written(account_id=new_id())
    await sender.worker().work_on(one.id)
    assert await sender.store.get(NOTICES, NOTICE, one.id) is None
    assert sender.letters() == []


async def test_secrets_of_notices_lie_sealed(sender: Sender) -> None:
    one = notice("password_recovery", sender.tenant.id, {"user_id": "x"}, secret={"password_reset_link": "hush"})
    codec = sender.store.connection.codec
    stored = codec.encode(replace(one, revision="1-0"), NOTICE_SHAPE)
    assert "hush" not in repr(stored)
    assert codec.decode(stored).at("secret.password_reset_link") == "hush"
