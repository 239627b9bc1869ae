# SPDX-License-Identifier: MPL-2.0
"""Log-in by others, seen from our side: OAuth codes and OpenID tokens become facts about a person.

Source: `kz_auth_util.erl` (`fetch_access_code`), `kz_auth_profile.erl`, `kz_auth_token_util.erl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
import orjson
from aiohttp import ClientError, ClientSession

from crossbar.documents.document import Document
from crossbar.documents.dry_run import refuse_dry
from crossbar.errors import JSON

LARGEST_ANSWER: Final = 256 * 1024
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256"]
EMAIL_FIELDS: Final = ("email", "emailAddress", "email_address", "mail")


class Unproven(Exception):
    """The provider did not confirm what the client claims."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a provider knows: `identity` is the provider's own name of the person."""

    identity: str
    profile: Mapping[str, JSON]
    email: str | None = None
    display_name: str | None = None
    scopes: tuple[str, ...] = ()
    refresh_token: str | None = field(default=None, repr=False)


async def person_of_code(
    session: ClientSession, provider: Document, *, client_id: str, secret: str, code: str, redirect_uri: str
) -> Person:
    """The person who got `code` from the provider. Raises Unproven."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uri": redirect_uri,
    }
    tokens = await _fetch(session, "POST", provider.text("auth_url"), data=form)
    access_token = tokens.get("access_token")
    profile_url = provider.text("profile_url")
    if profile_url and isinstance(access_token, str):
        headers = {"Authorization": f"Bearer {access_token}"}
        profile = await _fetch(session, "GET", profile_url, headers=headers)
    else:
        profile = _claims_from_provider(tokens.get("id_token"))
    return _person(provider, profile, tokens)


async def person_of_token(session: ClientSession, provider: Document, token: str, *, client_id: str) -> Person:
    """The person for whom the provider signed an OpenID token that was made out to our application. Raises Unproven."""
    discovered = await _fetch(session, "GET", provider.text("discovery"))
    keys = await _fetch(session, "GET", str(discovered.get("jwks_uri") or ""))
    try:
        key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token).get("kid", "")]
        claims = jwt.decode(
            token,
            key,
            ALGORITHMS,
            audience=client_id,
            issuer=provider.at("issuer_domains"),
            options={"require": ["exp"]},
        )
    except (jwt.PyJWTError, KeyError) as error:
        raise Unproven("the token is not the provider's, not for us, or expired") from error
    return _person(provider, claims, claims)


def issuer_and_audience(token: str) -> tuple[str, list[str]]:
    """What an OpenID token says of itself, unproven: who issued it, and for which applications. Raises Unproven."""
    claims = _claims_from_provider(token)
    audience = claims.get("aud")
    return str(claims.get("iss", "")), [audience] if isinstance(audience, str) else list(audience or ())


def _claims_from_provider(token: JSON) -> dict[str, Any]:
    """The claims of a token that came straight from the provider, over a connection that it has proved to own."""
    try:
        claims: dict[str, Any] = jwt.decode(str(token), options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise Unproven("no token") from error
    return claims


def _person(provider: Document, profile: Mapping[str, JSON], tokens: Mapping[str, JSON]) -> Person:
    fields = provider.at("profile_identity_fields") or [provider.text("profile_identity_field") or "sub"]
    parts = [profile.get(name) for name in fields]
    if not all(isinstance(part, str | int) and not isinstance(part, bool) and part != "" for part in parts):
        raise Unproven("the provider does not say who that is")
    name = profile.get(provider.text("profile_displayName_field") or "name")
    scope, refresh_token = tokens.get("scope"), tokens.get("refresh_token")
    return Person(
        identity="-".join(map(str, parts)),
        profile=dict(profile),
        email=next((profile[name] for name in EMAIL_FIELDS if isinstance(profile.get(name), str)), None),
        display_name=name if isinstance(name, str) else None,
        scopes=tuple(scope.split()) if isinstance(scope, str) else (),
        refresh_token=refresh_token if isinstance(refresh_token, str) else None,
    )


async def _fetch(session: ClientSession, method: str, url: str, **request: Any) -> dict[str, Any]:
    """A JSON object from the provider. Raises Unproven when there is none."""
    refuse_dry("asks a provider of log-ins")
    try:
        async with session.request(method, url, allow_redirects=False, **request) as response:
            body = await response.content.read(LARGEST_ANSWER)
            answer = orjson.loads(body) if response.status == 200 else None
    except (TimeoutError, ClientError, ValueError) as error:
        raise Unproven("the provider does not answer") from error
    if not isinstance(answer, dict):
        raise Unproven("the provider refuses")
    return answer
