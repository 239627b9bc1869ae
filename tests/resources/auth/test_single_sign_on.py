# SPDX-License-Identifier: MPL-2.0
"""Log-in by others, with a provider that is a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from crossbar import clock
from crossbar.ids import new_id
from tests.harness import Api, RunningServer, Tenant, issue_token

INVALID = (401, "401", "invalid_credentials", {"message": "invalid credentials"})
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})


@dataclass
class Provider:
    """An OpenID provider that knows one person, by the code `good`."""

    id: str = field(default_factory=lambda: f"provider-{new_id()[:8]}")
    client_id: str = field(default_factory=lambda: f"client-{new_id()[:8]}")
    subject: str = field(default_factory=new_id)
    url: str = ""
    key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    forms: list[dict[str, str]] = field(default_factory=list)

    async def token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.forms.append({name: str(value) for name, value in form.items()})
        if (form["code"], form["client_id"], form["client_secret"]) != ("good", self.client_id, "hush"):
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "opened", "scope": "openid email", "refresh_token": "once more"})

    async def profile(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer opened"
        return web.json_response({"sub": self.subject, "name": "Ann Lee", "email": "ann@example.com"})

    async def discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"jwks_uri": f"{self.url}/keys"})

    async def keys(self, _: web.Request) -> web.Response:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]})

    def id_token(self, key: RSAPrivateKey | None = None, **claims: Any) -> str:
        usual = {"iss": self.url, "aud": self.client_id, "sub": self.subject, "exp": int(clock.unix_now()) + 60}
        return jwt.encode(usual | claims, key or self.key, "RS256", headers={"kid": "one"})


@pytest_asyncio.fixture(loop_scope="session")
async def provider(master: Tenant) -> AsyncIterator[Provider]:
    """A running provider that the installation knows, with an application there."""
    provider = Provider()
    app = web.Application()
    app.router.add_post("/token", provider.token)
    app.router.add_get("/profile", provider.profile)
    app.router.add_get("/discovery", provider.discovery)
    app.router.add_get("/keys", provider.keys)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    fields = {
        "auth_url": f"{provider.url}/token",
        "profile_url": f"{provider.url}/profile",
        "discovery": f"{provider.url}/discovery",
        "issuer_domains": [provider.url],
        "profile_identity_field": "sub",
    }
    assert (await master.root.post(f"/auth/providers/{provider.id}", fields)).status == 200
    registered = await master.root.post(
        f"/auth/apps/{provider.client_id}",
        {"client_id": provider.client_id, "provider": provider.id, "secret": "hush", "name": "Portal"},
    )
    assert registered.status == 200, registered.envelope
    yield provider
    await runner.cleanup()


def callback(provider: Provider, **changes: str) -> dict[str, str]:
    usual = {
        "provider": provider.id,
        "client_id": provider.client_id,
        "code": "good",
        "redirect_uri": "https://ui.example.com",
    }
    return usual | changes


async def test_providers(tenant: Tenant, master: Tenant, provider: Provider) -> None:
    listed = {row["id"]: row for row in (await tenant.root.get("/auth/providers")).data}
    assert {"google", "office365", "salesforce", "duo", "otp", provider.id} <= set(listed)
    assert listed["google"] == {"id": "google", "provider_type": "oauth"}
    assert listed["duo"]["provider_type"] == "multi_factor"

    google = await tenant.root.get("/auth/providers/google")
    assert (google.status, google.data["profile_identity_field"]) == (200, "sub")
    assert "settings" not in (await tenant.root.get("/auth/providers/duo")).data
    assert (await master.root.get("/auth/providers/duo")).data["settings"] == {}
    assert (await tenant.root.get("/auth/providers/nobody")).error()[:3] == (404, "404", "bad_identifier")
    for verb in ("POST", "DELETE"):
        assert (await tenant.root.request(verb, "/auth/providers/google", {})).error() == FORBIDDEN

    refused = await master.root.delete(f"/auth/providers/{provider.id}")
    assert refused.error()[:3] == (500, "500", "apps exist for provider")
    assert (await master.root.delete(f"/auth/apps/{provider.client_id}")).status == 200
    deleted = await master.root.delete(f"/auth/providers/{provider.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})


async def test_applications(tenant: Tenant, stranger: Tenant, master: Tenant, provider: Provider) -> None:
    row = {"id": provider.client_id, "name": "Portal", "provider": provider.id}
    assert row in (await tenant.root.get("/auth/apps")).data  # its reseller's
    assert row in (await tenant.root.get("/auth/apps", query={"account_id": master.id})).data
    other = await tenant.root.get("/auth/apps", query={"account_id": stranger.id})
    assert other.error() == FORBIDDEN
    read = await tenant.root.get(f"/auth/apps/{provider.client_id}")
    shown = {"id": provider.client_id, "client_id": provider.client_id, "name": "Portal", "provider": provider.id}
    assert (read.status, read.data) == (200, shown)
    for verb in ("POST", "DELETE"):
        assert (await tenant.root.request(verb, f"/auth/apps/{provider.client_id}", {})).error() == FORBIDDEN
    unknown = await master.root.post("/auth/apps/x", {"client_id": "x", "provider": "nobody", "secret": "s"})
    detail = {"message": "The provider is not known", "cause": "nobody"}
    assert unknown.invalid() == {"provider": {"not_found": detail}}


async def test_from_a_stranger_s_code_to_a_linked_user(
    tenant: Tenant, anonymous: Api, provider: Provider, server: RunningServer
) -> None:
    first = await anonymous.put("/auth/callback", callback(provider))
    assert (first.status, first.data) == (201, {})
    introduction = first.envelope["auth_token"]
    claims = jwt.decode(introduction, options={"verify_signature": False})
    link_id = f"{provider.id}-{provider.subject}"
    assert (claims["auth_id"], claims["auth_app_id"], claims["email"]) == (
        link_id,
        provider.client_id,
        "ann@example.com",
    )
    assert provider.forms[0]["redirect_uri"] == "https://ui.example.com"
    # The introduction lets nobody in.
    assert (await anonymous.acting(introduction).get("/auth/links")).error() == INVALID
    told = await anonymous.post("/auth/tokeninfo", {"token": introduction})
    assert told.error() == (403, "403", "no associated account_id", {})
    assert (await tenant.root.get(f"/auth/links/{link_id}")).error()[0] == 404

    linked = await tenant.root.put(f"/auth/links/{link_id}")
    assert (linked.status, linked.data["email"], linked.data["scopes"]) == (201, "ann@example.com", ["openid", "email"])
    assert (await tenant.root.get(f"/auth/links/{link_id}")).data == linked.data
    row = {
        "id": link_id,
        "app": provider.client_id,
        "provider": provider.id,
        "scopes": ["openid", "email"],
        "email": "ann@example.com",
    }
    assert (await tenant.root.get("/auth/links")).data == [row]
    assert (await tenant.api.get(f"/auth/links/{link_id}")).data == linked.data
    stored = await server.runtime.store.get("system_auth", "auth_link", link_id)
    assert stored is not None
    assert "once more" not in str(stored.fields)

    again = await anonymous.put("/auth/callback", callback(provider))
    assert (again.status, again.data["account_id"], again.data["owner_id"]) == (201, tenant.id, tenant.admin_id)
    assert (await tenant.api.acting(again.envelope["auth_token"]).get("/users")).status == 200
    by_token = await anonymous.put("/auth/authorize", {"token": provider.id_token()})
    assert (by_token.status, by_token.data["owner_id"]) == (201, tenant.admin_id)

    unlinked = await tenant.root.delete(f"/auth/links/{link_id}")
    assert (unlinked.status, unlinked.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.root.get("/auth/links")).data == []
    assert (await anonymous.put("/auth/callback", callback(provider))).data == {}


async def test_a_link_is_not_taken_from_its_user(
    tenant: Tenant, stranger: Tenant, anonymous: Api, provider: Provider
) -> None:
    await anonymous.put("/auth/callback", callback(provider))
    link_id = f"{provider.id}-{provider.subject}"
    assert (await tenant.root.put(f"/auth/links/{link_id}")).status == 201
    assert (await stranger.root.put(f"/auth/links/{link_id}")).error() == FORBIDDEN
    assert (await stranger.root.get(f"/auth/links/{link_id}")).error()[0] == 404
    assert (await stranger.root.delete(f"/auth/links/{link_id}")).error()[0] == 404
    assert (await stranger.api.get(f"/auth/links/{link_id}")).error()[0] == 404
    assert (await tenant.root.put("/auth/links/nothing")).error()[0] == 404


async def test_a_disabled_user_does_not_log_in_that_way(tenant: Tenant, anonymous: Api, provider: Provider) -> None:
    await anonymous.put("/auth/callback", callback(provider))
    await tenant.root.put(f"/auth/links/{provider.id}-{provider.subject}")
    await tenant.api.patch(f"/users/{tenant.admin_id}", {"enabled": False})
    assert (await anonymous.put("/auth/callback", callback(provider))).error() == INVALID


@pytest.mark.parametrize("changes", [{"code": "bad"}, {"client_id": "unknown"}])
async def test_what_the_provider_does_not_confirm_is_refused(
    changes: dict[str, str], anonymous: Api, provider: Provider
) -> None:
    assert (await anonymous.put("/auth/callback", callback(provider, **changes))).error() == INVALID


async def test_the_callback_s_form(anonymous: Api) -> None:
    refused = await anonymous.put("/auth/callback", {"code": "x"})
    assert set(refused.error()[3]) == {"client_id", "provider", "redirect_uri"}


async def test_tokens_of_others_are_proved(anonymous: Api, provider: Provider) -> None:
    other_key = generate_private_key(65537, 2048)
    for token in (
        provider.id_token(other_key),
        provider.id_token(aud="somebody else"),
        provider.id_token(iss="https://elsewhere.example.com"),
        provider.id_token(exp=1),
        provider.id_token(sub=None),
        jwt.encode({"iss": provider.url, "aud": provider.client_id, "sub": "x", "exp": 2**33}, "", "none"),
        "garbage",
    ):
        assert (await anonymous.put("/auth/authorize", {"token": token})).error() == INVALID
    missing = await anonymous.put("/auth/authorize", {})
    assert set(missing.error()[3]) == {"token"}


async def test_our_own_token_is_authorized(tenant: Tenant, anonymous: Api, server: RunningServer) -> None:
    answer = await anonymous.put("/auth/authorize", {"token": tenant.token})
    assert (answer.status, answer.data["owner_id"]) == (201, tenant.admin_id)
    of_account = await issue_token(server, tenant.id, None)
    assert (await anonymous.put("/auth/authorize", {"token": of_account})).error() == INVALID
