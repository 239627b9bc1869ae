# SPDX-License-Identifier: MPL-2.0
"""The uuid of an installation: made once, and kept in its database."""

from __future__ import annotations

from crossbar.dialects.identifiers import dashed
from crossbar.dialects.shapes import SERVER
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.store import Duplicate, Store
from crossbar.errors import SystemFault
from crossbar.ids import new_id


async def server_id(store: Store) -> str:
    """The installation's uuid."""
    known = await store.get(SYSTEM_DATA, SERVER, SERVER)
    if known is None:
        try:
            known = await store.insert(Document(SYSTEM_DATA, SERVER, SERVER, {"pvt_uuid": new_id()}))
        except Duplicate:
            known = await store.get(SYSTEM_DATA, SERVER, SERVER)
    if known is None:
        raise SystemFault("datastore_fault")
    return dashed(str(known.fields["pvt_uuid"]))
