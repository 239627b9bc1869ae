# SPDX-License-Identifier: MPL-2.0
"""Providers that users log in with: others who vouch for them.

Source: KAZOO `cb_auth`, `kz_auth_providers.erl`.
"""

from __future__ import annotations

from crossbar.access.second_factor import PROVIDER
from crossbar.documents.document import SYSTEM_AUTH
from crossbar.documents.listing import Listing
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who, answer_listing
from crossbar.errors import SystemFault
from crossbar.resources.auth.auth import auth
from crossbar.resources.auth.domain.login_provider import APP, OAUTH, PROVIDER_SHAPE, of_provider

providers = Collection(
    auth,
    "/auth/providers/{provider_id}",
    PROVIDER_SHAPE,
    schema="auth.provider",
    operations=(),
    partition=lambda _: SYSTEM_AUTH,
)


@auth.get("/auth/providers", who=Who.AUTHENTICATED, lists=Lists.PAGES)
async def list_providers(context: Context) -> Reply:
    """All providers of the system."""
    return await answer_listing(context, PROVIDER, SYSTEM_AUTH)


@auth.get("/auth/providers/{provider_id}", who=Who.AUTHENTICATED, shows=providers.life.schema)
async def read_provider(context: Context) -> Reply:
    """One provider; its settings hold secrets, and are for superduper admins only."""
    provider = await providers.life.load(context, context.path["provider_id"])
    public = provider.public
    if not context.identity.superduper:
        public.pop("settings", None)
    return Reply(public, revision=provider.revision)


@auth.post("/auth/providers/{provider_id}", who=Who.SUPERDUPER, **providers.about("replace"))
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


@auth.delete("/auth/providers/{provider_id}", who=Who.SUPERDUPER, **providers.about("delete"), refuses=(500,))
async def delete_provider(context: Context) -> Reply:
    """Forget a provider that no application uses."""
    provider = await providers.life.load(context, context.path["provider_id"])
    if await context.store.all(Listing(SYSTEM_AUTH, APP, tag=of_provider(provider.id), limit=1)):
        raise SystemFault("apps exist for provider")
    return await providers.life.remove_and_answer(context, provider)
