"""A way back in for who forgot the password: a link by mail that logs in once.

Source: KAZOO `cb_user_auth` (`recovery`). There a link can be used again and again; here it is good for one log-in,
within two days, and only its digest is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from crossbar import clock
from crossbar.access.directory import Account
from crossbar.access.logins import USER_AUTH, Way
from crossbar.dialing import account_of
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Call, Reply, Who, stamps
from crossbar.errors import Invalid, InvalidCredentials
from crossbar.ids import new_secret
from crossbar.resources.auth.domain.login_answer import logged_in
from crossbar.resources.auth.domain.login_attempt import recorder
from crossbar.resources.auth.user_auth import user_auth
from crossbar.resources.identity.domain.welcome_mail import send_recovery
from crossbar.resources.identity.users import username_claim

TYPE: Final = "password_reset"
LIFETIME_SECONDS: Final = 2 * 86_400


def claim(digest: str) -> Unique:
    """What finds a reset by its id's digest."""
    return Unique(TYPE, digest, "reset_id", "The reset id is taken", system=True)


def _claims(reset: Document) -> Iterator[Unique]:
    yield claim(reset.fields["pvt_digest"])


SHAPE: Final = Shape(TYPE, summary=Summary("id"), unique=_claims)
"""One document for each user who asked; its id is the user's, so that the last link alone counts."""


@user_auth.put("/recovery", who=Who.ANONYMOUS)
async def send_link(call: Call) -> Reply:
    """Mail a user the link that logs in. It costs like a log-in, so that nobody is flooded with mail."""
    call.services.access.costs.charge(call.asked, login=True)
    data = call.valid("user_auth_recovery", call.object)
    ui_url = _checked_url(data["ui_url"])
    account = await _account(call, data)
    user = await _user(call, account, data["username"])
    reset_id = new_secret((call.config.api.reset_id_size + 1) // 2)[: call.config.api.reset_id_size]
    fields = {"pvt_digest": _digest(call, reset_id), "pvt_type": TYPE, "pvt_created": clock.now()}
    await call.store.put(Document(account.id, TYPE, user.id, fields))
    separator = "&" if "?" in ui_url else "?"
    await send_recovery(call, account, user, f"{ui_url}{separator}recovery={reset_id}")
    return Reply(f"Request for password reset handled, email sent to: {user.at('email')}")


@user_auth.post("/recovery", who=Who.ANONYMOUS)
async def use_link(call: Call) -> Reply:
    """Log in with the id of a link, and note that a new password is due."""
    access = call.services.access
    access.costs.charge(call.asked, login=True)
    reset_id = call.valid("user_auth_recovery_reset", call.object)["reset_id"]
    reset = await _reset(call, reset_id)
    account = await access.directory.reread_account(reset.database) if reset else None
    user = await access.directory.reread_user(reset.database, reset.id) if reset else None
    if reset is None or account is None or user is None or not user.enabled:
        access.costs.drain(call.asked)
        message = "The provided reset_id did not resolve to any user"
        raise Invalid.field("user", "not_found", message, cause=reset_id)
    way = Way(USER_AUTH, "user_auth_recovery_reset", call.asked, recorder(call))
    login = await access.logins.admit(account, user, way, call.object.get("multi_factor_response"))
    await _demand_new_password(call, reset)
    await call.store.remove(reset)
    return await logged_in(call, login)


async def _demand_new_password(call: Call, reset: Document) -> None:
    def demand(user: Document) -> None:
        user.fields.update(stamps(call, user), require_password_update=True)

    if await call.store.change(reset.database, "user", reset.id, demand) is None:
        raise InvalidCredentials


async def _reset(call: Call, reset_id: str) -> Document | None:
    """The reset of this id, if it is not too old."""
    wanted = claim(_digest(call, reset_id))
    holder = (await call.store.claimants("", [wanted])).get(wanted.key)
    reset = await call.store.get(holder.database, TYPE, holder.id) if holder else None
    fresh = reset is not None and reset.fields["pvt_created"] > clock.now() - LIFETIME_SECONDS
    return reset if fresh else None


def _digest(call: Call, reset_id: str) -> str:
    return call.services.access.pepper.digest(f"reset_id:{reset_id.lower()}")


def _checked_url(ui_url: str) -> str:
    """The page of a user interface; nothing but a web page is opened by a link of ours."""
    try:
        parts = urlsplit(ui_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or not ui_url.isprintable() or " " in ui_url:
        raise Invalid.field("ui_url", "invalid", "The URL must be that of a web page", cause=ui_url)
    return ui_url


async def _account(call: Call, data: dict[str, Any]) -> Account:
    """The account that the request names; what it names in vain is told, as in KAZOO, with all that was tried."""
    errors = Invalid()
    if number := data.get("phone_number"):
        holder = await account_of(call.store, str(number))
        account = await call.directory.account(holder) if holder else None
        if account is not None:
            return account
        errors.add("phone_number", "not_found", "The provided phone number could not be found", cause=number)
    if realm := data.get("account_realm") or data.get("realm"):
        account = await call.directory.account_of_realm(str(realm))
        if account is not None:
            return account
        errors.add("account_realm", "not_found", "The provided account realm could not be found", cause=realm)
    if name := data.get("account_name"):
        accounts = await call.directory.accounts_of_name(name)
        if accounts:
            return accounts[0]
        errors.add("account_name", "not_found", "The provided account name could not be found", cause=name)
    if not errors:
        errors.add("account_name", "required", "Field is required but missing", value="account_name")
    raise errors


async def _user(call: Call, account: Account, username: str) -> Document:
    """The user of this name, enabled and with an address."""
    holder = await call.store.holder(account.id, username_claim(username).key)
    user = await call.store.get(account.id, "user", holder) if holder else None
    if user is None:
        raise Invalid.field("username", "not_found", "The provided user name was not found", cause=username)
    if user.at("enabled") is False:
        raise Invalid.field("username", "forbidden", "The provided user name is disabled", cause=username)
    if not user.text("email"):
        raise Invalid.field("email", "required", "The user has no address to which a link could be sent")
    return user
