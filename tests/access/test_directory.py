# SPDX-License-Identifier: MPL-2.0
"""Who is who, as every worker knows it."""

from __future__ import annotations

import pytest

from crossbar.access.directory import Account, Directory, User
from crossbar.documents.document import ACCOUNTS, Document

from .installation import PEPPER, Installation, Worker

YEAR_2099 = 66_238_000_000


async def test_an_account_as_decisions_see_it(worker: Worker, installation: Installation) -> None:
    root = await installation.account("Root", pvt_superduper_admin=True, pvt_reseller=True)
    acme = await installation.account(
        "Acme Inc.", root, realm="Acme.Example.com", pvt_trial_expires=YEAR_2099, language="de-DE"
    )

    above, account = await worker.directory.account(root.id), await worker.directory.account(acme.id)

    assert above is not None and account is not None
    assert (above.superduper_admin, above.is_reseller, above.tree, above.parent_id) == (True, True, (), None)
    assert (account.superduper_admin, account.is_reseller, account.tree) == (False, False, (root.id,))
    assert (account.name, account.realm, account.language) == ("Acme Inc.", "Acme.Example.com", "de-DE")
    assert account.parent_id == root.id
    assert account.enabled and not account.expired
    assert account.within(root.id) and account.within(acme.id) and not above.within(acme.id)


def test_what_a_document_leaves_open() -> None:
    account = Account.of(Document(ACCOUNTS, "account", "a", {}))
    assert (account.enabled, account.superduper_admin, account.tree, account.trial_expires) == (True, False, (), None)
    user = User.of(Document("a", "user", "u", {}))
    assert (user.enabled, user.priv_level, user.is_admin, user.username) == (True, "user", False, None)


async def test_a_new_account_is_found_at_once_by_every_worker(
    worker: Worker, other: Worker, acme: Document, ann: Document
) -> None:
    await other.feed.stop()
    for each in (worker, other):
        assert await each.directory.account(acme.id) is not None
        assert await each.directory.user(acme.id, ann.id) is not None
        assert await each.directory.user(ann.id, acme.id) is None


async def test_a_change_reaches_every_worker(
    worker: Worker, other: Worker, acme: Document, ann: Document, installation: Installation
) -> None:
    await other.directory.account(acme.id)
    await other.directory.user(acme.id, ann.id)

    await installation.edit(acme, pvt_enabled=False)
    await installation.edit(ann, priv_level="admin")

    await other.hears_everything(ann)
    account, user = await other.directory.account(acme.id), await other.directory.user(acme.id, ann.id)
    assert account is not None and not account.enabled
    assert user is not None and user.is_admin


async def test_an_account_is_found_by_its_realm_in_any_case(worker: Worker, installation: Installation) -> None:
    acme = await installation.account("Acme", realm="Acme.Example.com")
    found = await worker.directory.account_of_realm("ACME.example.COM")
    assert found is not None and found.id == acme.id
    assert await worker.directory.account_of_realm("acme.example") is None


async def test_accounts_are_found_by_their_letters_and_digits(worker: Worker, installation: Installation) -> None:
    first, second = await installation.account("Acme, Inc. 1"), await installation.account("ACME inc 1")
    await installation.account("Acme Inc 12")
    found = await worker.directory.accounts_of_name("acme inc. #1")
    assert [account.id for account in found] == [first.id, second.id]
    assert await worker.directory.accounts_of_name("acme inc") == []


async def test_accounts_are_found_by_address(worker: Worker, installation: Installation) -> None:
    acme = await installation.account("Acme", ips={"192.0.2.7": {"ip": "192.0.2.7"}})
    assert [account.id for account in await worker.directory.accounts_of_ip("192.0.2.7")] == [acme.id]
    assert await worker.directory.accounts_of_ip("192.0.2.70") == []


async def test_the_master_is_the_oldest_root_unless_configured(worker: Worker, installation: Installation) -> None:
    assert await worker.directory.master_id() is None
    root = await installation.account("Root", pvt_created=1)
    await installation.account("Child", root, pvt_created=0)
    younger = await installation.account("Younger root")
    assert await worker.directory.master_id() == root.id
    assert await Directory(worker.store, worker.feed, master=lambda: younger.id).master_id() == younger.id


async def test_the_nearest_reseller_above(worker: Worker, installation: Installation) -> None:
    root = await installation.account("Root", pvt_reseller=True)
    reseller = await installation.account("Reseller", root, pvt_reseller=True)
    middle = await installation.account("Middle", reseller)
    leaf = await installation.account("Leaf", middle)
    orphan = await installation.account("Orphan", pvt_tree=["f" * 32])

    async def reseller_of(document: Document) -> str | None:
        account = await worker.directory.account(document.id)
        assert account is not None
        return await worker.directory.reseller_of(account)

    assert await reseller_of(leaf) == reseller.id
    assert await reseller_of(middle) == reseller.id
    assert await reseller_of(reseller) == root.id
    assert await reseller_of(root) == root.id
    assert await reseller_of(orphan) == root.id


async def test_the_chief_of_an_account(worker: Worker, acme: Document, installation: Installation) -> None:
    assert await worker.directory.chief_of(acme.id) is None
    ann = await installation.user(acme, "ann")
    await installation.user(acme, "off", priv_level="admin", enabled=False)
    assert (await worker.directory.chief_of(acme.id)).id == ann.id  # type: ignore[union-attr]
    bob = await installation.user(acme, "bob", priv_level="admin")
    await installation.user(acme, "cid", priv_level="admin")
    assert (await worker.directory.chief_of(acme.id)).id == bob.id  # type: ignore[union-attr]


async def test_users_are_found_by_what_they_log_in_with(worker: Worker, installation: Installation) -> None:
    acme, other = await installation.account("Acme"), await installation.account("Other")
    ann = await installation.user(acme, "ann", "secret")
    off = await installation.user(acme, "off", "secret", enabled=False)
    found = worker.directory.users_of_credential

    md5, sha = PEPPER.digest("4ee6ec4a5a3e8cb3ff23df1e9d0d9ea2"), ann.fields["pvt_sha1_auth"]
    assert [user.id for user in await found(acme.id, "md5", ann.fields["pvt_md5_auth"])] == [ann.id]
    assert [user.id for user in await found(acme.id, "sha", sha)] == [ann.id]
    assert await found(acme.id, "md5", sha) == []
    assert await found(acme.id, "md5", md5) == []
    assert await found(acme.id, "md5", off.fields["pvt_md5_auth"]) == []
    assert await found(other.id, "md5", ann.fields["pvt_md5_auth"]) == []
    await installation.delete(ann)
    assert await found(acme.id, "sha", sha) == []


@pytest.mark.parametrize("strange", ["", "a/b", "accounts", "\x01", "$where", "x" * 32])
async def test_strange_ids_are_nobodys(worker: Worker, installation: Installation, strange: str) -> None:
    await installation.account("Acme")
    assert await worker.directory.account(strange) is None
    assert await worker.directory.user(strange, strange) is None
    assert await worker.directory.account_of_realm(strange) is None
    assert await worker.directory.enabled_users(strange) == []
