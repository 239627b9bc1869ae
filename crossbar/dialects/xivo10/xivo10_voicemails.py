# SPDX-License-Identifier: MPL-2.0
"""`/1.0/voicemails`: voicemail boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossbar.dialects import box_homes, boxes
from crossbar.dialects.declaration import Declaration, Property
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.xivo10.xivo10_protocol import (
    FLAG,
    INTEGER,
    NOT_FLAG,
    TEXT,
    Xivo10Resource,
    wrong_parameters,
)
from crossbar.documents.document import Document
from crossbar.errors import JSON

VOICEMAILS: Final = Declaration(
    "voicemails",
    "Voicemail",
    boxes.NUMBERS,
    (
        Property("id", INTEGER, is_read_only=True),
        Property("uniqueid", INTEGER, is_read_only=True),
        Property("mailbox", TEXT, box_homes.MAILBOX, "", is_required=True),
        Property("fullname", TEXT, box_homes.NAME, "", None),
        Property("password", TEXT, box_homes.PIN, ""),
        Property("email", TEXT, box_homes.EMAIL, ""),
        Property("attach", FLAG, box_homes.ATTACH, 0, False),
        Property("skipcheckpass", NOT_FLAG, box_homes.ASK_PIN, 1, True),
        Property("deleteaftersend", FLAG, box_homes.DELETE_AFTER, 0, False),
    ),
)


class Voicemails10:
    """Voicemail boxes, as 1.0 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The box of a number. Raises NotFound."""
        return await boxes.find(context, word)

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new box."""
        if values.get("mailbox") is None:
            raise wrong_parameters(["mailbox"])
        return await boxes.create(context, VOICEMAILS, values)

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""
        await boxes.change(context, VOICEMAILS, document, values)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a box; its users have none then."""
        await boxes.remove(context, document)

    async def worked_out(self, _: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """The number, under both of its names."""
        return [dict.fromkeys(("id", "uniqueid"), boxes.NUMBERS.of(box)) for box in documents]


RESOURCE: Final = Xivo10Resource(VOICEMAILS, "vmboxes", Voicemails10())
RESOURCE.mount()
