"""The mails that tell of new accounts and users, and bring a way back in.

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
from crossbar.documents.document_types import USER
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.events.mail import Mail
from crossbar.runtime import Runtime

MAIL: Final = web.AppKey("mail", Mail)


@asynccontextmanager
async def mail_delivery(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """One worker's mail, delivered while the server runs."""
    mail = app[MAIL] = Mail(lambda: runtime.config)
    async with mail.delivering():
        yield


async def welcome(mail: Mail, account: Account, user: Document) -> None:
    """Tell a new user of the log-in, if there is an address."""
    if email := user.text("email"):
        told = {
            "first_name": user.text("first_name"),
            "username": user.text("username"),
            "account_name": account.name,
        }
        await mail.send("new_user", email, told)


async def announce(mail: Mail, store: Store, account: Document, parent: Account) -> None:
    """Tell the administrators of the account above of a new account."""
    for user in await store.all(Listing(parent.id, USER)):
        if user.at("priv_level") == "admin" and user.at("enabled") is not False and (email := user.text("email")):
            told = {
                "first_name": user.text("first_name"),
                "parent_name": parent.name,
                "account_name": account.at("name"),
                "realm": account.at("realm"),
                "account_id": account.id,
            }
            await mail.send("new_account", email, told)


async def send_recovery(mail: Mail, account: Account, user: Document, link: str) -> None:
    """Send a user the link that logs in once."""
    told = {
        "first_name": user.text("first_name"),
        "username": user.text("username"),
        "account_name": account.name,
        "site": urlsplit(link).netloc,
        "link": link,
    }
    await mail.send("password_recovery", user.text("email"), told)
