# SPDX-License-Identifier: MPL-2.0
"""The tree of accounts: a new one below its parent, one that moves or ends, and who resells to whom.

Source: KAZOO `cb_accounts.erl` (`move`, `delete`), `kzdb_account.erl`, `kz_services_reseller.erl`. Each change is one
transaction that also writes all accounts above, so that what they count (`descendants_count`) is right at every depth.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from crossbar import clock
from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store, Transaction
from crossbar.errors import Forbidden, NotFound, SystemFault
from crossbar.events.notices import tell
from crossbar.registry import Registry
from crossbar.resources.identity.domain import account_removal
from crossbar.runtime import Runtime

Follower = Callable[[Transaction, Document], Awaitable[None]]
"""Brings what depends on an account's place in order; it gets the account as it is after a move."""
also_moves: Final[Registry[Follower]] = Registry()
"""What is to be done, too, in the transaction that moves an account."""


def descendants_of(account_id: str) -> Listing:
    """All accounts below one, at any depth."""
    return Listing(ACCOUNTS, ACCOUNT, tag=f"descendant/{account_id}")


async def insert_below(
    runtime: Runtime, account: Document, parent_id: str, notices: Sequence[Document] = ()
) -> Document:
    """Save a new account below its parent, with what that gives rise to; all above count it; all or nothing.

    Raises NotFound without the parent.
    """

    async def insert(transaction: Transaction) -> Document:
        parent = await _account(transaction, parent_id)
        account.fields["pvt_tree"] = [*parent.fields["pvt_tree"], parent_id]
        account.fields["pvt_parent_id"] = parent_id
        account.fields.setdefault("pvt_enabled", parent.fields.get("pvt_enabled", True))
        reseller_id = await runtime.access.directory.reseller_of(Account.of(account))
        reseller = await transaction.get(ACCOUNTS, ACCOUNT, reseller_id) if reseller_id else None
        if reseller and (preference := reseller.at("pvt_notification_preference")) is not None:
            account.fields["pvt_notification_preference"] = preference
        saved = await transaction.insert(account)
        await _count_descendants(transaction, account.fields["pvt_tree"])
        await tell(transaction, notices)
        return saved

    return await runtime.store.transact(insert)


async def remove(runtime: Runtime, account_id: str) -> Document:
    """End an account and everything it owns, and return it as it was.

    Raises NotFound, `account_has_descendants` for one that is not the last of its branch, or what others have against
    it (`account_removal.unless`).
    """

    async def take_out(transaction: Transaction) -> Document:
        account = await _account(transaction, account_id)
        if await transaction.count(descendants_of(account_id)):
            raise SystemFault("account_has_descendants")
        await account_removal.check_may_end(transaction, account_id)
        await transaction.remove(account)
        await account_removal.note(transaction, account_id)
        await _count_descendants(transaction, account.fields["pvt_tree"])
        return account

    account = await runtime.store.transact(take_out)
    await account_removal.clear(runtime, account_id)
    return account


async def move(store: Store, account_id: str, target_id: str) -> Document:
    """Move an account, with all below it, below another one, and return it.

    Raises NotFound for one that is missing, Forbidden where the target is the account itself or below it.
    """

    async def rehang(transaction: Transaction) -> Document:
        target = await _account(transaction, target_id)
        account = await transaction.get(ACCOUNTS, ACCOUNT, account_id)
        if account is None:
            raise NotFound(target_id)
        if account.id in (*target.fields["pvt_tree"], target.id):
            raise Forbidden
        old, new = account.fields["pvt_tree"], [*target.fields["pvt_tree"], target.id]
        for moved in await transaction.all(descendants_of(account.id)):
            await _move_branch(transaction, moved, old, new)
        moved_account = await _move_branch(transaction, account, old, new)
        await _count_descendants(transaction, [*old, *new])
        return moved_account

    return await store.transact(rehang)


async def recount(store: Store, account_id: str) -> None:
    """Count anew what is below an account."""

    async def count(transaction: Transaction) -> None:
        await _count_descendants(transaction, [account_id])

    await store.transact(count)


async def hang_right(store: Store, account_id: str) -> bool:
    """Give an account the tree of its parent, with what follows from it; False where its parent is not to be found."""

    async def hang(transaction: Transaction) -> bool:
        account = await transaction.get(ACCOUNTS, ACCOUNT, account_id)
        parent_id = parent_of(account) if account else None
        parent = await transaction.get(ACCOUNTS, ACCOUNT, parent_id) if parent_id else None
        if account is None or parent is None:
            return False
        before: list[str] = account.fields.get("pvt_tree") or []
        tree = [*parent.fields["pvt_tree"], parent.id]
        whole = {**account.fields, "pvt_tree": before}
        await _move_branch(transaction, Document(ACCOUNTS, ACCOUNT, account.id, whole, account.revision), before, tree)
        await _count_descendants(transaction, [*before, *tree])
        return True

    return await store.transact(hang)


async def follow_right(store: Store, account_id: str) -> None:
    """Bring what depends on an account's place in order where it is not."""

    async def follow(transaction: Transaction) -> None:
        account = await _account(transaction, account_id)
        for follower in also_moves:
            await follower(transaction, account)

    await store.transact(follow)


def parent_of(account: Document) -> str | None:
    """The account right above one, by its tree; where that is lost, by the note beside it."""
    tree = account.fields.get("pvt_tree")
    last = tree[-1] if isinstance(tree, list) and tree else account.fields.get("pvt_parent_id")
    return last if isinstance(last, str) else None


async def set_reseller(store: Store, account_id: str, is_reseller: bool, author: Author) -> Document:
    """Make an account a reseller of all below it, or an ordinary one, and return it.

    Raises NotFound, or `account_has_descendants` where there is a reseller below it.
    """

    async def change(transaction: Transaction) -> Document:
        account = await _account(transaction, account_id)
        below = await transaction.all(descendants_of(account.id))
        if any(descendant.fields.get("pvt_reseller") for descendant in below):
            raise SystemFault("account_has_descendants")
        fields = {**account.fields, **stamps(author, account), "pvt_reseller": is_reseller}
        return await transaction.replace(Document(ACCOUNTS, ACCOUNT, account.id, fields), account)

    return await store.transact(change)


async def _account(transaction: Transaction, account_id: str) -> Document:
    account = await transaction.get(ACCOUNTS, ACCOUNT, account_id)
    if account is None:
        raise NotFound(account_id)
    return account


async def _count_descendants(transaction: Transaction, account_ids: Iterable[str]) -> None:
    """Set `descendants_count` of accounts. Writing them also makes changes below meet in one place."""
    for account_id in dict.fromkeys(account_ids):
        account = await transaction.get(ACCOUNTS, ACCOUNT, account_id)
        if account is not None:
            count = await transaction.count(descendants_of(account.id))
            fields = {**account.fields, "descendants_count": count}
            await transaction.replace(Document(ACCOUNTS, ACCOUNT, account.id, fields), account)


async def _move_branch(transaction: Transaction, account: Document, old: list[str], new: list[str]) -> Document:
    """Give an account a tree that begins with `new` where it began with `old`."""
    before: list[str] = account.fields["pvt_tree"]
    fields = {
        **account.fields,
        "pvt_tree": [*new, *before[len(old) :]],
        "pvt_previous_tree": before,
        "pvt_modified": clock.now(),
    }
    fields["pvt_parent_id"] = fields["pvt_tree"][-1]
    moved = await transaction.replace(Document(ACCOUNTS, ACCOUNT, account.id, fields), account)
    for follower in also_moves:
        await follower(transaction, moved)
    return moved
