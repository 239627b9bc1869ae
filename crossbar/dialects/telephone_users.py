# SPDX-License-Identifier: MPL-2.0
"""Telephone users: users of Crossbar's as dialects make, change and end them, through the same life cycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crossbar.access.directory import ADMIN
from crossbar.access.passwords import MD5_FIELD, SHA1_FIELD
from crossbar.dialects import digest_logins, integer_ids
from crossbar.dialects.declaration import Declaration
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.granted import given_to
from crossbar.dialects.homes import ASIDE, Edit
from crossbar.dialects.identifiers import as_number, undashed
from crossbar.dialects.integer_ids import Kind
from crossbar.dialects.named_logins import hashed_name
from crossbar.dialects.shapes import LOGIN_PURPOSES, LOGINS
from crossbar.dialects.user_homes import USERNAME
from crossbar.documents.document import Document, as_object, value_at
from crossbar.documents.document_types import MEDIA, USER
from crossbar.documents.selection import Selection, at, equals
from crossbar.endpoint import Context, JointChange, jointly
from crossbar.errors import JSON, Forbidden, NotFound
from crossbar.ids import new_id, new_secret
from crossbar.resources.identity.domain.account_tree import descendants_of
from crossbar.resources.identity.users import users

NUMBERS: Final = Kind("users", USER, (LOGINS,))
LOG_IN_FIELDS: Final = ("username", "email", "enabled")
"""What an administrator is known by and logs in with."""


def is_telephone_user(user: Document) -> bool:
    """Whether a user is more than a log-in."""
    return user.at("pvt_xivo.purpose") not in LOGIN_PURPOSES


async def find(context: DialectContext, word: str) -> Document:
    """The user whom a word of a path names: by number, or by UUID. Raises NotFound."""
    number = as_number(word)
    user = await by_uuid(context, word) if number is None else await by_number(context, number)
    if user is None or not is_telephone_user(user):
        raise NotFound(word)
    return await integer_ids.numbered_document(context.store, NUMBERS, user)


async def by_uuid(context: DialectContext, word: str) -> Document | None:
    """The user of a UUID in the request's account or below it; `me` is who calls."""
    caller = context.caller
    user_id = undashed(caller.auth_id if word == "me" and caller is not None and caller.auth_id else word)
    return await context.store.get(context.account.id, USER, user_id) or await _below(context, user_id)


async def by_number(context: DialectContext, number: int) -> Document | None:
    """The user of a number, if the account is the request's or below it."""
    key = await integer_ids.find(context.store, NUMBERS, number)
    if key is None or not await is_visible(context, key.partition):
        return None
    return await context.store.get(*key)


async def with_email(context: DialectContext, address: str) -> list[Document]:
    """The users of the account with a mail address, whatever its case."""
    condition = equals(at("email"), address)
    return await context.store.select(Selection((context.account.id,), USER, conditions=(condition,)))


async def is_visible(context: DialectContext, account_id: str) -> bool:
    """Whether an account is the request's or one below it."""
    account = await context.runtime.access.directory.account(account_id)
    return account is not None and account.within(context.account.id)


async def _below(context: DialectContext, user_id: str) -> Document | None:
    """The user of an id in one of the accounts below."""
    below = [account.id for account in await context.store.all(descendants_of(context.account.id))]
    for account_id in below:
        if (user := await context.store.get(account_id, USER, user_id)) is not None:
            return user
    return None


async def create(
    joint: JointChange, context: DialectContext, declaration: Declaration, values: Mapping[str, JSON]
) -> Document:
    """A new telephone user. Raises Invalid."""
    crossbar = await context.crossbar("PUT", "users")
    edit = Edit(None, await looked_up(context, values))
    declaration.write(edit, declaration.with_initial(values))
    complete_log_in(edit, None)
    await integer_ids.give(context.store, NUMBERS, edit)
    act_with_accesses(crossbar, context, None, edit)
    return await create_from(joint, context, crossbar, new_id(), edit)


async def create_from(
    joint: JointChange, context: DialectContext, crossbar: Context, user_id: str, edit: Edit
) -> Document:
    """A new user, who is what an edit says. Raises Invalid."""
    user = await joint.create(users.life, crossbar, user_id, edit.public, edit.private)
    digest_logins.keep(context.runtime, user, edit.public.get("password"), crossbar.account.realm)
    return user


async def change(
    joint: JointChange,
    context: DialectContext,
    declaration: Declaration,
    user: Document,
    values: Mapping[str, JSON],
) -> Document:
    """Give a user's properties other values. Raises Invalid."""
    found = await looked_up(context, values)
    return await _edit(joint, context, user, lambda edit: declaration.write(edit, values), found)


async def edit(context: DialectContext, user: Document, write: Callable[[Edit], None]) -> Document:
    """Save what `write` makes of a user. Who is renamed keeps his password. Raises Invalid."""
    return await jointly(context.store, lambda joint: _edit(joint, context, user, write))


async def _edit(
    joint: JointChange,
    context: DialectContext,
    user: Document,
    write: Callable[[Edit], None],
    found: Mapping[str, JSON] | None = None,
) -> Document:
    account = await context.runtime.access.directory.account(user.partition)
    crossbar = await context.crossbar("POST", "users", user.id, account=account)
    above = await outranks(context, user)
    renamed: list[Document] = []
    given: list[JSON] = []

    def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous, found)
        write(edit)
        complete_log_in(edit, previous)
        act_with_accesses(crossbar, context, previous, edit, above=above)
        if _is_renamed(edit, previous):
            renamed.append(previous)
            edit.put("password", new_secret(16))
        else:
            given.append(edit.public.get("password"))
        return edit.public, edit.private

    changing = await joint.edit(users.life, crossbar, user.id, changed)
    for before in renamed:
        _keep_digests(changing, before)
    for password in given:
        digest_logins.keep(context.runtime, changing, password, crossbar.account.realm)
    return changing


def _is_renamed(edit: Edit, previous: Document) -> bool:
    """Whether a user who logs in with a password gets another user name, and no new password."""
    username = str(edit.public.get("username") or "").lower()
    is_other = bool(username) and username != previous.text("username")
    return is_other and not edit.public.get("password") and bool(previous.text(MD5_FIELD))


def _keep_digests(renamed: Document, before: Document) -> None:
    """Let a user who is renamed keep the password from before.

    Digests are of user name and password together; `hashed_as` keeps the name in them. Crossbar's own log-in, whose
    clients make the hash of the new name, wants a new password.
    """
    hashed_as = {"username": hashed_name(before), "md5": before.fields.get(MD5_FIELD)}
    renamed.fields[ASIDE] = {**as_object(renamed.fields.get(ASIDE)), "hashed_as": hashed_as}
    for name in (MD5_FIELD, SHA1_FIELD):
        renamed.fields[name] = before.fields.get(name)


async def remove(joint: JointChange, context: DialectContext, user: Document) -> None:
    """End a user."""
    account = await context.runtime.access.directory.account(user.partition)
    crossbar = await context.crossbar("DELETE", "users", user.id, account=account)
    act_with_accesses(crossbar, context, user, None, above=await outranks(context, user))
    await joint.remove(users.life, crossbar, user.id)


async def looked_up(context: DialectContext, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """What homes have to know of other documents: the media of a music on hold."""
    name = values.get("musiconhold") or values.get("music_on_hold")
    if not isinstance(name, str) or not name:
        return {}
    media = await context.store.find_by_name(context.account.id, MEDIA, name)
    exact = [one for one in media if one.at("name") == name]
    return {"media_id": exact[0].id} if exact else {}


def complete_log_in(edit: Edit, previous: Document | None) -> None:
    """Give who has a password a user name, and who gets a first user name a password that nobody knows.

    KAZOO wants both together; a dialect sets one without the other. A made up user name shows as unset.
    """
    public = edit.public
    had_name = bool(previous and previous.text("username"))
    if public.get("password") is None:
        public.pop("password", None)
    if public.get("password") and not public.get("username"):
        public["username"] = f"user_{new_secret(8)}"
        edit.put_aside(f"exact.{USERNAME.name}", {"given": None, "stored": [public["username"]]})
    elif public.get("username") and not public.get("password") and not had_name:
        public["password"] = new_secret(16)


async def outranks(context: DialectContext, user: Document) -> bool:
    """Whether a user may do anything that the caller, whose rights are policies, may not."""
    caller = context.caller
    if caller is None or caller.rights != "policies" or user.id == caller.identity.owner_id:
        return False
    return is_admin(user) or caller.accesses.missing(await given_to(context.store, user)) is not None


def is_admin(user: Document) -> bool:
    """Whether a user is an administrator of Crossbar's."""
    return user.text("priv_level") == ADMIN


def act_with_accesses(
    crossbar: Context, context: DialectContext, previous: Document | None, edit: Edit | None, *, above: bool = False
) -> None:
    """Let who has the accesses for it change users, but nobody get further rights by that.

    Whose rights are policies may change whatever a dialect has of other users, but not the log-ins of those who may do
    more (`above`). Raises Forbidden.
    """
    caller = context.caller
    if caller is None or caller.rights != "policies" or caller.identity.is_account_admin:
        return
    if above and previous is not None:
        after = {} if edit is None else edit.public
        changed = any(value_at(after, field) != previous.at(field) for field in LOG_IN_FIELDS)
        if edit is None or changed or edit.public.get("password"):
            raise Forbidden
    crossbar.caller = caller.identity.trusted_with_log_ins()
