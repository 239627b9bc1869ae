# SPDX-License-Identifier: MPL-2.0
"""One socket: who it is, what it asks, what it is answered.

Source: KAZOO `blackhole_socket_callback.erl` (the order of the checks), `bh_events.erl`, `bh_token_auth.erl`,
`bh_authz_subscribe.erl`, `bh_ping.erl`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import orjson

from crossbar import clock
from crossbar.access.bad_token import NO_ACCOUNT, BadToken
from crossbar.access.identity import Identity
from crossbar.config import BlackholeOptions
from crossbar.documents.event import is_token
from crossbar.documents.event_listening import TooOld
from crossbar.errors import JSON, CrossbarError
from crossbar.ids import new_id
from crossbar.resources.notices.domain.socket_binding import (
    EVERY_ACCOUNT,
    Binding,
    Refused,
    bound,
    read_binding,
)
from crossbar.resources.notices.domain.socket_channel import Channels, Ear

NOW: Final = "now"
"""What a socket gives as `since` that wants to know its place without having one yet."""
REQUIRED: Final = ("account_id", "binding")
SLOW: Final = 1013
"""Close code: try again later (RFC 6455, 11.7)."""


class Wire(Protocol):
    """The connection of a socket."""

    def push(self, frame: bytes) -> bool:
        """Send a frame; False where too much waits to be sent already."""

    async def send(self, text: bytes) -> None:
        """Send a text once the client has read what came before. Raises ConnectionError where it does not in time."""

    def close(self, code: int, reason: str) -> None:
        """Begin to close it."""


class SocketOwner(Protocol):
    """What a worker's sockets share."""

    @property
    def options(self) -> BlackholeOptions: ...  # noqa: D102
    @property
    def channels(self) -> Channels: ...  # noqa: D102

    async def identify(self, token: str) -> Identity:
        """Whom a token stands for; raises BadToken, CrossbarError."""

    async def may_listen(self, identity: Identity, account_id: str) -> bool:
        """Whether the caller may hear what happens in an account."""

    async def realm(self, account_id: str) -> str:
        """The realm of an account, `*` for that of all."""

    def shows_documents(self, identity: Identity) -> bool:
        """Whether the caller may see every document."""

    def welcome(self, session: SocketSession, identity: Identity) -> None:
        """The socket stands for a caller from now on. Raises Refused where there are too many."""

    async def noted(self, session: SocketSession) -> None:
        """What is told of the socket has changed."""

    def told(self, session: SocketSession, reason: str | None) -> None:
        """An event was sent to it, or it was dropped for a reason."""


class SocketSession:
    """A socket from its first frame to its end; frames are to be given to it one after another."""

    def __init__(self, open_sockets: SocketOwner, wire: Wire, session_id: str, source: str) -> None:
        self.id = new_id()
        self.session_id = session_id
        self.source = source
        self.timestamp = clock.now()
        self.name: JSON = None
        self.metadata: JSON = None
        self.identity: Identity | None = None
        self.token = ""
        self.ended = False
        self._open = open_sockets
        self._wire = wire
        self._ears: dict[tuple[str, str], tuple[Binding, Ear]] = {}
        self._beginning: list[tuple[Binding, Ear]] = []
        """Subscriptions that begin when the answer to them is out."""
        self._joining: set[asyncio.Task[None]] = set()
        self._frames = float(open_sockets.options.burst)
        self._counted_at = time.monotonic()

    # What is told of it

    @property
    def bindings(self) -> list[str]:
        """What it subscribed to, once for each key that stands for it."""
        return [binding.subscribed_key for binding, _ in self._ears.values() for _ in binding.keys]

    @property
    def accounts(self) -> set[str]:
        """The accounts that it listens to."""
        return {account_id for account_id, _ in self._ears}

    # What it is sent

    def push(self, frame: bytes) -> None:
        """Send it an event now."""
        if self.ended:
            return
        if self._wire.push(frame):
            self._open.told(self, None)
        else:
            self.drop(SLOW, "reading too slowly")

    async def deliver(self, text: bytes) -> None:
        """Send it an event once it has read enough of what came before."""
        try:
            await self._wire.send(text)
        except ConnectionError:
            self.drop(SLOW, "reading too slowly")
            return
        self._open.told(self, None)

    def see(self, identity: Identity) -> None:
        """Who it is, as it is known now."""
        self.identity = identity
        for _, ear in self._ears.values():
            ear.reach, ear.documents = _reach(identity), self._open.shows_documents(identity)

    def drop(self, code: int, reason: str) -> None:
        """Close it from here."""
        if not self.ended:
            self.end()
            self._open.told(self, reason)
            self._wire.close(code, reason)

    def end(self) -> None:
        """It hears no more."""
        self.ended = True
        for task in self._joining:
            task.cancel()
        for binding, ear in self._ears.values():
            self._open.channels.leave(binding, ear)
        self._ears.clear()

    # What it asks

    async def receive(self, text: str) -> None:
        """Answer a frame."""
        frame = _object(text)
        request_id = frame.get("request_id")
        data: dict[str, JSON]
        try:
            status, data = "success", await self._answer(frame)
        except Refused as refusal:
            status, data = "error", {"errors": [str(refusal)]}
        except CrossbarError as error:
            status, data = "error", {"errors": [str(error)]}
        reply = {
            "action": "reply",
            "request_id": request_id if isinstance(request_id, str) and request_id else new_id(),
            "status": status,
            "data": data,
        }
        await self._wire.send(orjson.dumps(reply))
        while self._beginning:
            self._join(*self._beginning.pop(0))

    async def _answer(self, frame: Mapping[str, Any]) -> dict[str, JSON]:
        self._count()
        changed = await self._authenticate(frame)
        changed |= self._label(frame)
        data = frame.get("data")
        match frame.get("action"):
            case "subscribe":
                changed, answer = True, await self._subscribe(_data(data))
            case "unsubscribe":
                changed, answer = True, self._unsubscribe(_data(data))
            case "ping":
                answer = {"response": "pong"}
            case _:
                answer = {}
        if changed:
            await self._open.noted(self)
        return answer

    def _count(self) -> None:
        """Take a token from the socket's bucket. Raises Refused where it is empty."""
        options, now = self._open.options, time.monotonic()
        refilled = self._frames + (now - self._counted_at) * options.frames_per_second
        self._frames, self._counted_at = min(refilled, float(options.burst)), now
        if self._frames < 1:
            raise Refused(f"rate limiting threshold hit for {self.session_id}!")
        self._frames -= 1

    async def _authenticate(self, frame: Mapping[str, Any]) -> bool:
        """Know who it is, by a token that it gives now or gave before; whether that has changed."""
        token = frame.get("auth_token")
        if not token:
            if self.identity is None:
                raise Refused("authentication token required")
            return False
        if token == self.token:
            return False
        identity = await self._identify(token)
        for account_id in self.accounts:
            await self._authorize(identity, account_id)
        self._open.welcome(self, identity)
        self.token = token
        self.see(identity)
        return True

    async def _identify(self, token: JSON) -> Identity:
        try:
            if isinstance(token, str):
                return await self._open.identify(token)
        except BadToken as error:
            if error.reason == NO_ACCOUNT:
                raise Refused("auth_account_id not set") from None
        except CrossbarError as error:
            if error.status == 503:
                raise
        raise Refused(
            f"failed to authenticate token {token if isinstance(token, str) else orjson.dumps(token).decode()}"
        )

    def _label(self, frame: Mapping[str, Any]) -> bool:
        changed = False
        for label in ("name", "metadata"):
            if frame.get(label) is not None and frame[label] != getattr(self, label):
                setattr(self, label, frame[label])
                changed = True
        return changed

    async def _authorize(self, identity: Identity, account_id: str) -> None:
        if account_id == EVERY_ACCOUNT:
            if not identity.superduper:
                raise Refused("unauthorized wildcard account id")
        elif not await self._open.may_listen(identity, account_id):
            raise Refused("unauthorized account id")

    async def _subscribe(self, data: Mapping[str, Any]) -> dict[str, JSON]:
        identity = self.identity
        assert identity is not None  # noqa: S101 - nobody gets so far without
        texts, account_id = _texts(data), str(data["account_id"])
        read = {text: read_binding(text) for text in texts}
        await self._authorize(identity, account_id)
        realm = await self._open.realm(account_id)
        bindings = {text: bound(account_id, realm, *words) for text, words in read.items()}
        new = {text: binding for text, binding in bindings.items() if (account_id, text) not in self._ears}
        most = self._open.options.max_bindings
        if len(self._ears) + len(new) > most:
            raise Refused(f"too many subscriptions, at most {most}")
        since = await self._since(account_id, data.get("since"))
        tokens = data.get("since") is not None
        if self.ended:
            return {}
        for text, binding in new.items():
            ear = Ear(self, since, _reach(identity), self._open.shows_documents(identity), tokens)
            self._ears[account_id, text] = (binding, ear)
            self._beginning.append((binding, ear))
        return {"subscribed": list(self.bindings), **({"token": since} if tokens else {})}

    async def _since(self, account_id: str, given: JSON) -> str:
        """The token behind which its events begin. Raises Refused for one that leads nowhere."""
        if given is None or given == NOW:
            return await self._open.channels.begin(account_id)
        if not isinstance(given, str) or not is_token(given):
            raise Refused("invalid since")
        try:
            await self._open.channels.require(account_id, given)
        except TooOld:
            raise Refused("token too old") from None
        return given

    def _join(self, binding: Binding, ear: Ear) -> None:
        if ear.left:
            return
        task = asyncio.create_task(self._follow(binding, ear), name="socket subscription")
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    async def _follow(self, binding: Binding, ear: Ear) -> None:
        try:
            await self._open.channels.join(binding, ear)
        except CrossbarError:  # the database is away; whoever gave a token comes again with it
            self.drop(SLOW, "events cannot be read")

    def _unsubscribe(self, data: Mapping[str, Any]) -> dict[str, JSON]:
        texts, account_id = _texts(data), str(data["account_id"])
        ended = [bound(account_id, "", *read_binding(text)).subscribed_key for text in texts]
        for text in texts:
            left = self._ears.pop((account_id, text), None)
            if left is not None:
                self._open.channels.leave(*left)
        return {"unsubscribed": list(ended), "subscribed": list(self.bindings)}


def _reach(identity: Identity) -> str | None:
    return None if identity.superduper else identity.account_id


def _object(text: str) -> dict[str, Any]:
    """The JSON object of a frame; what is none asks for nothing."""
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return frame if isinstance(frame, dict) else {}


def _data(data: JSON) -> Mapping[str, Any]:
    """The object `data` of a frame, with what a subscription needs. Raises Refused."""
    if not isinstance(data, dict) or not data:
        raise Refused("missing required keys in data object")
    given = {**data, "binding": data.get("binding", data.get("bindings"))}
    missing = [key for key in REQUIRED if not given.get(key)]
    if missing:
        raise Refused(f"missing required keys : {', '.join(missing)}")
    return given


def _texts(data: Mapping[str, Any]) -> list[str]:
    """The bindings that a frame names, one or several."""
    given = data["binding"]
    return [str(text) for text in given] if isinstance(given, list) else [str(given)]
