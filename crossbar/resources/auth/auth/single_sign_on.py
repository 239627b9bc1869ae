# SPDX-License-Identifier: MPL-2.0
"""Logging in by others: with a code or a token of a provider at which we have an application.

Source: KAZOO `cb_auth`, `kz_auth_profile.erl`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import ClientSession, ClientTimeout, web

from crossbar import clock
from crossbar.access.bad_token import BadToken
from crossbar.access.login_types import OTHERS_AUTH, LoginMethod
from crossbar.access.second_factor import PROVIDER
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.endpoint import Context, Reply, Who
from crossbar.errors import Invalid, InvalidCredentials
from crossbar.resources.auth.auth import auth
from crossbar.resources.auth.domain.login_link import LINK, linked_user
from crossbar.resources.auth.domain.login_provider import APP
from crossbar.resources.auth.domain.oauth import Person, Unproven, issuer_and_audience, person_of_code, person_of_token
from crossbar.resources.auth.user_auth import logged_in, login_record
from crossbar.runtime import Runtime

TIMEOUT_SECONDS: Final = 10
INTRODUCTION_SECONDS: Final = 3600
"""How long somebody has to say which user of ours they are."""

SESSION: Final = web.AppKey("single sign-on", ClientSession)


@asynccontextmanager
async def provider_session(app: web.Application, _: Runtime) -> AsyncIterator[None]:
    """One worker's connections to providers."""
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        app[SESSION] = session
        yield


@auth.put("/auth/callback", who=Who.ANONYMOUS, schema="auth.callback")
async def log_in_by_code(context: Context) -> Reply:
    """Log in with the code that a provider sent the user back with."""
    context.runtime.access.costs.charge(context, login=True)
    data = context.valid_data()
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


@auth.put(
    "/auth/authorize",
    who=Who.ANONYMOUS,
    options={
        "token": "One of our tokens, or an OpenID token",
        "id_token": "The same under the name that OpenID has for it",
    },
)
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
    method = LoginMethod(OTHERS_AUTH, "jwt_auth_token", context, login_record(context))
    if identity.user is None or "as" in identity.claims or identity.original_account_id is not None:
        raise _refused(context)
    return await logged_in(context, await context.runtime.access.logins.admit(identity.account, identity.user, method))


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
    linked = linked_user(known)
    if linked is None:
        told = {"method": OTHERS_AUTH, **claims}
        token = await context.runtime.access.tokens.vouch(told, lifetime=INTRODUCTION_SECONDS)
        return Reply({}, auth_token=token)
    account = await context.directory.account(linked[0])
    user = await context.directory.user(*linked)
    if account is None or user is None or not user.enabled:
        raise _refused(context)
    method = LoginMethod(OTHERS_AUTH, "jwt_auth_token", context, login_record(context))
    response = context.object.get("multi_factor_response")
    login = await context.runtime.access.logins.admit(account, user, method, response, claims)
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
