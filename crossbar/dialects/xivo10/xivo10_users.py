# SPDX-License-Identifier: MPL-2.0
"""`/1.0/users`: people and their telephones' settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossbar.dialects import boxes, telephone_users, user_homes
from crossbar.dialects.declaration import Declaration, Property
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Aside
from crossbar.dialects.xivo10.xivo10_protocol import FLAG, INTEGER, TEXT, Xivo10Resource, wrong_parameters
from crossbar.documents.document import Document
from crossbar.endpoint import JointChange, jointly
from crossbar.errors import JSON

USERS: Final = Declaration(
    "users",
    "User",
    telephone_users.NUMBERS,
    (
        Property("id", INTEGER, is_read_only=True),
        Property("firstname", TEXT, user_homes.FIRST_NAME, "", None),
        Property("lastname", TEXT, user_homes.LAST_NAME, "", None),
        Property("callerid", TEXT, user_homes.CALLER_NAME, ""),
        Property("username", TEXT, user_homes.USERNAME, ""),
        Property("password", TEXT, user_homes.PASSWORD, "", is_secret=True),
        Property("enableclient", FLAG, Aside("enableclient"), 0),
        Property("musiconhold", TEXT, user_homes.MUSIC_ON_HOLD, ""),
        Property("outcallerid", TEXT, user_homes.OUTGOING_CALLER_ID, ""),
        Property("mobilephonenumber", TEXT, user_homes.MOBILE, ""),
        Property("userfield", TEXT, user_homes.USERFIELD, ""),
        Property("timezone", TEXT, user_homes.TIMEZONE, ""),
        Property("language", TEXT, user_homes.LANGUAGE, ""),
        Property("description", TEXT, user_homes.DESCRIPTION, ""),
        Property("cti_profile_id", INTEGER, Aside("cti_profile_id"), also=("ctiprofileid",)),
        Property("voicemailid", INTEGER),
        Property("agentid", INTEGER, Aside("agent_id")),
        Property("entityid", INTEGER, Aside("entity_id")),
        Property("email", TEXT, user_homes.EMAIL, ""),
    ),
)


class Users10:
    """Users, as 1.0 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The user of a number. Raises NotFound."""
        return await telephone_users.find(context, word)

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new user, with a voicemail box if one is named."""
        box = await _named_box(context, values)

        async def with_box(joint: JointChange) -> Document:
            user = await telephone_users.create(joint, context, USERS, values)
            if box is not None:
                await boxes.associate(joint, context, user, box)
            return user

        return await jointly(context.store, with_box)

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values; another voicemail box, or with null none."""
        box = await _named_box(context, values)

        async def with_box(joint: JointChange) -> None:
            changed = await telephone_users.change(joint, context, USERS, document, values)
            if box is not None:
                await boxes.associate(joint, context, changed, box)
            elif "voicemailid" in values:
                await boxes.dissociate(joint, context, changed)

        await jointly(context.store, with_box)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a user; the voicemail box stays."""
        await boxes.remove_user(context, document)

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """The number, and that of the voicemail box."""
        theirs = await boxes.boxes_of(context, documents)
        return [
            {
                "id": telephone_users.NUMBERS.of(user),
                "voicemailid": boxes.NUMBERS.of(theirs[user.id]) if user.id in theirs else None,
            }
            for user in documents
        ]


async def _named_box(context: DialectContext, values: dict[str, JSON]) -> Document | None:
    number = values.get("voicemailid")
    if not isinstance(number, int):
        return None
    box = await boxes.by_number(context, number)
    if box is None or box.partition != context.account.id:
        raise wrong_parameters(["voicemailid"])
    return box


RESOURCE: Final = Xivo10Resource(USERS, "users", Users10())
RESOURCE.mount()
