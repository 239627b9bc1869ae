# SPDX-License-Identifier: MPL-2.0
"""Mail from the spool to a real relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from crossbar import clock
from crossbar.config import Config
from crossbar.events.letters import composed
from crossbar.events.mail import Mail, spool_folder
from crossbar.events.postman import KEPT, Postman
from crossbar.events.spool import Spool
from tests.relay import Relay, running_relay


async def send(mail: Mail, config: Config, to: str = "ann@example.com") -> bool:
    message = composed(sender=config.mail.sender, to=[to], subject="Welcome to Acme", text="Dear Ann")
    return await mail.post(message, "new_user")


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"crossbar", b"hush")
    return AuthResult(success=right, handled=False)


StartRelay = Callable[..., Awaitable[Relay]]


@pytest.fixture
async def start() -> AsyncIterator[StartRelay]:
    async with AsyncExitStack() as stack:

        async def begin(*answers: str, **options: Any) -> Relay:
            return await stack.enter_async_context(running_relay(*answers, **options))

        yield begin


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Config]:
    def load(**mail: Any) -> Config:
        overrides = {f"mail.{name}": str(value) for name, value in mail.items()}
        return Config.load(None, {}, {"server.data": str(tmp_path), "mail.tls": "none", **overrides})

    return load


def spool_of(config: Config) -> Spool:
    return Spool(spool_folder(config))


def postman(config: Config) -> Postman:
    return Postman(lambda: spool_of(config), lambda: config.mail)


async def test_a_letter_reaches_the_relay(start: StartRelay, configured: Callable[..., Config]) -> None:
    relay = await start()
    config = configured(host="127.0.0.1", port=relay.port, sender="pbx@example.com")
    mail = Mail(lambda: config)
    async with mail.delivering():
        await send(mail, config, "ann@example.com")
        letter = await relay.letter("ann@example.com")
    assert (relay.got[0].mail_from, relay.got[0].rcpt_tos) == ("pbx@example.com", ["ann@example.com"])
    assert letter["Subject"] == "Welcome to Acme"


async def test_without_a_relay_letters_stay_in_the_spool(configured: Callable[..., Config]) -> None:
    config = configured()
    await send(Mail(lambda: config), config)
    await postman(config).round()
    [entry] = spool_of(config).entries()
    kept = spool_of(config).read(entry.id)
    assert kept is not None
    assert kept["To"] == "ann@example.com"
    with clock.frozen(entry.created + KEPT + 1):
        await postman(config).round()
    assert spool_of(config).entries() == []


async def test_a_relay_that_is_away_is_tried_again(start: StartRelay, configured: Callable[..., Config]) -> None:
    relay = await start("451 come back later")
    config = configured(host="127.0.0.1", port=relay.port)
    await send(Mail(lambda: config), config)
    await postman(config).round()
    [entry] = spool_of(config).entries()
    assert entry.due > entry.created + 29
    await postman(config).round()
    assert relay.got == []  # its time has not come
    with clock.frozen(entry.due):
        await postman(config).round()
    assert len(relay.got) == 1
    assert spool_of(config).entries() == []


async def test_what_the_relay_refuses_for_good_is_given_up(
    start: StartRelay, configured: Callable[..., Config]
) -> None:
    relay = await start("554 not here", "250 OK")
    config = configured(host="127.0.0.1", port=relay.port)
    mail = Mail(lambda: config)
    await send(mail, config, "ann@example.com")
    await send(mail, config, "bob@example.com")
    await postman(config).round()
    assert [envelope.rcpt_tos for envelope in relay.got] == [["bob@example.com"]]
    assert [entry.failed for entry in spool_of(config).entries()] == [True]


async def test_patience_ends(configured: Callable[..., Config]) -> None:
    config = configured(host="127.0.0.1", port=1)
    await send(Mail(lambda: config), config)
    [entry] = spool_of(config).entries()
    with clock.frozen(entry.created + 4 * 86_400):
        await postman(config).round()
    assert [entry.failed for entry in spool_of(config).entries()] == [True]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_relay_wants_a_log_in(start: StartRelay, configured: Callable[..., Config]) -> None:
    relay = await start(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    for password, delivered in (("wrong", 0), ("hush", 1)):
        config = configured(host="127.0.0.1", port=relay.port, user="crossbar", password=password)
        await send(Mail(lambda config=config: config), config)  # type: ignore[misc]
        await postman(config).round()
        assert len(relay.got) == delivered


async def test_one_of_many_workers_delivers(start: StartRelay, configured: Callable[..., Config]) -> None:
    relay = await start()
    config = configured(host="127.0.0.1", port=relay.port)
    for _ in range(5):
        await send(Mail(lambda: config), config)
    await asyncio.gather(*(postman(config).round() for _ in range(3)))
    assert len(relay.got) == 5


async def test_a_spool_that_takes_nothing_is_told(configured: Callable[..., Config], tmp_path: Path) -> None:
    config = configured()
    (tmp_path / "mail").write_text("a file where the folder should be")
    assert await send(Mail(lambda: config), config) is False
    assert (tmp_path / "mail").is_file()


async def test_a_letter_that_is_held_waits_until_it_is_released(
    start: StartRelay, configured: Callable[..., Config]
) -> None:
    relay = await start()
    config = configured(host="127.0.0.1", port=relay.port)
    mail = Mail(lambda: config)
    message = composed(sender=config.mail.sender, to=["ann@example.com"], subject="Hello", text="Dear Ann")
    held = [await mail.hold(message, f"a{number}-0") for number in range(3)]
    await postman(config).round()
    assert (relay.got, sorted(await mail.held()), spool_of(config).entries()) == ([], sorted(held), [])
    assert await mail.release(held[0]) is True
    assert await mail.release(held[0]) is False
    await mail.discard(held[1])
    await mail.discard(held[1])
    await postman(config).round()
    assert (len(relay.got), await mail.held()) == (1, [held[2]])
