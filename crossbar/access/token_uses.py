# SPDX-License-Identifier: MPL-2.0
"""When named tokens were last used, which is noted apart from the token, whose revision that does not change."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from crossbar import clock
from crossbar.access.secret_token import SecretToken
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import CrossbarError

log = logging.getLogger(__name__)

USE_TYPE: Final = "access_token_use"
TOKEN_USE_SHAPE: Final = Shape(USE_TYPE, summary=Summary("id", last_used="pvt_last_used"), moves=False)
NOTED_SECONDS: Final = 60.0
"""So often at most each worker notes that a token is used."""


class TokenUses:
    """Notes uses in the store, behind the requests and not too often."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[str, float] = {}
        """When the use of which token was last noted, the earliest first; those whose time is over go."""
        self._noting: set[asyncio.Task[None]] = set()

    def note(self, token: SecretToken) -> None:
        """Note that a token is used just now."""
        now = clock.unix_now()
        while self._noted and now - self._noted[earliest := next(iter(self._noted))] >= NOTED_SECONDS:
            del self._noted[earliest]
        if token.id in self._noted:
            return
        self._noted[token.id] = now
        task = asyncio.create_task(self._keep(token))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    @property
    def lately(self) -> int:
        """How many tokens it remembers as used, which is no more than were within `NOTED_SECONDS`."""
        return len(self._noted)

    async def settle(self) -> None:
        """Return when all uses are noted."""
        if self._noting:
            await asyncio.wait(set(self._noting))

    async def _keep(self, token: SecretToken) -> None:
        now = clock.now()

        def later(document: Document) -> bool:
            document.fields["pvt_last_used"] = now
            return True

        fresh = Document(token.account_id, USE_TYPE, token.id, {"pvt_type": USE_TYPE, "pvt_created": now})
        try:
            await self._store.create_or_update(fresh, later)
        except CrossbarError as error:
            log.warning("the use of token %s is not noted: %s", token.id, error)
