"""Notifications as events: what hooks, feeds and sockets are told when the installation tells somebody something.

Source: KAZOO `core/kazoo_amqp/src/api/kapi_notifications.erl`.
"""

from __future__ import annotations

from crossbar import __version__
from crossbar.documents.event import NOTIFICATION
from crossbar.errors import JSON
from crossbar.ids import new_id
from crossbar.runtime import Runtime


async def raise_notification(runtime: Runtime, account_id: str, name: str, *, about_id: str = "", **keys: JSON) -> None:
    """Raise a notification of an account; `keys` are those that it has beside the common ones."""
    message_id, node = new_id(), runtime.settings.node
    body: dict[str, JSON] = {
        **keys,
        "account_id": account_id,
        "event_category": NOTIFICATION,
        "event_name": name,
        "app_name": "crossbar",
        "app_version": __version__,
        "msg_id": message_id,
        "node": node,
        "server_id": node,
        "system_log_id": message_id,
    }
    await runtime.store.event_log.raise_event(account_id, NOTIFICATION, name, body, about=name, about_id=about_id)
