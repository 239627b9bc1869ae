"""Log-in by others: their providers, our applications there, and who of theirs is which user of ours.

Source: KAZOO `cb_auth`, `kz_auth_apps.erl`, `kz_auth_profile.erl`. KAZOO registers applications by maintenance command;
here superduper admins post them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import ClientSession, ClientTimeout, web

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.access.login_types import OTHERS_AUTH, LoginMethod
from crossbar.access.second_factor import PROVIDER
from crossbar.access.tokens import BadToken
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Reply, Who, answer_listing
from crossbar.errors import Forbidden, Invalid, InvalidCredentials, NotFound, SystemFault
from crossbar.resources.auth.auth import auth
from crossbar.resources.auth.domain.login_provider import OAUTH, PROVIDER_SHAPE
from crossbar.resources.auth.domain.oauth import Person, Unproven, issuer_and_audience, person_of_code, person_of_token
from crossbar.resources.auth.user_auth import logged_in, login_record
from crossbar.runtime import Runtime

APP: Final = "auth_app"
LINK: Final = "auth_link"
TIMEOUT_SECONDS: Final = 10
INTRODUCTION_SECONDS: Final = 3600
"""How long somebody has to say which user of ours he is."""

SESSION: Final = web.AppKey("single sign-on", ClientSession)


def _app_tags(app: Document) -> Iterable[str]:
    return [f"account/{app.text('pvt_account_id')}", f"provider/{app.text('provider')}"]


def _link_tags(link: Document) -> Iterable[str]:
    return [_user_tag(link.text("pvt_linked_account_id"), link.text("pvt_linked_owner_id"))]


def _user_tag(account_id: str, owner_id: str) -> str:
    return f"user/{account_id}/{owner_id}"


LINK_SHAPE: Final = Shape(
    LINK,
    summary=Summary("id", "scopes", "email", app="pvt_app_id", provider="pvt_app_provider_id"),
    tags=_link_tags,
)

providers = Collection(
    auth,
    "/auth/providers/{provider_id}",
    PROVIDER_SHAPE,
    schema="auth.provider",
    operations=(),
    partition=lambda _: SYSTEM_AUTH,
)
apps = Collection(
    auth,
    "/auth/apps/{app_id}",
    Shape(APP, summary=Summary("id", "name", "description", "provider"), tags=_app_tags),
    schema="auth.app",
    operations=(),
    partition=lambda _: SYSTEM_AUTH,
)


@asynccontextmanager
async def provider_session(app: web.Application, _: Runtime) -> AsyncIterator[None]:
    """One worker's connections to providers."""
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        app[SESSION] = session
        yield


# Providers


@auth.get("/auth/providers", who=Who.AUTHENTICATED)
async def list_providers(context: Context) -> Reply:
    """All providers of the system."""
    return await answer_listing(context, PROVIDER, SYSTEM_AUTH)


@auth.get("/auth/providers/{provider_id}", who=Who.AUTHENTICATED)
async def read_provider(context: Context) -> Reply:
    """One provider; its settings hold secrets, and are for superduper admins only."""
    provider = await providers.life.load(context, context.path["provider_id"])
    public = provider.public
    if not context.identity.superduper:
        public.pop("settings", None)
    return Reply(public, revision=provider.revision)


@auth.post("/auth/providers/{provider_id}", who=Who.SUPERDUPER, checks_itself=True)
async def save_provider(context: Context) -> Reply:
    """Change a provider, or make a new one known."""
    provider_id = context.path["provider_id"]
    provider = await providers.life.upsert(context, provider_id, lambda _: {**context.object, "id": provider_id})
    return Reply.document(provider)


@providers.finish
async def set_provider_type(_: Context, draft: Draft) -> None:
    """A new provider is one of log-ins, unless it says otherwise."""
    if draft.previous is None:
        draft.private["pvt_provider_type"] = draft.data.get("provider_type") or OAUTH


@auth.delete("/auth/providers/{provider_id}", who=Who.SUPERDUPER, checks_itself=True)
async def delete_provider(context: Context) -> Reply:
    """Forget a provider that no application uses."""
    provider = await providers.life.load(context, context.path["provider_id"])
    if await context.store.all(Listing(SYSTEM_AUTH, APP, tag=f"provider/{provider.id}", limit=1)):
        raise SystemFault("apps exist for provider")
    return await providers.life.remove_and_answer(context, provider)


# Applications


@auth.get("/auth/apps", who=Who.AUTHENTICATED)
async def list_apps(context: Context) -> Reply:
    """The applications that users of an account log in with: its own, else its reseller's."""
    account_id = context.values.text("account_id") or context.identity.account_id
    account = await context.directory.account(account_id)
    if account is None:
        raise NotFound(account_id)
    caller = context.identity.account
    if not (caller.superduper_admin or account.within(caller.id) or caller.within(account.id)):
        raise Forbidden
    own = Listing(SYSTEM_AUTH, APP, tag=f"account/{account.id}", limit=1)
    holder = account.id if await context.store.all(own) else await context.directory.reseller_of(account)
    return await answer_listing(context, APP, SYSTEM_AUTH, tag=f"account/{holder}")


@auth.get("/auth/apps/{app_id}", who=Who.AUTHENTICATED)
async def read_app(context: Context) -> Reply:
    """One application, without its secret."""
    return Reply.document(await apps.life.load(context, context.path["app_id"]))


@auth.post("/auth/apps/{app_id}", who=Who.SUPERDUPER, checks_itself=True)
async def save_app(context: Context) -> Reply:
    """Change an application, or register one with its provider, for `account_id` or the caller's account."""
    return Reply.document(await apps.life.upsert(context, context.path["app_id"], lambda _: dict(context.object)))


@apps.finish
async def seal_secret(context: Context, draft: Draft) -> None:
    """The provider has to be known; the secret is kept sealed and never shown."""
    if await context.store.get(SYSTEM_AUTH, PROVIDER, draft.data["provider"]) is None:
        draft.errors.add("provider", "not_found", "The provider is not known", cause=draft.data["provider"])
        return
    draft.private["pvt_secret"] = context.runtime.access.pepper.seal(draft.data.pop("secret"))
    draft.private["pvt_account_id"] = draft.data.pop("account_id", None) or context.identity.account_id


@auth.delete("/auth/apps/{app_id}", who=Who.SUPERDUPER, checks_itself=True)
async def delete_app(context: Context) -> Reply:
    """Forget an application."""
    return await apps.life.remove_and_answer(context, await apps.life.load(context, context.path["app_id"]))


# Links


@auth.get("/auth/links", who=Who.AUTHENTICATED)
async def list_links(context: Context) -> Reply:
    """Whom others know as the caller."""
    tag = _user_tag(context.identity.account_id, context.identity.owner_id or "")
    return await answer_listing(context, LINK, SYSTEM_AUTH, tag=tag)


@auth.get("/auth/links/{link_id}", who=Who.AUTHENTICATED)
async def read_link(context: Context) -> Reply:
    """One of the caller's links."""
    return Reply.document(await _own_link(context))


@auth.get("/accounts/{account_id}/auth/links/{link_id}")
async def read_link_of_account(context: Context) -> Reply:
    """A link of a user of the account."""
    link = await _link(context)
    if link.text("pvt_linked_account_id") != context.account_id:
        raise NotFound(link.id)
    return Reply.document(link)


@auth.put("/auth/links/{link_id}", who=Who.AUTHENTICATED)
async def link(context: Context) -> Reply:
    """From now on who logs in that way is the caller; what is another user's stays that."""
    identity = context.identity
    if identity.owner_id is None:
        raise Forbidden
    wanted = (identity.account_id, identity.owner_id)

    def make(found: Document) -> None:
        if _linked(found) not in (None, wanted):
            raise Forbidden
        found.fields.update(
            stamps(context.author, found), pvt_linked_account_id=wanted[0], pvt_linked_owner_id=wanted[1]
        )

    linked = await context.store.update(SYSTEM_AUTH, LINK, context.path["link_id"], make)
    if linked is None:
        raise NotFound(context.path["link_id"])
    return Reply.document(linked)


@auth.delete("/auth/links/{link_id}", who=Who.AUTHENTICATED)
async def unlink(context: Context) -> Reply:
    """Who logs in that way is nobody of ours any more."""
    own = await _own_link(context)

    def cut(found: Document) -> None:
        for name in ("pvt_linked_account_id", "pvt_linked_owner_id"):
            found.fields.pop(name, None)

    await context.store.update(SYSTEM_AUTH, LINK, own.id, cut)
    return Reply({**own.public, "_read_only": {"deleted": True}}, revision=own.revision)


async def _link(context: Context) -> Document:
    found = await context.store.get(SYSTEM_AUTH, LINK, context.path["link_id"])
    if found is None:
        raise NotFound(context.path["link_id"])
    return found


async def _own_link(context: Context) -> Document:
    found = await _link(context)
    if _linked(found) != (context.identity.account_id, context.identity.owner_id):
        raise NotFound(found.id)
    return found


def _linked(found: Document) -> tuple[str, str] | None:
    """The account and user behind a link, if there are any."""
    account_id, owner_id = found.text("pvt_linked_account_id"), found.text("pvt_linked_owner_id")
    return (account_id, owner_id) if account_id and owner_id else None


# Logging in


@auth.put("/auth/callback", who=Who.ANONYMOUS)
async def log_in_by_code(context: Context) -> Reply:
    """Log in with the code that a provider sent the user back with."""
    context.runtime.access.costs.charge(context, login=True)
    data = context.valid("auth.callback", context.object)
    try:
        app, provider = await _app_and_provider(context, data["client_id"])
        person = await person_of_code(
            context.service(SESSION),
            provider,
            client_id=app.id,
            secret=context.runtime.access.pepper.unseal(app.fields["pvt_secret"]),
            code=data["code"],
            redirect_uri=data["redirect_uri"],
        )
    except Unproven as error:
        raise _refused(context) from error
    return await _log_in(context, app, provider, person)


@auth.put("/auth/authorize", who=Who.ANONYMOUS)
async def log_in_by_token(context: Context) -> Reply:
    """Log in with a token: one of ours, or an OpenID token that a provider made out to one of our applications."""
    context.runtime.access.costs.charge(context, login=True)
    token = context.values.text("token") or context.values.text("id_token")
    if token is None:
        raise Invalid.field("token", "required", "Field is required but missing", value="token")
    try:
        identity = await context.runtime.access.tokens.verify(token)
    except BadToken:
        return await _log_in_by_foreign_token(context, token)
    way = LoginMethod(OTHERS_AUTH, "jwt_auth_token", context, login_record(context))
    if identity.user is None or "as" in identity.claims or identity.original_account_id is not None:
        raise _refused(context)
    return await logged_in(context, await context.runtime.access.logins.admit(identity.account, identity.user, way))


async def _log_in_by_foreign_token(context: Context, token: str) -> Reply:
    try:
        issuer, audience = issuer_and_audience(token)
        for client_id in audience:
            app, provider = await _app_and_provider(context, client_id)
            if issuer in (provider.at("issuer_domains") or ()):
                person = await person_of_token(context.service(SESSION), provider, token, client_id=app.id)
                return await _log_in(context, app, provider, person)
    except Unproven as error:
        raise _refused(context) from error
    raise _refused(context)


def _refused(context: Context) -> InvalidCredentials:
    context.runtime.access.costs.drain(context)
    return InvalidCredentials()


async def _app_and_provider(context: Context, client_id: str) -> tuple[Document, Document]:
    app = await context.store.get(SYSTEM_AUTH, APP, client_id)
    provider = await context.store.get(SYSTEM_AUTH, PROVIDER, app.text("provider")) if app else None
    if app is None or provider is None or provider.at("enabled") is False:
        raise Unproven("no such application")
    return app, provider


async def _log_in(context: Context, app: Document, provider: Document, person: Person) -> Reply:
    """A token for the user behind the person; for one who is linked to no user, a token that only says who it is."""
    known = await _remember(context, app, provider, person)
    claims = {
        "auth_app_id": app.id,
        "auth_provider": provider.id,
        "auth_id": known.id,
        "display_name": person.display_name,
        "email": person.email,
    }
    linked = _linked(known)
    if linked is None:
        told = {"method": OTHERS_AUTH, **claims}
        token = await context.runtime.access.tokens.vouch(told, lifetime=INTRODUCTION_SECONDS)
        return Reply({}, auth_token=token)
    account = await context.directory.account(linked[0])
    user = await context.directory.user(*linked)
    if account is None or user is None or not user.enabled:
        raise _refused(context)
    way = LoginMethod(OTHERS_AUTH, "jwt_auth_token", context, login_record(context))
    response = context.object.get("multi_factor_response")
    login = await context.runtime.access.logins.admit(account, user, way, response, claims)
    return await logged_in(context, login)


async def _remember(context: Context, app: Document, provider: Document, person: Person) -> Document:
    """The link document of a person, with what the provider says now."""
    link_id = f"{app.text('pvt_user_prefix') or provider.id}-{person.identity}"
    pepper = context.runtime.access.pepper
    facts: dict[str, Any] = {
        "email": person.email,
        "display_name": person.display_name,
        "scopes": list(person.scopes),
        "profile": dict(person.profile),
        "pvt_app_id": app.id,
        "pvt_app_provider_id": provider.id,
        "pvt_app_account_id": app.text("pvt_account_id"),
        "pvt_user_identity": person.identity,
        "pvt_refresh_token": pepper.seal(person.refresh_token) if person.refresh_token else None,
    }
    known = {name: fact for name, fact in facts.items() if fact is not None}
    changed = await context.store.update(SYSTEM_AUTH, LINK, link_id, lambda found: found.fields.update(known))
    if changed is not None:
        return changed
    fields = {**known, "pvt_type": LINK, "pvt_created": clock.now(), "pvt_modified": clock.now()}
    return await context.store.upsert(Document(SYSTEM_AUTH, LINK, link_id, fields))
