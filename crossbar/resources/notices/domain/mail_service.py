# SPDX-License-Identifier: MPL-2.0
"""One worker's mail: the way to the spool, the delivery from there, and the notices that become letters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from crossbar.background import in_background
from crossbar.events.mail import Mail
from crossbar.resources.notices.domain.notice_mail import NoticeMail
from crossbar.runtime import Runtime

MAIL: Final = web.AppKey("mail", Mail)


@asynccontextmanager
async def mail_service(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Make letters of notices, and deliver them, while the server runs."""
    mail = app[MAIL] = Mail(lambda: runtime.config)
    notices = NoticeMail(runtime, mail)
    async with (
        mail.delivering(),
        in_background(notices.run(), name="notices"),
        in_background(notices.look_after(), name="notices left behind"),
    ):
        yield
