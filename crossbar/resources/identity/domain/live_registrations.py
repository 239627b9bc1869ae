# SPDX-License-Identifier: MPL-2.0
"""Registrations as switches tell of them: which phones can be reached, until when, and where.

One SIP user name has one registration, the latest, as KAZOO's registrar keeps it; it ends at its own time, which
`ingest/domain/registration_ends.py` looks for.

Source: `ecallmgr_registrar.erl` (`create_registration`, `handle_reg_success`, `maybe_send_register_notice`,
`expire_objects`, `maybe_send_deregister_notice`), `kapi_registration.erl`, `cb_registrations.erl`
(`normalize_registration`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.store import MICROSECONDS, Live, Store, Switch
from crossbar.errors import JSON
from crossbar.resources.identity.domain.sip_username import device_ids, device_of_username
from crossbar.resources.system.domain.switch_event import SwitchEvent

REGISTRATION: Final = "registration"
"""The type of what is live."""
DIRECTORY: Final = "directory"
"""The category of the events."""
REGISTERED: Final = frozenset({"reg_success"})
UNREGISTERED: Final = frozenset({"reg_expired", "unregister"})

_TOLD: Final = (
    "call_id", "from_host", "from_user", "network_ip", "network_port", "presence_hosts", "profile_name", "proxy_ip",
    "proxy_port", "realm", "rpid", "status", "to_host", "to_user", "user_agent", "username",
)  # fmt: skip
"""What is kept as it is told."""
_HIDDEN: Final = frozenset({"freeswitch_hostname", "presence_hosts", "profile_name", "rpid", "status"})
"""What a notification says and a list does not."""
_CONTACT: Final = re.compile(
    r"(?P<scheme>sips?):(?:[^@>;?]*@)?(?P<host>\[[^\]]*\]|[^:;>?\s]+)(?::(?P<port>\d{1,5}))?(?P<rest>[^>]*)",
    re.IGNORECASE,
)


async def apply_registration(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    """Note that a phone registered, or no longer is; returns the notice to raise, if there is one.

    The first registration is told of, and its end unless the device says that it should not be.
    """
    username = event.text("username", "from_user").lower()
    realm = event.text("realm", "from_host").lower()
    if not username:
        return []
    live_id, call_id = f"{username}@{realm}", event.text("call_id")
    expires = event.text("expires")
    seconds = int(expires) if expires.isdecimal() and len(expires) < 10 else 0
    if event.name in UNREGISTERED or seconds == 0:
        known = await store.live.tell(
            event.telling(REGISTRATION, live_id, "end", {}, shown=False, ended=event.at, token=call_id)
        )
        return [] if known.over != event.at or is_silent(known) else [_notice(event, "deregister", known.fields)]
    fields = await _fields(store, event, username, seconds)
    until = event.at + seconds * MICROSECONDS
    known = await store.live.tell(
        event.telling(REGISTRATION, live_id, REGISTRATION, fields, until=until, token=call_id, lapses=True)
    )
    return [_notice(event, "register", known.fields)] if known.is_live and known.began == event.at else []


def is_silent(registration: Live) -> bool:
    """Whether nobody wants to hear of its end."""
    return registration.fields.get("suppress_unregister_notify") is True


def end_notice(registration: Live, event_id: str) -> SwitchEvent:
    """The notice of a registration that came to its own end, at that time."""
    ended = SwitchEvent(
        account_id=registration.account_id,
        id=event_id,
        category=DIRECTORY,
        name="reg_expired",
        at=registration.until or 0,
        fields={"status": "expired"},
        about={},
        switch=Switch(registration.account_id, str(registration.fields.get("freeswitch_hostname", ""))),
    )
    return _notice(ended, "deregister", registration.fields)


async def registrations(store: Store, account: Account, *, silence_s: float) -> list[dict[str, JSON]]:
    """The account's registrations as a client sees them."""
    about: dict[str, JSON] = {"account_name": account.name, "account_realm": account.realm}
    return [about | _row(live) for live in await store.live.all(account.id, REGISTRATION, silence_s=silence_s)]


async def count_registrations(store: Store, account_id: str | None) -> int:
    """How many registrations there are, in an account or in all."""
    return await store.live.count(account_id, REGISTRATION)


async def registered_devices(store: Store, account_id: str, *, silence_s: float) -> set[str]:
    """The ids of the account's devices that are registered."""
    live = await store.live.all(account_id, REGISTRATION, silence_s=silence_s)
    usernames = {str(registration.fields["username"]) for registration in live}
    return set((await device_ids(store, account_id, usernames)).values())


async def _fields(store: Store, event: SwitchEvent, username: str, seconds: int) -> dict[str, JSON]:
    original = event.text("original_contact", "contact")
    fields: dict[str, JSON] = {name: event.fields.get(name) for name in _TOLD}
    fields |= {
        "username": event.text("username", "from_user"),
        "realm": event.text("realm", "from_host"),
        "expires": seconds,
        "event_timestamp": event.seconds,
        "original_contact": original,
        "contact": original.replace("<", "").replace(">", ""),
        "suppress_unregister_notify": False,
        "freeswitch_hostname": event.switch.name,
        **{name: event.variables.get(name) for name in ("authorizing_id", "authorizing_type", "owner_id")},
    }
    if device := await device_of_username(store, event.account_id, username):
        fields |= {
            "authorizing_id": device.id,
            "authorizing_type": device.type,
            "owner_id": device.at("owner_id"),
            "suppress_unregister_notify": device.at("suppress_unregister_notifications") is True,
        }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _row(live: Live) -> dict[str, JSON]:
    fields = {name: value for name, value in live.fields.items() if name not in _HIDDEN}
    fields |= contact_address(str(fields.get("original_contact") or ""))
    if not isinstance(fields.get("network_port"), int) and str(fields.get("network_port") or "").isdecimal():
        fields["network_port"] = int(fields["network_port"])
    return fields


def contact_address(contact: str) -> dict[str, JSON]:
    """`contact_ip` and `contact_port` of a SIP contact; a port that is not named is that of its transport."""
    match = _CONTACT.search(contact)
    if match is None:
        return {}
    tls = match["scheme"].lower() == "sips" or "transport=tls" in match["rest"].lower()
    return {"contact_ip": match["host"], "contact_port": int(match["port"] or 0) or (5061 if tls else 5060)}


def _notice(event: SwitchEvent, name: str, fields: Mapping[str, Any]) -> SwitchEvent:
    """The notification `register` or `deregister` of a registration."""
    told = {key: value for key, value in fields.items() if key not in ("original_contact", "freeswitch_hostname")}
    told |= {"account_id": event.account_id, "event_timestamp": event.seconds, "msg_id": str(event.at)}
    if name == "deregister":
        told |= {"freeswitch_hostname": event.switch.name, "status": event.text("status") or "unregistered"}
    return replace(event, category="notification", name=name, fields=told, about={})
