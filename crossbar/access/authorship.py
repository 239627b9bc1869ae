# SPDX-License-Identifier: MPL-2.0
"""Who changes a document: what each save notes of it in private fields.

Source: `crossbar_doc.erl` (`update_pvt_parameters`).
"""

from __future__ import annotations

from dataclasses import dataclass

from crossbar import clock
from crossbar.access.identity import Identity
from crossbar.documents.document import Document, display_name
from crossbar.documents.shape import alphanumeric
from crossbar.errors import JSON


@dataclass(frozen=True, slots=True)
class Author:
    """The request that changes a document, who makes it (None: nobody known), from which address (if one is known)."""

    request_id: str
    identity: Identity | None
    client_ip: str = ""


def stamps(author: Author, document: Document) -> dict[str, JSON]:
    """The private fields that every save writes (`crossbar_doc:update_pvt_parameters`)."""
    now, identity = clock.now(), author.identity
    fields: dict[str, JSON] = {
        "pvt_type": document.type,
        "pvt_account_id": document.fields.get("pvt_account_id", document.partition),
        "pvt_created": document.fields.get("pvt_created", now),
        "pvt_modified": now,
        "pvt_vsn": document.fields.get("pvt_vsn", "1"),
        "pvt_request_id": author.request_id,
        "pvt_is_authenticated": identity is not None,
    }
    if author.client_ip or "pvt_client_ip" in document.fields:
        fields["pvt_client_ip"] = author.client_ip
    if identity is not None:
        fields["pvt_auth_account_id"] = identity.account_id
        if identity.owner_id:
            fields["pvt_auth_user_id"] = identity.owner_id
        if identity.original_account_id:
            fields["pvt_original_auth_account_id"] = identity.original_account_id
        if identity.original_owner_id:
            fields["pvt_original_auth_owner_id"] = identity.original_owner_id
    if name := display_name(document.fields):
        fields["pvt_alphanum_name"] = alphanumeric(name)
    return fields
