# SPDX-License-Identifier: MPL-2.0
"""A way back in for who forgot the password: a link by mail that logs in once.

Source: KAZOO `cb_user_auth` (`recovery`). There a link can be used again and again; here it is good for one log-in,
within two days, and only its digest is kept. It leads to known user interfaces only, and the answer is the same whether
or not there is such a user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.access.directory import Account
from crossbar.access.login_types import USER_AUTH, LoginMethod
from crossbar.dialing import account_of
from crossbar.documents.document import Document
from crossbar.documents.document_types import USER
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.documents.store import Transaction
from crossbar.endpoint import Context, Reply, Who
from crossbar.errors import Invalid, InvalidCredentials
from crossbar.events.notices import notice, tell
from crossbar.ids import new_secret
from crossbar.resources.auth.user_auth import logged_in, login_record, user_auth
from crossbar.resources.identity.users import username_claim
from crossbar.resources.system.whitelabel import domain_claim

TYPE: Final = "password_reset"
LIFETIME_SECONDS: Final = 2 * clock.DAY
ANSWER_SECONDS: Final = 0.1
"""How long an answer takes at least: longer than a letter, so that the time does not tell whether there was one."""
HANDLED: Final = "Request for password reset handled, email sent to: the address of the user, if there is one"
PORTS: Final = {"http": 80, "https": 443}


def claim(digest: str) -> Unique:
    """What finds a reset by its id's digest."""
    return Unique(TYPE, digest, "reset_id", "The reset id is taken", system=True)


def claims(reset: Document) -> Iterator[Unique]:
    """The digest of the id in the link, by which the reset is found."""
    yield claim(reset.fields["pvt_digest"])


PASSWORD_RESET_SHAPE: Final = Shape(TYPE, summary=Summary("id"), unique=claims, moves=False)
"""One document for each user who asked; its id is the user's, so that the last link alone counts."""


@user_auth.put("/user_auth/recovery", who=Who.ANONYMOUS, schema="user_auth_recovery")
async def send_link(context: Context) -> Reply:
    """Mail a user the link that logs in. It costs like a log-in, and there are not many an hour.

    What is asked for counts by the client's address, and by the user's name whether or not somebody has it.
    """
    costs, limits = context.runtime.access.costs, context.config.access
    costs.charge(context, login=True)
    data = context.valid_data()
    site = _web_page(data["ui_url"])
    costs.ration(f"recovery/address/{context.client_ip}", limits.recoveries_per_address)
    account = await _account(context, data)
    await _require_user_interface(context, account, site)
    username = data["username"].lower()
    costs.ration(f"recovery/user/{account.id}/{username}", limits.recoveries_per_user)
    await asyncio.gather(_mail(context, account, username, data["ui_url"]), asyncio.sleep(ANSWER_SECONDS))
    return Reply(HANDLED)


async def _mail(context: Context, account: Account, username: str, ui_url: str) -> None:
    """Send the link to the user of this name, if there is one who is enabled and has an address."""
    holder = await context.store.claims.holder(account.id, username_claim(username).key)
    user = await context.store.get(account.id, USER, holder) if holder else None
    if user is None or user.at("enabled") is False or not user.text("email"):
        return
    size = context.config.api.reset_id_size
    reset_id = new_secret((size + 1) // 2)[:size]
    fields = {"pvt_digest": _digest(context, reset_id), "pvt_type": TYPE, "pvt_created": clock.now()}
    separator = "&" if "?" in ui_url else "?"
    about = {
        "user_id": user.id,
        "email": user.text("email"),
        "first_name": user.text("first_name"),
        "last_name": user.text("last_name"),
        "timezone": user.at("timezone"),
    }
    secret = {"password_reset_link": f"{ui_url}{separator}recovery={reset_id}"}
    letter = notice("password_recovery", account.id, about, secret=secret)

    async def keep(transaction: Transaction) -> None:
        previous = await transaction.get(account.id, TYPE, user.id)
        reset = Document(account.id, TYPE, user.id, fields)
        await (transaction.insert(reset) if previous is None else transaction.replace(reset, previous))
        await tell(transaction, [letter])

    await context.store.transact(keep)


@user_auth.post("/user_auth/recovery", who=Who.ANONYMOUS, schema="user_auth_recovery_reset")
async def use_link(context: Context) -> Reply:
    """Log in with the id of a link, and note that a new password is due."""
    access = context.runtime.access
    access.costs.charge(context, login=True)
    reset_id = context.valid_data()["reset_id"]
    reset = await _reset(context, reset_id)
    account = await access.directory.reread_account(reset.partition) if reset else None
    user = await access.directory.reread_user(reset.partition, reset.id) if reset else None
    if reset is None or account is None or user is None or not user.enabled:
        access.costs.drain(context)
        message = "The provided reset_id did not resolve to any user"
        raise Invalid.field("user", "not_found", message, cause=reset_id)
    way = LoginMethod(USER_AUTH, "user_auth_recovery_reset", context, login_record(context))
    login = await access.logins.admit(account, user, way, context.object.get("multi_factor_response"))
    await _demand_new_password(context, reset)
    await context.store.remove(reset)
    return await logged_in(context, login)


async def _demand_new_password(context: Context, reset: Document) -> None:
    def demand(user: Document) -> None:
        user.fields.update(stamps(context.author, user), require_password_update=True)

    if await context.store.update(reset.partition, USER, reset.id, demand) is None:
        raise InvalidCredentials


async def _reset(context: Context, reset_id: str) -> Document | None:
    """The reset of this id, if it is not too old."""
    wanted = claim(_digest(context, reset_id))
    holder = (await context.store.claims.holders("", [wanted])).get(wanted.key)
    reset = await context.store.get(holder.partition, TYPE, holder.id) if holder else None
    fresh = reset is not None and reset.fields["pvt_created"] > clock.now() - LIFETIME_SECONDS
    return reset if fresh else None


def _digest(context: Context, reset_id: str) -> str:
    return context.runtime.access.pepper.digest(f"reset_id:{reset_id.lower()}")


def _web_page(ui_url: str) -> SplitResult:
    """The page of a user interface; nothing but a web page is opened by a link of ours."""
    try:
        parts = urlsplit(ui_url)
        usable = parts.scheme in PORTS and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not ui_url.isprintable() or " " in ui_url:
        raise Invalid.field("ui_url", "invalid", "The URL must be that of a web page", cause=ui_url)
    return parts


async def _require_user_interface(context: Context, account: Account, site: SplitResult) -> None:
    """Refuse a page that is neither under a configured host nor under the whitelabel domain of the account's tree."""
    host = site.netloc.lower().removesuffix(f":{PORTS[site.scheme]}")
    if host in context.config.access.recovery_hosts:
        return
    held = await context.store.claims.system_holder(domain_claim(host).key)
    if held is None or not account.within(held.partition):
        message = "The URL must be that of a user interface of this server"
        raise Invalid.field("ui_url", "forbidden", message, cause=site.geturl())


async def _account(context: Context, data: dict[str, Any]) -> Account:
    """The account that the request names; what it names in vain is told, as in KAZOO, with all that was tried."""
    errors = Invalid()
    if number := data.get("phone_number"):
        holder = await account_of(context.store, str(number))
        account = await context.directory.account(holder) if holder else None
        if account is not None:
            return account
        errors.add("phone_number", "not_found", "The provided phone number could not be found", cause=number)
    if realm := data.get("account_realm") or data.get("realm"):
        account = await context.directory.account_of_realm(str(realm))
        if account is not None:
            return account
        errors.add("account_realm", "not_found", "The provided account realm could not be found", cause=realm)
    if name := data.get("account_name"):
        accounts = await context.directory.accounts_of_name(name)
        if accounts:
            return accounts[0]
        errors.add("account_name", "not_found", "The provided account name could not be found", cause=name)
    if not errors.fields:
        errors.add("account_name", "required", "Field is required but missing", value="account_name")
    raise errors
