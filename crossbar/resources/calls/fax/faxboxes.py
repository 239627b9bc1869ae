# SPDX-License-Identifier: MPL-2.0
"""Fax boxes: how an account sends faxes, and the mail addresses under which it can.

Source: KAZOO `cb_faxboxes`, `kzd_faxbox.erl`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.document_types import FAXBOX
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Collection, Context, Draft
from crossbar.errors import JSON
from crossbar.ids import new_secret

ADDRESS: Final = "pvt_smtp_email_address"
"""The mail domain of the box; the part before the `@` of a letter is the number to fax to."""


class WithAddress(Summary):
    """The whole public document, and its mail domain."""

    def of(self, document: Document) -> dict[str, JSON]:
        """The row for `document`."""
        return {**document.public, "smtp_email_address": document.at(ADDRESS)}


def claims(faxbox: Document) -> Iterator[Unique]:
    """The mail addresses, which no second box of any account may have."""
    for path, field in ((ADDRESS, "smtp_email_address"), ("custom_smtp_email_address",) * 2):
        if address := faxbox.text(path):
            message = "email address must be unique"
            yield Unique("faxbox.address", address.lower(), field, message, cause=address, system=True)


faxboxes = Collection(
    "faxboxes",
    "/accounts/{account_id}/faxboxes/{faxbox_id}",
    Shape(FAXBOX, summary=WithAddress(), unique=claims),
    schema="faxbox",
)


@faxboxes.normalize
async def drop_address(context: Context, draft: Draft) -> None:
    """Clients send back what they were shown."""
    draft.data.pop("smtp_email_address", None)


@faxboxes.finish
async def make_address(context: Context, draft: Draft) -> None:
    """A box gets its mail domain once."""
    if draft.previous is None:
        draft.private[ADDRESS] = f"{new_secret(4)}.{context.config.media.fax_smtp_domain}"


@faxboxes.show
async def show_address(context: Context, faxbox: Document, public: dict[str, Any]) -> None:
    """Tell the mail domain to who saves a box; the list has it for everybody else."""
    if context.verb != "GET":
        public["smtp_email_address"] = faxbox.at(ADDRESS)
