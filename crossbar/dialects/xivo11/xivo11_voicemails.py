# SPDX-License-Identifier: MPL-2.0
"""`/1.1/voicemails`: voicemail boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from crossbar.dialects import box_homes, boxes, telephone_users, user_homes
from crossbar.dialects.declaration import ABSENT, Declaration, Property
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Aside
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.xivo11 import xivo11_values
from crossbar.dialects.xivo11.xivo11_contexts import require_context
from crossbar.dialects.xivo11.xivo11_lists import ListRules
from crossbar.dialects.xivo11.xivo11_protocol import input_error, links, resource_error
from crossbar.dialects.xivo11.xivo11_resource import Xivo11Resource
from crossbar.dialects.xivo11.xivo11_values import given
from crossbar.documents.document import Document
from crossbar.errors import JSON

LONGEST_MAILBOX: Final = 30
BOOLEAN, TEXT = xivo11_values.BOOLEAN, xivo11_values.TEXT


def _aside(name: str, kind: Any, unset: JSON = None, initial: Any = ABSENT, **more: Any) -> Property:
    return Property(name, kind, Aside(name), unset, initial, **more)


VOICEMAILS: Final = Declaration(
    "voicemails",
    "Voicemail",
    boxes.NUMBERS,
    (
        given("id", also=("accesstype",)),
        given("tenant_uuid"),
        Property("name", xivo11_values.text(80), box_homes.NAME, is_required=True, is_nullable=False, is_column=True,
                 is_searched=True),
        Property("number", xivo11_values.numeric(40), box_homes.MAILBOX, is_required=True, is_nullable=False,
                 is_column=True, is_searched=True),
        Property("context", TEXT, box_homes.CONTEXT, "default", is_required=True, is_nullable=False, is_column=True),
        Property("password", xivo11_values.numeric(80), box_homes.PIN),
        Property("email", TEXT, box_homes.EMAIL, is_column=True, is_searched=True),
        _aside("pager", TEXT, is_column=True, is_searched=True),
        _aside("language", xivo11_values.LANGUAGE, is_column=True),
        Property("timezone", xivo11_values.ZONE, box_homes.TIMEZONE, is_column=True),
        _aside("max_messages", xivo11_values.ANY_INTEGER),
        Property("attach_audio", BOOLEAN, box_homes.ATTACH, initial=None),
        Property("delete_messages", BOOLEAN, box_homes.DELETE_AFTER, False, False, is_nullable=False),
        Property("ask_password", BOOLEAN, box_homes.ASK_PIN, True, True, is_nullable=False),
        _aside("enabled", BOOLEAN, True, True, is_nullable=False),
        _aside("options", xivo11_values.PAIRS, [], []),
        given("users"),
        given("links"),
    ),
)  # fmt: skip


class Voicemails11:
    """Voicemail boxes, as 1.1 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The box of a number."""
        return await boxes.find(context, word)

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new box."""
        _check(context, values)
        return await boxes.create(context, VOICEMAILS, values)

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""
        _check(context, values)
        await boxes.change(context, VOICEMAILS, document, values)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a box that nobody has."""
        people = await boxes.users_of(context, document)
        if people:
            facts = {"voicemail_id": boxes.NUMBERS.of(document), "user_id": telephone_users.NUMBERS.of(people[0])}
            raise resource_error("Voicemail is associated with a User", **facts)
        await boxes.remove(context, document)

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """Ids, and who has each box."""
        people = await boxes.users_of_all(context, documents)
        return [
            {
                "id": boxes.NUMBERS.of(box),
                "tenant_uuid": dashed(box.partition),
                "users": [_user_link(context.base, user) for user in people[box.id]],
                "links": links(context.base, ("voicemails", "voicemails", boxes.NUMBERS.of(box))),
            }
            for box in documents
        ]


def _user_link(base: str, user: Document) -> dict[str, JSON]:
    return {
        "uuid": dashed(user.id),
        "firstname": user_homes.FIRST_NAME.read(user.fields),
        "lastname": user_homes.LAST_NAME.read(user.fields),
        "links": links(base, ("users", "users", dashed(user.id))),
    }


def _check(context: DialectContext, values: dict[str, JSON]) -> None:
    require_context(context, values.get("context"))
    if len(str(values.get("number") or "")) > LONGEST_MAILBOX:
        raise input_error(f"number: Longer than maximum length {LONGEST_MAILBOX}.")


RESOURCE: Final = Xivo11Resource(
    "voicemails", "vmboxes", ListRules(VOICEMAILS, order="number", indexed="name"), Voicemails11(), refuses_unknown=True
)
RESOURCE.mount()
