# SPDX-License-Identifier: MPL-2.0
"""Records that are too old are removed, with everything that belongs to them."""

from __future__ import annotations

import dataclasses

import pytest

from crossbar import clock
from crossbar.config import Config, ConfigError, RetentionOptions, RetentionTerm
from crossbar.documents.document import Document
from crossbar.resources.records.domain.retention import remove_expired
from crossbar.runtime import Runtime
from tests.call_records import START, given, leg
from tests.harness import RunningServer, Tenant

DAY = 86_400


def keeping(server: RunningServer, *terms: RetentionTerm, batch: int = 1000) -> Runtime:
    """The server's services, with other terms of retention."""
    config = dataclasses.replace(server.runtime.config, retention=RetentionOptions(days=terms, batch=batch, pause_ms=0))
    settings = server.runtime.settings

    class Told:
        """Settings that nobody changes meanwhile."""

        def __init__(self) -> None:
            self.config = config

        def __getattr__(self, name: str) -> object:
            return getattr(settings, name)

    return dataclasses.replace(server.runtime, settings=Told())  # type: ignore[arg-type]


async def test_old_legs_go_with_their_interactions_and_young_ones_stay(server: RunningServer, tenant: Tenant) -> None:
    ages = range(10)
    await given(server, "cdrs", *(leg(tenant.id, -age * 24 * 60, call_id=f"{age} days old") for age in ages))
    wide = {"created_from": START - 20 * DAY, "created_to": START + DAY}
    now = clock.unix(START)
    with clock.frozen(now):
        await remove_expired(keeping(server, RetentionTerm("call_event", 1)))
        assert len((await tenant.api.get("/cdrs", query={**wide, "paginate": "false"})).data) == 10
        assert await remove_expired(keeping(server, RetentionTerm("cdr", 4), batch=2)) >= 2 * 5  # with interactions
    for path in ("/cdrs", "/cdrs/interaction"):
        rows = (await tenant.api.get(path, query=wide)).data
        assert [row["call_id"] for row in rows] == [f"{age} days old" for age in range(5)]


async def test_files_of_a_record_go_with_it(server: RunningServer, tenant: Tenant) -> None:
    services = server.runtime
    fields = {"pvt_type": "mms", "pvt_created": START}
    message = await services.store.insert(Document(tenant.id, "mms", "202403-old", fields))
    await services.attachments.put(message, "message.eml", "message/rfc822", b"long gone")
    await remove_expired(keeping(server, RetentionTerm("mms", 30)))
    assert await services.store.get(tenant.id, "mms", "202403-old") is None
    assert await services.attachments.all(message) == []


async def test_only_records_are_ever_too_old(server: RunningServer, tenant: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk"})
    with clock.frozen(clock.unix_now() + 10 * DAY):
        await remove_expired(keeping(server, RetentionTerm("device", 1), RetentionTerm("nonsense", 1)))
    assert (await tenant.api.get(f"/devices/{device.id}")).status == 200


async def test_one_worker_does_the_work(server: RunningServer) -> None:
    store = server.runtime.store
    with clock.frozen(1_800_000_000):
        assert await store.leases.take("test", "one", 60)
        assert await store.leases.take("test", "one", 60)
        assert not await store.leases.take("test", "two", 60)
    with clock.frozen(1_800_000_060):
        assert await store.leases.take("test", "two", 60)
        assert not await store.leases.take("test", "one", 60)


@pytest.mark.parametrize("text", ["cdr", "cdr=0", "cdr=-1", "cdr=many", "=4"])
def test_terms_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"retention\.days"):
        Config.load(None, {}, {"retention.days": text})
