# SPDX-License-Identifier: MPL-2.0
"""Events of FreeSWITCH, in the JSON form of its event socket: one, an array of them, or one a line (NDJSON).

Whatever relays the event socket posts them here as they happen. Source: `mod_event_socket.c`, `mod_json_cdr.c`,
`switch_event_serialize_json`; `ecallmgr_fs_event_stream.erl` for what KAZOO makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import Document
from crossbar.documents.store import Switch
from crossbar.endpoint import Context, Reply
from crossbar.errors import JSON, CrossbarError, Invalid
from crossbar.resources.calls.conferences.domain.running_conferences import conference_id_of
from crossbar.resources.calls.queues.domain.queue_events import agent_id_of, queue_id_of
from crossbar.resources.identity.domain.sip_username import device_of_username
from crossbar.resources.ingest.domain.freeswitch_calls import Wording
from crossbar.resources.ingest.domain.freeswitch_customs import translated
from crossbar.resources.ingest.domain.freeswitch_event import FreeswitchEvent
from crossbar.resources.ingest.domain.live_events import keep_switch_events
from crossbar.resources.ingest.freeswitch import freeswitch
from crossbar.resources.ingest.ingest import AT_A_TIME, NDJSON_TYPES, PostedAccounts, Tally, lines
from crossbar.resources.records.domain.call_event import event_id_of
from crossbar.resources.system.domain.switch_event import CALL, SwitchEvent

IGNORED: Final = "ignored"
"""In the answer: how many events say nothing of what is followed here; they tell that the switch is there."""


@freeswitch.post("/freeswitch/event", accepts=NDJSON_TYPES)
async def switch_events(context: Context) -> Reply:
    """Note what a switch tells. A single event that is refused is answered so; of many the answer describes those."""
    reader, tally, ignored = _Reader(context), Tally(), 0
    waiting: list[SwitchEvent] = []
    for number, said in _events(context):
        try:
            event = await reader.event(said)
        except CrossbarError as error:
            if number == 0:
                raise
            tally.refuse(number, error)
            continue
        if event is None:
            ignored += 1
            continue
        waiting.append(event)
        if len(waiting) == AT_A_TIME:
            tally.count(await keep_switch_events(context.store, waiting))
            waiting = []
    tally.count(await keep_switch_events(context.store, waiting))
    await reader.hear()
    return Reply({**tally.answer, IGNORED: ignored})


def _events(context: Context) -> Iterator[tuple[int, JSON | CrossbarError]]:
    """The events of a body, numbered from 1; a single one is number 0."""
    if context.files:
        yield from lines(context)
    elif isinstance(context.data, list):
        yield from enumerate(context.data, 1)
    else:
        yield 0, context.envelope


class _Reader:
    """Reads the events of one request; what they have in common is looked up once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._accounts = PostedAccounts(context)
        self._devices: dict[tuple[str, str], Document | None] = {}
        self._ids: dict[tuple[str, str, str], str] = {}
        self._heard: dict[Switch, int] = {}

    async def event(self, said: JSON | CrossbarError) -> SwitchEvent | None:
        """What an event says; None if that is nothing. Raises 400 for what is none, 403 for a foreign account."""
        if isinstance(said, CrossbarError):
            raise said
        if not isinstance(said, dict):
            raise Invalid.field("", "type", "Value did not match type(s): object", target="object")
        told = FreeswitchEvent(said)
        if not told.get("event_name"):
            raise Invalid.field("event_name", "required", "Field is required but missing", value="event_name")
        switch = Switch(self._context.identity.account_id, told.host, told.core)
        self._heard[switch] = max(told.at, self._heard.get(switch, 0))
        translation = translated(told)
        if translation is None:
            return None
        account = await self._account_of(told)
        fields = await self._resolved(account, translation)
        named = {**fields, "event_category": translation.category, "event_name": translation.name}
        return SwitchEvent(
            account_id=account.id,
            id=event_id_of(named, told.unique),
            category=translation.category,
            name=translation.name,
            at=told.at,
            fields=fields,
            about=translation.about,
            switch=switch,
        )

    async def hear(self) -> None:
        """Note which switches were heard, whatever they said."""
        for switch, at in self._heard.items():
            await self._store.live.hear(switch, at)

    async def _account_of(self, told: FreeswitchEvent) -> Account:
        """The account: named by KAZOO's variable, else by a realm, else that of the caller's token."""
        if account_id := told.channel_variables.get("account_id"):
            return await self._accounts.account_of({"account_id": account_id})
        for realm in told.realms:
            if await self._accounts.of_realm(realm):
                return await self._accounts.account_of({"account_realm": realm})
        return await self._accounts.account_of({})

    async def _resolved(self, account: Account, translation: Wording) -> dict[str, Any]:
        """The body of an event, with the ids of what the switch calls by names of its own."""
        fields = dict(translation.fields)
        if translation.category == CALL:
            username = str(translation.about.get("username", ""))
            fields["custom_channel_vars"] = await self._channel_variables(account, fields, username)
            return fields
        for name in ("conference_id", "queue_id", "agent_id"):
            if known := fields.get(name):
                fields[name] = await self._id(account, name, str(known))
        return fields

    async def _channel_variables(self, account: Account, fields: dict[str, Any], username: str) -> dict[str, Any]:
        """What KAZOO would have set on the channel: whose it is, and which device's."""
        variables = {"account_id": account.id, "realm": account.realm, **fields.get("custom_channel_vars", {})}
        if "authorizing_id" in variables or not username:
            return variables
        key = account.id, username.lower()
        if key not in self._devices:
            self._devices[key] = await device_of_username(self._store, *key)
        if device := self._devices[key]:
            variables |= {"authorizing_id": device.id, "authorizing_type": device.type}
            variables |= {"owner_id": device.at("owner_id")} if device.at("owner_id") else {}
        return variables

    async def _id(self, account: Account, name: str, called: str) -> str:
        key = account.id, name, called
        if key not in self._ids:
            match name:
                case "conference_id":
                    self._ids[key] = await conference_id_of(self._store, account.id, called, account.realm)
                case "queue_id":
                    self._ids[key] = await queue_id_of(self._store, account.id, called)
                case _:
                    self._ids[key] = await agent_id_of(self._store, account.id, called)
        return self._ids[key]
