# SPDX-License-Identifier: MPL-2.0
"""Log-ins: users of Crossbar's as wazo-auth makes, changes and ends them, through the same life cycle."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from crossbar.dialects import boxes, telephone_users, user_homes
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE, Edit, Home
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.wazo_auth.wazo_protocol import conflict, invalid, unknown
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import USER
from crossbar.endpoint import JointChange, jointly
from crossbar.errors import JSON, Invalid
from crossbar.ids import new_id

PURPOSES: Final = ("user", "internal", "external_api")
FIELDS: Final = {
    "username": "username",
    "email": "email_address",
    "first_name": "firstname",
    "last_name": "lastname",
    "password": "password",
}
"""KAZOO's fields by wazo-auth's."""
LONGEST: Final = {"username": 256, "firstname": 128, "lastname": 128}


async def find(context: DialectContext, word: str) -> Document:
    """The user of a UUID, in the tenant or below, `me` being who calls. Refuses with 404."""
    user = await telephone_users.by_uuid(context, word)
    if user is None:
        raise unknown("users", word)
    account = await context.runtime.access.directory.account(user.partition)
    await context.crossbar("GET", "users", user.id, account=account)
    return user


def shown(user: Document) -> dict[str, JSON]:
    """A user as clients see him."""
    fields = user.fields
    return {
        "uuid": dashed(user.id),
        "username": user_homes.USERNAME.read(fields),
        "firstname": user_homes.FIRST_NAME.read(fields),
        "lastname": user_homes.LAST_NAME.read(fields),
        "purpose": purpose_of(user),
        "enabled": user.at("enabled") is not False,
        "tenant_uuid": dashed(user.partition),
        "authentication_method": "default",
        "emails": emails_of(user),
    }


def purpose_of(user: Document) -> str:
    """What a user is for."""
    return str(user.at(f"{ASIDE}.purpose", PURPOSES[0]))


def emails_of(user: Document) -> list[JSON]:
    """The addresses of a user, the main one first: that is KAZOO's."""
    kept = {one.get("address"): one for one in as_list(user.at(f"{ASIDE}.emails")) if isinstance(one, dict)}
    main = user.text("email")
    found = [_email(main, kept.get(main, {}), main=True)] if main else []
    return [*found, *(_email(address, one, main=False) for address, one in kept.items() if address != main)]


def _email(address: JSON, kept: Mapping[str, JSON], *, main: bool) -> dict[str, JSON]:
    made_up = str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{address}"))
    confirmed = kept.get("confirmed", True)
    return {"uuid": kept.get("uuid", made_up), "address": address, "main": main, "confirmed": confirmed}


def checked(body: Mapping[str, JSON], *, needs_username: bool) -> dict[str, Any]:
    """The fields of a user in a body. Raises 400 with everything that is wrong."""
    wrong: dict[str, str] = {}
    for name in ("username", "password", "firstname", "lastname", "email_address", "uuid"):
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            wrong[name] = "Not a valid string."
        elif isinstance(value, str) and len(value) > LONGEST.get(name, 1024):
            wrong[name] = f"Longer than maximum length {LONGEST.get(name, 1024)}."
    if body.get("username") == "" or (needs_username and body.get("username") is None and "username" in body):
        wrong["username"] = "Shorter than minimum length 1."
    if not isinstance(body.get("enabled", True), bool):
        wrong["enabled"] = "Not a valid boolean."
    if body.get("purpose", "user") not in PURPOSES:
        wrong["purpose"] = f"Must be one of: {', '.join(PURPOSES)}."
    given = body.get("uuid")
    if isinstance(given, str) and undashed(given) == given and len(given) != 32:
        wrong["uuid"] = "Not a valid UUID."
    if wrong:
        raise invalid("users", wrong)
    return {name: body[name] for name in (*LONGEST, "password", "email_address", "uuid", "enabled", "purpose")
            if name in body}  # fmt: skip


def write(edit: Edit, values: Mapping[str, Any]) -> None:
    """Put a user's fields where they live; what is missing in `values` stays."""
    homes: dict[str, Home] = {
        "firstname": user_homes.FIRST_NAME,
        "lastname": user_homes.LAST_NAME,
        "username": user_homes.USERNAME,
        "password": user_homes.PASSWORD,
        "email_address": user_homes.EMAIL,
        "enabled": user_homes.ENABLED,
    }
    for name, home in homes.items():
        if name in values:
            home.write(edit, values[name])
    if "purpose" in values:
        edit.put_aside("purpose", values["purpose"])


async def create(context: DialectContext, values: dict[str, Any]) -> Document:
    """A new user; with the UUID of one who has no log-in yet, that one gets it. Refuses with 400, 409."""
    user_id = undashed(values["uuid"]) if values.get("uuid") else new_id()
    known = await context.store.get(context.account.id, USER, user_id)
    complete = {"firstname": None, "lastname": None, "enabled": True, "purpose": PURPOSES[0], **values}
    if known is not None:
        if known.text("username"):
            raise conflict("users", "uuid", dashed(user_id))
        return await change(context, known, values)
    crossbar = await context.crossbar("PUT", "users")
    edit = Edit()
    write(edit, complete)
    telephone_users.complete_log_in(edit, None)
    telephone_users.act_with_accesses(crossbar, context, None, edit)

    async def made(joint: JointChange) -> Document:
        return await telephone_users.create_from(joint, context, crossbar, user_id, edit)

    return await _translated(jointly, context.store, made, values=values)


async def change(context: DialectContext, user: Document, values: Mapping[str, Any]) -> Document:
    """Other fields for a user. Refuses with 400, 409."""
    return await _translated(telephone_users.edit, context, user, lambda edit: write(edit, values), values=values)


async def remove(context: DialectContext, user: Document) -> None:
    """End a user."""
    await boxes.remove_user(context, user)


async def _translated(work: Callable[..., Any], *args: Any, values: Mapping[str, Any]) -> Document:
    """Save, and say what the life cycle found wrong as wazo-auth does."""
    try:
        saved: Document = await work(*args)
    except Invalid as error:
        for path, codes in error.fields.items():
            name = FIELDS.get(path, path)
            if "unique" in codes:
                raise conflict("users", name, values.get(name)) from error
        wrong = {
            FIELDS.get(path, path): "; ".join(str(one.get("message")) for one in codes.values())
            for path, codes in error.fields.items()
        }
        raise invalid("users", wrong) from error
    return saved
