# SPDX-License-Identifier: MPL-2.0
"""Voicemail boxes as dialects make, change and end them, through the same life cycle, and which user has which.

A user has one box at most and a box may serve several users; KAZOO's boxes have one owner, and a user may own several.
So a user has the box that he owns, of several the one of the lowest number; unless `pvt_xivo.box` on the user names
another: one that somebody else owns and he has a part in, or (`own_box`) one of his own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crossbar.dialects import integer_ids, telephone_users
from crossbar.dialects.declaration import Declaration
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE, Edit
from crossbar.dialects.identifiers import as_number
from crossbar.dialects.integer_ids import Kind
from crossbar.dialects.shapes import owner_tag, shared_box_tag
from crossbar.documents.document import Document, public_fields
from crossbar.documents.document_types import USER, VMBOX
from crossbar.documents.selection import Selection
from crossbar.endpoint import Context, JointChange, jointly
from crossbar.errors import JSON, NotFound
from crossbar.ids import new_id
from crossbar.resources.calls.voicemail.vmboxes import vmboxes
from crossbar.resources.identity.users import users

NUMBERS: Final = Kind("voicemails", VMBOX)


async def find(context: DialectContext, word: str) -> Document:
    """The box of a number. Raises NotFound."""
    box = await by_number(context, as_number(word))
    if box is None:
        raise NotFound(word)
    return box


async def by_number(context: DialectContext, number: int | None) -> Document | None:
    """The box of a number, if the account is the request's or below it."""
    key = None if number is None else await integer_ids.find(context.store, NUMBERS, number)
    if key is None or not await telephone_users.is_visible(context, key.partition):
        return None
    return await context.store.get(*key)


async def create(context: DialectContext, declaration: Declaration, values: Mapping[str, JSON]) -> Document:
    """A new box. Raises Invalid."""
    crossbar = await context.crossbar("PUT", "vmboxes")
    edit = Edit()
    declaration.write(edit, declaration.with_initial(values))
    await integer_ids.give(context.store, NUMBERS, edit)
    return await vmboxes.life.save_new(crossbar, new_id(), edit.public, edit.private)


async def change(
    context: DialectContext, declaration: Declaration, box: Document, values: Mapping[str, JSON]
) -> Document:
    """Give a box's properties other values. Raises Invalid."""
    crossbar = await _crossbar(context, "POST", box)

    def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous)
        declaration.write(edit, values)
        return edit.public, edit.private

    return await vmboxes.life.edit(crossbar, box.id, changed)


async def remove(context: DialectContext, box: Document) -> None:
    """End a box, with its messages."""
    crossbar = await _crossbar(context, "DELETE", box)
    document = await vmboxes.life.load(crossbar, box.id)
    for hook in vmboxes.hooks.before_delete:
        await hook(crossbar, document)
    await vmboxes.life.remove(crossbar, document)


async def _crossbar(context: DialectContext, verb: str, box: Document) -> Context:
    account = await context.runtime.access.directory.account(box.partition)
    return await context.crossbar(verb, "vmboxes", box.id, account=account)


# Which user has which box


async def boxes_of(context: DialectContext, people: Sequence[Document]) -> dict[str, Document]:
    """The box of each of some users, by the user's id; those without one are left out."""
    if not people:
        return {}
    accounts = tuple(dict.fromkeys(user.partition for user in people))
    await integer_ids.give_all(context.store, NUMBERS, accounts)
    owned = await context.store.select(Selection(accounts, VMBOX, tuple(owner_tag(user.id) for user in people)))
    named: dict[str, Document] = {}
    for account in accounts:
        wanted = [str(box) for user in people if user.partition == account and (box := _named_box(user))]
        if wanted:
            named |= await context.store.get_many(account, VMBOX, list(dict.fromkeys(wanted)))
    found: dict[str, Document] = {}
    for user in people:
        own = sorted((box for box in owned if box.at("owner_id") == user.id), key=NUMBERS.of)
        chosen = named.get(str(_named_box(user)))
        if chosen is not None and not _is_meant(user, chosen):
            chosen = None
        if chosen is not None or own:
            found[user.id] = chosen or own[0]
    return found


def _named_box(user: Document) -> JSON:
    return user.at(f"{ASIDE}.box")


def _is_meant(user: Document, box: Document) -> bool:
    """Whether what the user says of a box still holds: one of his own must still be his."""
    return not user.at(f"{ASIDE}.own_box") or box.at("owner_id") == user.id


async def users_of(context: DialectContext, box: Document) -> list[Document]:
    """The telephone users who have a box: its owner first, then those who have a part in it, by number."""
    return (await users_of_all(context, [box]))[box.id]


async def users_of_all(context: DialectContext, found: Sequence[Document]) -> dict[str, list[Document]]:
    """The users of each of some boxes, by the box's id."""
    store = context.store
    people: dict[str, Document] = {}
    for account in dict.fromkeys(box.partition for box in found):
        here = [box for box in found if box.partition == account]
        owners = [box.text("owner_id") for box in here if box.text("owner_id")]
        tags = tuple(shared_box_tag(box.id) for box in here)
        people |= await store.get_many(account, USER, owners) if owners else {}
        people |= {user.id: user for user in await store.select(Selection((account,), USER, tags))}
    known = [user for user in people.values() if telephone_users.is_telephone_user(user)]
    known = [await integer_ids.numbered_document(store, telephone_users.NUMBERS, user) for user in known]
    theirs = await boxes_of(context, known)

    def rank(box: Document, user: Document) -> tuple[bool, int]:
        return box.at("owner_id") != user.id, telephone_users.NUMBERS.of(user)

    return {
        box.id: sorted(
            (user for user in known if user.id in theirs and theirs[user.id].id == box.id),
            key=lambda user, box=box: rank(box, user),  # type: ignore[misc]
        )
        for box in found
    }


async def associate(joint: JointChange, context: DialectContext, user: Document, box: Document) -> None:
    """Let a user have a box, and no other. The first of its users owns it."""
    user = await joint.current(user)
    current = (await boxes_of(context, [user])).get(user.id)
    if current is not None:
        if current.id == box.id:
            return
        await dissociate(joint, context, user)
    owner_id = (await joint.current(box)).text("owner_id")
    owner = await context.store.get(box.partition, USER, owner_id) if owner_id else None
    if owner is None:
        await _own(joint, context, box, user.id)
        await _name_box(joint, context, user, box.id, own=True)
    else:
        await _name_box(joint, context, user, box.id, own=owner.id == user.id)


async def dissociate(joint: JointChange, context: DialectContext, user: Document) -> Document | None:
    """Take a user's box from him, and return it. If he owned it the next of its users does."""
    user = await joint.current(user)
    box = (await boxes_of(context, [user])).get(user.id)
    if box is None:
        return None
    others = [one for one in await users_of(context, box) if one.id != user.id]
    joint.decided_by(box, *others[:1])
    await _name_box(joint, context, user, None, own=False)
    if box.at("owner_id") == user.id:
        await _own(joint, context, box, others[0].id if others else None)
        if others:
            await _name_box(joint, context, others[0], box.id, own=True)
    return box


async def remove_user(context: DialectContext, user: Document) -> None:
    """End a user; the boxes stay."""

    async def without_boxes(joint: JointChange) -> None:
        await _let_go(joint, context, user)
        await telephone_users.remove(joint, context, user)

    await jointly(context.store, without_boxes)


async def _let_go(joint: JointChange, context: DialectContext, user: Document) -> None:
    given_up = await dissociate(joint, context, user)
    owned = await context.store.select(Selection((user.partition,), VMBOX, (owner_tag(user.id),)))
    for box in owned:
        if given_up is None or box.id != given_up.id:
            joint.decided_by(box)
            await _own(joint, context, box, None)


async def _own(joint: JointChange, context: DialectContext, box: Document, user_id: str | None) -> None:
    crossbar = await _crossbar(context, "POST", box)

    def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        data = {**public_fields(previous.fields), "owner_id": user_id}
        return {key: value for key, value in data.items() if value is not None}, {}

    await joint.edit(vmboxes.life, crossbar, box.id, changed)


async def _name_box(
    joint: JointChange, context: DialectContext, user: Document, box_id: str | None, *, own: bool
) -> None:
    account = await context.runtime.access.directory.account(user.partition)
    crossbar = await context.crossbar("POST", "users", user.id, account=account)

    def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous)
        edit.put_aside("box", box_id)
        edit.put_aside("own_box", True if own else None)
        return edit.public, edit.private

    await joint.edit(users.life, crossbar, user.id, changed)
