# SPDX-License-Identifier: MPL-2.0
"""What the installation tells people and programs: mail, alerts, webhooks, sockets."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.events.callbacks import CALLBACK_SHAPE
from crossbar.events.notices import NOTICE_SHAPE
from crossbar.resources.notices.alerts import alerts
from crossbar.resources.notices.domain import (
    account_letters,  # noqa: F401 - these say which letters notices become
    balance_letters,  # noqa: F401
    call_letters,  # noqa: F401
    fax_letters,  # noqa: F401
    identity_letters,  # noqa: F401
    sent_mail,
    socket_register,
    voicemail_letters,  # noqa: F401
)
from crossbar.resources.notices.domain.balance_notice import balance_notices
from crossbar.resources.notices.domain.callback_deliveries import calling_back
from crossbar.resources.notices.domain.event_relaying import relaying
from crossbar.resources.notices.domain.mail_service import mail_service
from crossbar.resources.notices.domain.webhook_attempt import ATTEMPT_SHAPE
from crossbar.resources.notices.domain.webhook_deliveries import delivering
from crossbar.resources.notices.events import events
from crossbar.resources.notices.notifications import notifications
from crossbar.resources.notices.webhooks import webhooks
from crossbar.resources.notices.websockets import websockets
from crossbar.resources.notices.websockets.socket_connection import serving_sockets
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    alerts,
    events,
    notifications,
    webhooks,
    websockets,
)
SHAPES: Final[tuple[Shape, ...]] = (
    ATTEMPT_SHAPE,
    CALLBACK_SHAPE,
    NOTICE_SHAPE,
    sent_mail.LOG_SHAPE,
    socket_register.WEBSOCKET_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (
    mail_service,
    balance_notices,
    relaying,
    delivering,
    calling_back,
    serving_sockets,
)
