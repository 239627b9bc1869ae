# SPDX-License-Identifier: MPL-2.0
"""Accounts in files: written by one server, taken in by another."""

from __future__ import annotations

import asyncio
import gzip
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossbar.access import named_tokens as access_token
from crossbar.documents.document import ACCOUNTS, Document, DocumentKey
from crossbar.documents.document_types import ACCOUNT, MENU, NOTICE, USER
from crossbar.documents.listing import Listing
from crossbar.moving import encryption
from crossbar.moving import export as exporting
from crossbar.moving.file_format import AccountFile
from crossbar.moving.trouble import CannotMove
from crossbar.resources.numbers.domain import port_request
from tests.e2e.office import PASSWORD
from tests.harness import RunningServer, ServerWith, Tenant, new_tenant
from tests.moving.moves import differences, everything_skipped, taken_in, troubles, written
from tests.moving.world import World, answers, credentials

NEEDED = ("pvt_created", "pvt_until", "pvt_digest")
"""Fields that shapes of such documents look at."""
PEPPER = "the pepper of two servers"


async def test_another_server_answers_the_same(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, world.id, tmp_path / "account")
    async with server_with() as other:
        assert (await taken_in(other, mongo_uri, path, dry_run=True)).total("created") > 50
        assert await other.runtime.store.get(ACCOUNTS, ACCOUNT, world.id) is None
        report = await taken_in(other, mongo_uri, path)
        assert (report.total("updated"), report.total("skipped")) == (0, 0)
        for account_id in (world.id, world.below.id):
            before, after = await answers(server, account_id), await answers(other, account_id)
            assert len(before) > 50
            assert differences(before, after) == []
        assert everything_skipped(await taken_in(other, mongo_uri, path))


async def test_credentials_come_along_as_far_as_the_peppers_allow(
    server_with: ServerWith, mongo_uri: str, tmp_path: Path
) -> None:
    async with server_with(security__password_pepper=PEPPER) as source:
        tenant = await new_tenant(source, source.master, "keeps")
        api_key = (await tenant.api.get("/api_key")).data["api_key"]
        path = await written(source, mongo_uri, tenant.id, tmp_path / "account")
        async with server_with(security__password_pepper=PEPPER) as same:
            assert troubles(await taken_in(same, mongo_uri, path)) == {}
            assert await logs_in(same, "keeps", PASSWORD)
            assert await opens(same, api_key)
        async with server_with() as other:
            report = await taken_in(other, mongo_uri, path)
            assert troubles(report).keys() == {f"{tenant.id}/user/{tenant.admin_id}"}
            assert await opens(other, api_key)
            assert not await logs_in(other, "keeps", PASSWORD)
            renewed = await other.master.root.patch(
                f"/accounts/{tenant.id}/users/{tenant.admin_id}", {"password": "another horse"}
            )
            assert renewed.status == 200
            again = await taken_in(other, mongo_uri, path)
            assert troubles(again) == {}
            assert await logs_in(other, "keeps", "another horse")  # what was set here stays


async def logs_in(server: RunningServer, name: str, password: str) -> bool:
    data = {"credentials": credentials("admin", password), "account_realm": f"{name}.test"}
    return (await server.master.root.acting(None).put("/user_auth", data)).status == 201


async def opens(server: RunningServer, api_key: str) -> bool:
    return (await server.master.root.acting(None).put("/api_auth", {"api_key": api_key})).status == 201


async def test_what_changed_is_updated(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    menu = (await tenant.api.put("/menus", {"name": "first"})).id
    await tenant.api.post(f"/users/{tenant.admin_id}/photo", body=b"\xff\xd8one", content_type="image/jpeg")
    async with server_with() as other:
        await taken_in(other, mongo_uri, await written(server, mongo_uri, tenant.id, tmp_path / "first"))
        await tenant.api.patch(f"/menus/{menu}", {"name": "second"})
        await tenant.api.patch("", {"name": "Renamed"})
        await tenant.api.delete(f"/users/{tenant.admin_id}/photo")
        await tenant.api.put("/callflows", {"numbers": ["9000"], "flow": {"module": "menu", "data": {"id": menu}}})
        report = await taken_in(other, mongo_uri, await written(server, mongo_uri, tenant.id, tmp_path / "second"))
        assert report.counts["updated"] == {"menu": 1, "account": 1, "user": 1}
        assert report.counts["created"] == {"callflow": 1}
        stored = await other.runtime.store.get(tenant.id, MENU, menu)
        assert stored is not None
        assert stored.fields["name"] == "second"


async def test_attachments_follow_their_documents(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    lists = await tenant.api.put("/lists", {"name": "Friends"})
    entry = await tenant.api.put(f"/lists/{lists.id}/entries", {"number": "+14155550100"})
    owner = Document(tenant.id, "list_entry", entry.id, {})
    await server.runtime.attachments.put(owner, "large", "image/png", bytes(range(256)) * 8_000)
    await server.runtime.attachments.put(owner, "old", "image/png", b"old")
    async with server_with() as other:
        await taken_in(other, mongo_uri, await written(server, mongo_uri, tenant.id, tmp_path / "first"))
        stored = await other.runtime.attachments.all(owner)
        assert [(one.name, one.content_type, one.size) for one in stored] == [
            ("large", "image/png", 2_048_000),
            ("old", "image/png", 3),
        ]
        assert await other.runtime.attachments.read(stored[0]) == bytes(range(256)) * 8_000
        assert stored == [
            kept.__class__(one.name, one.content_type, one.size, one.created, kept.file_id, kept.owner)
            for one, kept in zip(await server.runtime.attachments.all(owner), stored, strict=True)
        ]
        await server.runtime.attachments.delete(owner, "old")
        await server.runtime.attachments.put(owner, "large", "image/png", b"small")
        report = await taken_in(other, mongo_uri, await written(server, mongo_uri, tenant.id, tmp_path / "second"))
        assert (report.counts["updated"]["attachments"], report.total("created")) == (2, 0)
        (left,) = await other.runtime.attachments.all(owner)
        assert await other.runtime.attachments.read(left) == b"small"


async def test_what_others_hold_is_reported_and_the_rest_taken_in(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, world.id, tmp_path / "account")
    device = world.office.people[0].device_id
    async with server_with() as other:
        root = other.master.root
        holder = await root.put(f"/accounts/{other.master.id}", {"name": "holder", "realm": "holder.test"})
        number = f"/accounts/{holder.id}/phone_numbers/{world.number}"
        assert (await root.put(number, {})).status == 201
        below = (await server.runtime.store.get(ACCOUNTS, ACCOUNT, world.below.id)) or Document("", "", "", {})
        rival = await root.put(f"/accounts/{other.master.id}", {"name": "rival", "realm": below.text("realm")})
        for dry_run in (True, False):
            report = await taken_in(other, mongo_uri, path, dry_run=dry_run)
            told = troubles(report)
            assert f"assigned to the account {holder.id}" in told[f"numbers/number/{world.number}"]
            assert rival.id in told[f"accounts/account/{world.below.id}"]
            assert "nothing of the account was taken over" in told[f"accounts/account/{world.below.id}"]
        assert await other.runtime.store.get(world.id, "device", device) is not None
        assert await other.runtime.store.get(ACCOUNTS, ACCOUNT, world.below.id) is None
        assert not await other.runtime.store.exists(world.below.id, MENU)
        assert (await root.get(f"{number}/identify")).data["account_id"] == holder.id


async def test_what_one_alone_may_hold_is_checked_across_accounts(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    box = {"name": "box", "custom_smtp_email_address": f"fax@{tenant.realm}"}
    made = await tenant.api.put("/faxboxes", box)
    path = await written(server, mongo_uri, tenant.id, tmp_path / "account")
    async with server_with() as other:
        held = await other.master.api.put("/faxboxes", box)
        assert held.status == 201
        report = await taken_in(other, mongo_uri, path)
        assert held.id in troubles(report)[f"{tenant.id}/faxbox/{made.id}"]
        assert report.counts["created"] == {"account": 1, "user": 1}


async def test_a_port_request_of_another_account_stays_its_own(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    made = await tenant.api.put("/port_requests", {"name": "mine", "numbers": {"+14155550177": {}}})
    ours = await server.runtime.store.get(port_request.DATABASE, port_request.TYPE, made.id)
    assert ours is not None
    path = await written(server, mongo_uri, tenant.id, tmp_path / "account")
    async with server_with() as other:
        fields = {**ours.fields, port_request.OWNER: other.master.id}
        theirs = await other.runtime.store.insert(replace(ours, fields=fields))
        report = await taken_in(other, mongo_uri, path)
        assert f"one of the account {other.master.id}" in troubles(report)[ours.key]
        assert await other.runtime.store.get(*DocumentKey.parse(ours.key)) == theirs


async def test_below_another_account(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, world.id, tmp_path / "account")
    async with server_with() as other:
        reseller = await new_tenant(other, other.master, "reseller")
        await taken_in(other, mongo_uri, path, parent="reseller")
        tree = (await other.master.root.get(f"/accounts/{world.below.id}/tree")).data
        assert [account["id"] for account in tree] == [other.master.id, reseller.id, world.id]
        above = await other.runtime.store.get(ACCOUNTS, ACCOUNT, reseller.id)
        assert above is not None
        assert above.fields["descendants_count"] == 2


async def test_an_account_alone(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, world.id, tmp_path / "account", descendants=False)
    async with server_with() as other:
        await taken_in(other, mongo_uri, path)
        assert await other.runtime.store.get(ACCOUNTS, ACCOUNT, world.below.id) is None
        account = await other.runtime.store.get(ACCOUNTS, ACCOUNT, world.id)
        assert account is not None
        assert account.fields.get("descendants_count", 0) == 0


async def test_what_is_on_its_way_stays(server: RunningServer, mongo_uri: str, tenant: Tenant, tmp_path: Path) -> None:
    store = server.runtime.store
    staying = [shape for shape in store.shapes if not shape.moves]
    assert NOTICE in {shape.type for shape in staying}
    for shape in staying:
        await store.insert(Document(tenant.id, shape.type, "stays", dict.fromkeys(NEEDED, 1)))
    path = await written(server, mongo_uri, tenant.id, tmp_path / "account")
    lines = [line for line, _ in AccountFile.checked(path, None).lines()]
    assert {line["document"].split("/")[1] for line in lines if "document" in line} == {ACCOUNT, USER}
    for shape in staying:
        await store.remove(Document(tenant.id, shape.type, "stays", {}))


async def test_named_tokens_stay(
    server_with: ServerWith, mongo_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those in a file that was written before they stayed, and where the pepper is the same."""
    async with server_with(security__password_pepper=PEPPER) as source:
        tenant = await new_tenant(source, source.master, "named")
        made = (await tenant.api.put("/tokens", {"name": "a program"})).data
        assert (await tenant.api.acting(made["token"]).get("/users")).status == 200
        await source.runtime.access.named_tokens.uses.settle()
        document = await source.runtime.store.get(tenant.id, access_token.TYPE, made["id"])
        assert document is not None
        path = await written(source, mongo_uri, tenant.id, tmp_path / "account")
        contents = gzip.decompress(path.read_bytes())
        for name in (access_token.DIGEST_FIELD, access_token.BEARER_FIELD):
            assert document.fields[name].encode() not in contents
        assert made["id"].encode() not in contents
        monkeypatch.setattr(exporting, "documents_of", lambda snapshot, _, account_id: snapshot.documents(account_id))
        older = await written(source, mongo_uri, tenant.id, tmp_path / "older")
        async with server_with(security__password_pepper=PEPPER) as same:
            report = troubles(await taken_in(same, mongo_uri, older))
            assert "good where they were made alone" in report[document.key]
            assert await same.runtime.store.get(tenant.id, access_token.TYPE, made["id"]) is None
            assert (await same.master.root.acting(made["token"]).get(f"/accounts/{tenant.id}/users")).status == 401


# The file


async def test_a_file_is_for_its_owner_and_never_written_over(
    server: RunningServer, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, tenant.id, tmp_path / "account")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CannotMove, match="exists already"):
        await written(server, mongo_uri, tenant.id, path)
    assert names_in(tmp_path) == [path.name]


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses at a passphrase that do not take a tenth of a second each."""
    monkeypatch.setattr(encryption, "WORK", 2)


@pytest.mark.usefixtures("cheap_passphrases")
@pytest.mark.parametrize("passphrase", [None, "a phrase to remember"])
async def test_a_damaged_file_is_noticed_before_anything_is_written(
    server: RunningServer, mongo_uri: str, tenant: Tenant, tmp_path: Path, passphrase: str | None
) -> None:
    whole = await written(server, mongo_uri, tenant.id, tmp_path / "whole", passphrase=passphrase)
    contents = whole.read_bytes()
    damaged = tmp_path / "damaged"
    for place in range(0, len(contents), max(1, len(contents) // 60)):
        damaged.write_bytes(contents[:place])
        with pytest.raises(CannotMove):
            AccountFile.checked(damaged, passphrase)
        if place >= 10:  # what gzip's own header says is of no consequence
            damaged.write_bytes(contents[:place] + bytes([contents[place] ^ 1]) + contents[place + 1 :])
            with pytest.raises(CannotMove):
                AccountFile.checked(damaged, passphrase)
    assert AccountFile.checked(whole, passphrase).header["account"]["id"] == tenant.id


async def test_an_encrypted_file_opens_under_its_passphrase_alone(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    path = await written(server, mongo_uri, tenant.id, tmp_path / "account", passphrase="a phrase to remember")
    assert tenant.realm.encode() not in path.read_bytes()
    for passphrase, told in ((None, "is encrypted"), ("another", "passphrase is another one")):
        with pytest.raises(CannotMove, match=told):
            AccountFile.checked(path, passphrase)
    async with server_with() as other:
        report = await taken_in(other, mongo_uri, path, passphrase="a phrase to remember")
        assert report.counts["created"] == {"account": 1, "user": 1}


async def test_a_file_without_secrets_has_none(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    hook = {"name": "told", "uri": "https://198.51.100.7/", "http_verb": "post", "hook": "channel_create"}
    secret = (await tenant.api.put("/webhooks", {**hook, "secret": True})).data.get("secret")
    api_key = (await tenant.api.get("/api_key")).data["api_key"]
    account: Any = await server.runtime.store.get(ACCOUNTS, ACCOUNT, tenant.id)
    user: Any = await server.runtime.store.get(tenant.id, USER, tenant.admin_id)
    known = [api_key, account.fields["pvt_signature_secret"], user.fields["pvt_md5_auth"]]
    known += [user.fields["pvt_signature_secret"], *([secret] if secret else [])]
    with_all = gzip.decompress((await written(server, mongo_uri, tenant.id, tmp_path / "all")).read_bytes()).decode()
    assert [one for one in known if one not in with_all] == []
    path = await written(server, mongo_uri, tenant.id, tmp_path / "without", with_secrets=False)
    without = gzip.decompress(path.read_bytes()).decode()
    assert [one for one in known if one in without] == []
    async with server_with() as other:
        report = await taken_in(other, mongo_uri, path)
        assert report.notes == ["the file was written without credentials"]
        fresh: Any = await other.runtime.store.get(ACCOUNTS, ACCOUNT, tenant.id)
        assert fresh.fields["pvt_signature_secret"]
        assert (await other.master.root.get(f"/accounts/{tenant.id}/api_key")).data["api_key"] not in (None, api_key)
        assert everything_skipped(await taken_in(other, mongo_uri, path))


class Broken(Exception):
    """An import that ends in the middle."""


async def test_an_import_that_broke_off_goes_on(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, tmp_path: Path
) -> None:
    menus = [Document(tenant.id, MENU, f"m{number}", {"name": f"menu {number}"}) for number in range(600)]
    await asyncio.gather(*map(server.runtime.store.insert, menus))
    path = await written(server, mongo_uri, tenant.id, tmp_path / "account")

    def broken(done: int, _: int) -> None:
        if done == 400:
            raise Broken

    async with server_with() as other:
        with pytest.raises(Broken):
            await taken_in(other, mongo_uri, path, told=broken)
        taken = len(await other.runtime.store.all(Listing(tenant.id, MENU)))
        assert 0 < taken < len(menus)
        report = await taken_in(other, mongo_uri, path)
        assert (report.counts["created"][MENU], report.counts["skipped"][MENU]) == (len(menus) - taken, taken)
        assert len(await other.runtime.store.all(Listing(tenant.id, MENU))) == len(menus)
