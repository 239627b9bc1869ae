# SPDX-License-Identifier: MPL-2.0
"""The sockets of one worker: how many there may be, whether they still may listen, and their end."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from crossbar import clock
from crossbar.access.bad_token import BadToken
from crossbar.access.identity import Identity
from crossbar.background import in_background
from crossbar.config import BlackholeOptions
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.feed import Change
from crossbar.errors import CrossbarError
from crossbar.metrics import SOCKET_FRAMES, SOCKETS_DROPPED, SOCKETS_OPEN, Metrics
from crossbar.resources.notices.domain.socket_binding import EVERY_ACCOUNT, Refused
from crossbar.resources.notices.domain.socket_channel import Channels
from crossbar.resources.notices.domain.socket_register import SocketRegister
from crossbar.resources.notices.domain.socket_session import SocketSession, Wire
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

GOING_AWAY: Final = 1001
NOT_ALLOWED: Final = 1008
LOOK_SECONDS: Final = 0.5
"""So often all sockets are looked at while nobody would be told of changes."""

Key = tuple[str, ...]


class TooMany(Exception):
    """An address has as many sockets as it may have."""


class OpenSockets:
    """All sockets of a worker, and what they share."""

    def __init__(self, runtime: Runtime, metrics: Metrics) -> None:
        self._runtime = runtime
        self._metrics = metrics
        self.channels = Channels(runtime.events)
        self._register = SocketRegister(runtime.store)
        self._sessions: dict[str, SocketSession] = {}
        self._of_address: Counter[str] = Counter()
        self._by_key: dict[Key, set[SocketSession]] = {}
        self._keys: dict[SocketSession, set[Key]] = {}
        self._expiries: dict[SocketSession, asyncio.TimerHandle] = {}
        self._doubtful: set[SocketSession] = set()
        self._doubt = asyncio.Event()
        self.ending = False
        runtime.access.changes.listen(self._hear)

    @property
    def options(self) -> BlackholeOptions:
        """The options in force."""
        return self._runtime.config.blackhole

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Watch over the sockets until the block ends."""
        await self._register.begin()
        async with (
            in_background(self._watch(), name="socket tokens"),
            in_background(self._register.run(self._sessions.__contains__), name="socket register"),
        ):
            try:
                yield
            finally:
                await self.channels.stop()
                await self._register.end()

    @asynccontextmanager
    async def session(self, wire: Wire, session_id: str, source: str) -> AsyncIterator[SocketSession]:
        """A new socket, which is one of the open ones until the block ends."""
        session = SocketSession(self, wire, session_id, source)
        self._sessions[session.id] = session
        self._metrics.add(SOCKETS_OPEN)
        try:
            yield session
        finally:
            session.end()
            self._metrics.add(SOCKETS_OPEN, -1)
            del self._sessions[session.id]
            self._file(session, set())
            if timer := self._expiries.pop(session, None):
                timer.cancel()
            if session.identity is not None and not self.ending:
                await asyncio.shield(self._register.forget(session))

    @asynccontextmanager
    async def counted(self, address: str) -> AsyncIterator[None]:
        """One more connection of an address, until the block ends. Raises TooMany."""
        if self._of_address[address] >= self.options.max_connections_per_ip:
            raise TooMany
        self._of_address[address] += 1
        try:
            yield
        finally:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def end(self) -> None:
        """Close all sockets, as the server ends."""
        self.ending = True
        for session in list(self._sessions.values()):
            session.drop(GOING_AWAY, "the server is shutting down")

    async def fresh(self) -> None:
        """Have the options of this moment."""
        await self._runtime.settings.fresh()

    # What sessions ask

    async def identify(self, token: str) -> Identity:
        """Whom a token stands for; raises BadToken, CrossbarError."""
        return await self._runtime.access.authentication.bearer(token)

    async def may_listen(self, identity: Identity, account_id: str) -> bool:
        """Whether the caller may hear what happens in an account."""
        access = self._runtime.access
        account = await access.directory.account(account_id)
        if account is None or not (identity.superduper or account.within(identity.account_id)):
            return False
        asked = _Asked(account_id)
        try:
            await access.restrictions.check(identity, asked, account)
        except CrossbarError as error:
            if error.status == 503:
                raise
            return False
        return True

    async def realm(self, account_id: str) -> str:
        """The realm of an account, `*` for that of all."""
        if account_id == EVERY_ACCOUNT:
            return EVERY_ACCOUNT
        account = await self._runtime.access.directory.account(account_id)
        return "" if account is None else account.realm

    def shows_documents(self, identity: Identity) -> bool:
        """Whether the caller may see every document."""
        return not self._runtime.access.plain_users.guards(identity)

    def welcome(self, session: SocketSession, identity: Identity) -> None:
        """The socket stands for a caller from now on. Raises Refused where there are too many."""
        key = ("bearer", identity.account_id)
        others = self._by_key.get(key, set()) - {session}
        if len(others) >= self.options.max_connections_per_account:
            raise Refused(f"too many sockets of account {identity.account_id}")
        self._file(session, {key, *self._keys.get(session, set())})

    async def noted(self, session: SocketSession) -> None:
        """What is told of the socket has changed."""
        identity = session.identity
        if identity is None or session.ended:
            return
        self._file(session, set(_keys_of(session, identity)))
        self._expire(session, identity)
        # Nobody would have told of what changed before it was filed.
        self._suspect({session})
        await self._register.note(session)

    def told(self, session: SocketSession, reason: str | None) -> None:
        """An event was sent to it, or it was dropped for a reason."""
        if reason is None:
            self._metrics.add(SOCKET_FRAMES)
        else:
            self._metrics.add(SOCKETS_DROPPED, value=reason)
            log.info("socket %s of %s closed: %s", session.session_id, session.source, reason)

    # Whether they still may listen

    def _file(self, session: SocketSession, keys: set[Key]) -> None:
        before = self._keys.pop(session, set())
        for key in before - keys:
            filed = self._by_key[key]
            filed.discard(session)
            if not filed:
                del self._by_key[key]
        for key in keys - before:
            self._by_key.setdefault(key, set()).add(session)
        if keys:
            self._keys[session] = keys

    def _expire(self, session: SocketSession, identity: Identity) -> None:
        """Look at the socket again when its token expires, or the trial of its account ends."""
        if timer := self._expiries.pop(session, None):
            timer.cancel()
        times = [identity.claims.get("exp")]
        if identity.account.trial_expires is not None:
            times.append(clock.unix(identity.account.trial_expires))
        expires = min((time for time in times if isinstance(time, int | float)), default=None)
        if expires is not None:
            delay = max(expires - clock.unix_now(), 0.0)
            self._expiries[session] = asyncio.get_running_loop().call_later(delay, self._suspect, {session})

    def _hear(self, change: Change | None) -> None:
        """Access has changed: the sockets that it may concern are to be looked at."""
        if change is None:
            self._suspect(set(self._sessions.values()))
        elif change.type == ACCOUNT:
            self._suspect(self._by_key.get(("account", change.id), set()))
        elif change.type == USER:
            self._suspect(self._by_key.get(("user", change.partition, change.id), set()))
        else:
            self._suspect(self._by_key.get(("token", change.id), set()))

    def _suspect(self, sessions: set[SocketSession]) -> None:
        if sessions:
            self._doubtful |= sessions
            self._doubt.set()

    async def _watch(self) -> None:
        """Close the sockets that may not listen any more, as soon as it is heard of."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._doubt.wait(), LOOK_SECONDS)
            self._doubt.clear()
            if not self._runtime.feed.live:
                self._doubtful.update(self._sessions.values())
            doubtful, self._doubtful = self._doubtful, set()
            for session in doubtful:
                try:
                    await self._judge(session)
                except CrossbarError as error:
                    log.debug("a socket cannot be judged just now: %s", error)
                    self._doubtful.add(session)

    async def _judge(self, session: SocketSession) -> None:
        """Close a socket whose token, or whose right to an account, has ended."""
        token = session.token
        if session.ended or session.identity is None:
            return
        identity = None
        reason = ""
        try:
            identity = await self.identify(token)
        except BadToken:
            reason = "the token is not valid any more"
        except CrossbarError as error:
            if error.status == 503:
                raise
            reason = "the account may not be used any more"
        if identity is not None and not await self._may_listen_on(session, identity):
            reason = "unauthorized account id"
        if session.token != token:  # another one took its place, and is judged by itself
            return
        if identity is None or reason:
            session.drop(NOT_ALLOWED, reason)
            return
        session.see(identity)
        self._expire(session, identity)

    async def _may_listen_on(self, session: SocketSession, identity: Identity) -> bool:
        """Whether the caller may hear what happens in all accounts that the socket listens to."""
        for account_id in session.accounts:
            if not await self._still_may_listen(identity, account_id):
                return False
        return True

    async def _still_may_listen(self, identity: Identity, account_id: str) -> bool:
        if account_id == EVERY_ACCOUNT:
            return identity.superduper
        return await self.may_listen(identity, account_id)


class _Asked:
    """A subscription as token restrictions see it: as a question for the account's sockets."""

    client_ip = ""
    verb = "GET"

    def __init__(self, account_id: str) -> None:
        self.named_account_id: str | None = account_id
        self.nouns = [("accounts", [account_id]), ("websockets", list[str]())]


def _keys_of(session: SocketSession, identity: Identity) -> Iterator[Key]:
    """What a socket's right to listen rests on."""
    yield "bearer", identity.account_id
    yield "token", hashlib.sha256(session.token.encode()).hexdigest()
    if isinstance(token_id := identity.claims.get("token_id"), str):
        yield "token", token_id
    for account_id, owner_id in (
        (identity.account_id, identity.owner_id),
        (identity.original_account_id, identity.original_owner_id),
        (identity.claims.get("account_id"), identity.claims.get("owner_id")),
        (identity.claims.get("original_account_id"), identity.claims.get("original_owner_id")),
    ):
        if account_id:
            yield "account", str(account_id)
            if owner_id:
                yield "user", str(account_id), str(owner_id)
    for account_id in session.accounts:
        yield "account", account_id
