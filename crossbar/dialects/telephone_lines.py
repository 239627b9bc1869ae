# SPDX-License-Identifier: MPL-2.0
"""Lines and SIP endpoints as dialects make, change and end them.

A line with its endpoint is a device of KAZOO's, and goes through the life cycle of devices. A line without an endpoint,
or an endpoint without a line, is nothing KAZOO could have: it is a document of a type of its own until both come
together, with the same fields in the same places.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any, Final

from crossbar.access.authorship import stamps
from crossbar.dialects import integer_ids, telephone_users
from crossbar.dialects.declaration import Declaration
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE, Edit, Fitted, fitted
from crossbar.dialects.identifiers import as_number
from crossbar.dialects.integer_ids import Kind
from crossbar.dialects.shapes import ENDPOINT, LINE
from crossbar.dialects.wiring import LINES
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import DEVICE
from crossbar.documents.store import Duplicate
from crossbar.endpoint import Context, JointChange, jointly
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.ids import new_id
from crossbar.resources.identity.devices import devices
from crossbar.resources.identity.domain.sip_username import SIP_TAKEN

LETTERS: Final = string.ascii_lowercase + string.digits
CODE_TRIES: Final = 20


def _username(value: JSON) -> JSON:
    text = str(value)[:32]
    return text if len(text) >= 2 else f"{text}_"


def _secret(value: JSON) -> JSON:
    text = str(value)[:32]
    return text if len(text) >= 5 else text.ljust(5, "_")


USERNAME: Final[Fitted] = fitted("sip_username", "sip.username", _username)
SECRET: Final[Fitted] = fitted("sip_secret", "sip.password", _secret)


def random_word() -> str:
    """Eight lower-case letters and digits."""
    return "".join(secrets.choice(LETTERS) for _ in range(8))


def random_code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(10**6):06}"


async def find(context: DialectContext, kind: Kind, word: str) -> Document:
    """The line or endpoint of a number. Raises NotFound."""
    number = as_number(word)
    key = None if number is None else await integer_ids.find(context.store, kind, number)
    if key is None or not await telephone_users.is_visible(context, key.partition):
        raise NotFound(word)
    document = await context.store.get(*key)
    if document is None:
        raise NotFound(word)
    return document


async def create_apart(
    context: DialectContext, kind: Kind, document_type: str, declaration: Declaration, values: Mapping[str, JSON]
) -> Document:
    """A new line without endpoint, or endpoint without line. Raises Invalid."""
    crossbar = await context.crossbar("PUT", "devices")
    edit = Edit()
    declaration.write(edit, declaration.with_initial(values))
    await integer_ids.give(context.store, kind, edit)
    document = Document(context.account.id, document_type, new_id(), {**edit.public, **edit.private})
    document.fields.update(stamps(crossbar.author, document))
    try:
        return await context.store.insert(document)
    except Duplicate as duplicate:
        raise _taken(duplicate) from duplicate


async def change(
    context: DialectContext, declaration: Declaration, document: Document, values: Mapping[str, JSON]
) -> Document:
    """Other values for a line, or an endpoint, or what is both. Raises Invalid."""

    def edited(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous)
        declaration.write(edit, values)
        return edit.public, edit.private

    try:
        return await jointly(context.store, lambda joint: edit_line(joint, context, document, edited))
    except Duplicate as duplicate:
        raise _taken(duplicate) from duplicate


async def edit_line(joint: JointChange, context: DialectContext, document: Document, edited: Any) -> Document:
    """Change to what `edited` makes of a line or endpoint, of whichever type. Raises Invalid, NotFound."""
    crossbar = await crossbar_of(context, "POST", document)
    if document.type == DEVICE:
        return await joint.edit(devices.life, crossbar, document.id, edited)

    def change_apart(stored: Document) -> None:
        public, private = edited(stored)
        kept = {key: value for key, value in stored.fields.items() if key.startswith("pvt_")}
        stored.fields = {**public, **kept, **private}
        stored.fields.update(stamps(crossbar.author, stored))

    return await joint.update(document, change_apart)


async def remove_apart(context: DialectContext, document: Document) -> None:
    """End a line that has no endpoint, or an endpoint that is on no line."""
    await crossbar_of(context, "DELETE", document)

    async def gone(joint: JointChange) -> None:
        joint.drop(await joint.current(document))

    await jointly(context.store, gone)


async def crossbar_of(context: DialectContext, verb: str, document: Document) -> Context:
    """The request of Crossbar's on a device that says the same."""
    account = await context.runtime.access.directory.account(document.partition)
    return await context.crossbar(verb, "devices", document.id, account=account)


async def merge(context: DialectContext, line: Document, endpoint: Document) -> Document:
    """Bring a line and an endpoint together: a device of KAZOO's takes the place of both. Raises Invalid, NotFound."""
    crossbar = await crossbar_of(context, "PUT", line)

    async def together(joint: JointChange) -> Document:
        one, other = await joint.current(line), await joint.current(endpoint)
        for document in (one, other):
            joint.drop(document)
        sip = as_object(other.at("sip"))
        data: dict[str, JSON] = {"name": sip.get("username") or f"line {LINES.of(one)}", "sip": {**sip}}
        return await joint.create(devices.life, crossbar, new_id(), data, {ASIDE: _together(one, other)})

    return await jointly(context.store, together)


async def part(context: DialectContext, device: Document) -> None:
    """Make of a device a line and an endpoint again. Raises NotFound."""
    crossbar = await crossbar_of(context, "DELETE", device)

    async def apart(joint: JointChange) -> None:
        stored = await joint.remove(devices.life, crossbar, device.id)
        aside = as_object(stored.fields.get(ASIDE))
        numbers = as_object(aside.get("numbers"))
        line: dict[str, JSON] = {"line": as_object(aside.get("line")), "numbers": {"lines": numbers["lines"]}}
        kept: dict[str, JSON] = {name: aside[name] for name in ("endpoint", "exact") if name in aside}
        endpoint: dict[str, JSON] = {**kept, "numbers": {"endpoints_sip": numbers["endpoints_sip"]}}
        for document in (
            Document(device.partition, LINE, new_id(), {ASIDE: line}),
            Document(device.partition, ENDPOINT, new_id(), {"sip": stored.at("sip"), ASIDE: endpoint}),
        ):
            document.fields.update(stamps(crossbar.author, document))
            joint.insert(document)

    await jointly(context.store, apart)


def _together(line: Document, endpoint: Document) -> dict[str, JSON]:
    one, other = as_object(line.fields.get(ASIDE)), as_object(endpoint.fields.get(ASIDE))
    both = {**other, **one}
    for key in ("numbers", "exact"):
        both[key] = {**as_object(other.get(key)), **as_object(one.get(key))}
    return both


def _taken(duplicate: Duplicate) -> Invalid:
    name, _, value = str(duplicate.claim).partition("\x01")
    place = "sip.username" if name == "sip.username" else f"{ASIDE}.line.provisioning_code"
    return Invalid.field(place, "unique", SIP_TAKEN, cause=value)
