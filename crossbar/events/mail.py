# SPDX-License-Identifier: MPL-2.0
"""Mail: messages, written to the spool at once and delivered in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from crossbar.config import Config
from crossbar.documents.dry_run import refuse_dry
from crossbar.events.postman import Postman
from crossbar.events.spool import Spool

log = logging.getLogger(__name__)

FOLDER: Final = "mail"
GRACE_SECONDS: Final = 5.0
"""How long the message in hand may take when the server ends; cut off, it is sent again later."""


def spool_folder(config: Config) -> Path:
    """Where messages lie: the configured folder, else `mail` in the data folder."""
    return config.mail.spool or config.server.data / FOLDER


class Mail:
    """Sends messages; `config` is asked at each use."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._postman = Postman(self._spool, lambda: config().mail)

    def _spool(self) -> Spool:
        return Spool(spool_folder(self._config()))

    async def post(self, message: EmailMessage, about: str) -> bool:
        """Put a finished message into the spool and let it be delivered; whether the spool took it."""
        refuse_dry("sends a letter")
        try:
            entry_id = await asyncio.to_thread(self._spool().put, message)
        except OSError as error:
            log.warning("mail %s cannot be sent: %s", about, error)
            return False
        log.info("mail %s (%s) is in the spool", entry_id, about)
        self._postman.wake()
        return True

    async def hold(self, message: EmailMessage, about: str) -> str:
        """Put a message into the spool that is not to be delivered yet, and return its id, which ends in `about`.

        Raises OSError when the disk does not take it.
        """
        refuse_dry("sends a letter")
        return await asyncio.to_thread(self._spool().hold, message, about)

    async def release(self, entry_id: str) -> bool:
        """Let a message be delivered that was held; whether it lay in this server's spool."""
        released = await asyncio.to_thread(self._spool().release, entry_id)
        self._postman.wake()
        return released

    async def discard(self, entry_id: str) -> None:
        """Forget a message that was held."""
        await asyncio.to_thread(self._spool().discard, entry_id)

    async def held(self) -> list[str]:
        """The ids of the messages that were neither released nor discarded, the oldest first."""
        return await asyncio.to_thread(self._spool().held)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Deliver while the block runs."""
        task = asyncio.create_task(self._postman.run(), name="postman")
        try:
            yield
        finally:
            self._postman.stop()
            # Stopped, not only cancelled: a cancellation that meets the end of a network call can be lost.
            await asyncio.wait({task}, timeout=GRACE_SECONDS)
            task.cancel()
