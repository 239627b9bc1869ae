# SPDX-License-Identifier: MPL-2.0
"""Presence as switches tell of it: the state of each extension, and who has subscribed to it.

Source: `kapi_presence.erl` (`dialog`, `update`, `subscribe`), `omnip_subscriptions.erl`, `cb_presence.erl`
(`search_summary`, `search_detail`).
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.store import MICROSECONDS, Store
from crossbar.errors import JSON
from crossbar.resources.system.domain.switch_event import SwitchEvent

PRESENCE: Final = "presence"
"""The category of the events."""
PRESENTITY: Final = "presentity"
SUBSCRIPTION: Final = "subscription"
STATES: Final = frozenset({"dialog_update", "update"})
"""Events that tell the state of an extension."""
SUBSCRIBED: Final = "subscription"
DEFAULT_PACKAGE: Final = "dialog"
NOBODY_ANSWERS: Final[dict[str, JSON]] = {"timeout": True}
"""What is found where no switch tells anything."""

_OVER: Final = frozenset({"terminated", "offline"})
_KEPT: Final = ("call_id", "contact", "from", "subscription_id", "user", "user_agent", "version")


async def apply_presence(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    """Note the state of an extension, or a subscription to it; returns the event to raise, if there is one."""
    if event.name == SUBSCRIBED:
        await _subscribe(store, event)
        return []
    presence_id = event.text("presence_id").lower()
    if event.name in STATES and presence_id:
        state = event.text("state")
        details = {"state": state, "call_id": event.text("call_id") or None, "timestamp": event.seconds}
        if state in _OVER:
            await store.live.note(event.telling(PRESENTITY, presence_id, "state", details, shown=False, ended=event.at))
        else:
            await store.live.note(event.telling(PRESENTITY, presence_id, "state", details))
    return [event]


async def _subscribe(store: Store, event: SwitchEvent) -> None:
    call_id, user = event.text("call_id", "subscription_id"), event.text("user").removeprefix("sip:").lower()
    expires = event.text("expires")
    seconds = int(expires) if expires.isdecimal() and len(expires) < 10 else 0
    if not call_id or not user:
        return
    if seconds == 0:
        await store.live.note(event.telling(SUBSCRIPTION, call_id, "end", {}, shown=False, ended=event.at))
        return
    fields = {name: event.fields.get(name) for name in _KEPT} | {
        "event": event.text("event_package") or DEFAULT_PACKAGE,
        "expires": seconds,
        "timestamp": event.seconds,
        "user": user,
        "username": user.partition("@")[0],
        "realm": user.partition("@")[2],
        "stalker": event.text("subscription_id", "queue") or event.switch.name,
    }
    until = event.at + seconds * MICROSECONDS
    await store.live.note(event.telling(SUBSCRIPTION, call_id, SUBSCRIPTION, fields, until=until, of=user))


async def search_presence(
    store: Store, account_id: str, *, silence_s: float, package: str | None = None, extension: str | None = None
) -> dict[str, JSON]:
    """What is known of an account's extensions, or of one, in detail.

    `subscriptions`: extension → package → how many; of one extension, each by its call id. `states`: extension →
    state, of those that are not idle. `timeout` is true where no switch tells of any.
    """
    states = await store.live.all(account_id, PRESENTITY, silence_s=silence_s)
    subscriptions = await store.live.all(account_id, SUBSCRIPTION, silence_s=silence_s)
    if not states and not subscriptions:
        return dict(NOBODY_ANSWERS)
    found: dict[str, dict[str, JSON]] = {}
    for subscription in subscriptions:
        username, of_package = str(subscription.fields["username"]), str(subscription.fields["event"])
        if package not in (None, of_package) or extension not in (None, username):
            continue
        packages = found.setdefault(username, {})
        if extension is None:
            packages[of_package] = packages.get(of_package, 0) + 1
        else:
            packages.setdefault(of_package, {})[subscription.id] = subscription.fields
    wanted = ((state.id.partition("@")[0], state) for state in states)
    shown = {name: state.fields["state"] for name, state in wanted if extension in (None, name)}
    return {"subscriptions": found, "states": shown, "timeout": None}
