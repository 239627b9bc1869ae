"""Mail: what endpoints send, written to the spool at once and delivered in the background.

Nothing here delays or fails a request: a message that cannot be written is a line in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from jinja2 import TemplateError

from crossbar.config import Config
from crossbar.events.letters import BadAddress, letter
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
    """Sends letters; `config` is asked at each use."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._postman = Postman(self._spool, lambda: config().mail)

    def _spool(self) -> Spool:
        return Spool(spool_folder(self._config()))

    async def send(self, template: str, to: str, told: Mapping[str, Any]) -> None:
        """Put a letter into the spool and let it be delivered."""
        try:
            message = letter(template, sender=self._config().mail.sender, to=to, told=told)
        except (BadAddress, TemplateError) as error:
            log.warning("mail %s cannot be sent: %s", template, error)
            return
        await self.post(message, template)

    async def post(self, message: EmailMessage, about: str) -> bool:
        """Put a finished message into the spool and let it be delivered; whether the spool took it."""
        try:
            entry_id = await asyncio.to_thread(self._spool().put, message)
        except OSError as error:
            log.warning("mail %s cannot be sent: %s", about, error)
            return False
        log.info("mail %s (%s) is in the spool", entry_id, about)
        self._postman.wake()
        return True

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
