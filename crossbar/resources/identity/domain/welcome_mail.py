"""The mails that identity endpoints send.

Source: `teletype_new_user.erl`, `teletype_new_account.erl`, `teletype_password_recovery.erl` say when; the letters are
our own. A letter never holds a password.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from crossbar.access.directory import Account
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.endpoint import Context
from crossbar.events.mail import Mail
from crossbar.runtime import Runtime

MAIL: Final = web.AppKey("mail", Mail)


@asynccontextmanager
async def part(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """One worker's mail, delivered while the server runs."""
    mail = app[MAIL] = Mail(lambda: runtime.config)
    async with mail.delivering():
        yield


def wants_mail(context: Context) -> bool:
    """Whether the creation that the request asks for is to be told by mail."""
    return not context.values.is_false("send_email_on_creation")


async def welcome(context: Context, user: Document) -> None:
    """Tell a new user of the log-in, if there is an address."""
    if email := user.text("email"):
        told = {
            "first_name": user.text("first_name"),
            "username": user.text("username"),
            "account_name": context.account.name,
        }
        await context.service(MAIL).send("new_user", email, told)


async def announce(context: Context, account: Document, parent: Account) -> None:
    """Tell the administrators of the account above of a new account."""
    for user in await context.store.all(Listing(parent.id, "user")):
        if user.at("priv_level") == "admin" and user.at("enabled") is not False and (email := user.text("email")):
            told = {
                "first_name": user.text("first_name"),
                "parent_name": parent.name,
                "account_name": account.at("name"),
                "realm": account.at("realm"),
                "account_id": account.id,
            }
            await context.service(MAIL).send("new_account", email, told)


async def send_recovery(context: Context, account: Account, user: Document, link: str) -> None:
    """Send a user the link that logs in once."""
    told = {
        "first_name": user.text("first_name"),
        "username": user.text("username"),
        "account_name": account.name,
        "site": urlsplit(link).netloc,
        "link": link,
    }
    await context.service(MAIL).send("password_recovery", user.text("email"), told)
