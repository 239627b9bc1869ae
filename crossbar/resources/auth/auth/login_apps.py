# SPDX-License-Identifier: MPL-2.0
"""Our applications at providers, with which the users of an account log in.

Source: KAZOO `cb_auth`, `kz_auth_apps.erl`. KAZOO registers applications by maintenance command; here superduper admins
post them.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossbar.access.second_factor import PROVIDER
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who, answer_listing
from crossbar.errors import Forbidden, NotFound
from crossbar.resources.auth.auth import auth
from crossbar.resources.auth.domain.login_provider import APP, of_provider


def tags(app: Document) -> Iterable[str]:
    """Listing by account and by provider."""
    return [f"account/{app.text('pvt_account_id')}", of_provider(app.text("provider"))]


apps = Collection(
    auth,
    "/auth/apps/{app_id}",
    Shape(APP, summary=Summary("id", "name", "description", "provider"), tags=tags),
    schema="auth.app",
    operations=(),
    partition=lambda _: SYSTEM_AUTH,
)


@auth.get(
    "/auth/apps",
    who=Who.AUTHENTICATED,
    lists=Lists.PAGES,
    options={"account_id": "Whose users log in; the caller's account without"},
    refuses=(404,),
)
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


@auth.get("/auth/apps/{app_id}", who=Who.AUTHENTICATED, shows=apps.life.schema)
async def read_app(context: Context) -> Reply:
    """One application, without its secret."""
    return Reply.document(await apps.life.load(context, context.path["app_id"]))


@auth.post("/auth/apps/{app_id}", who=Who.SUPERDUPER, **apps.about("replace"))
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


@auth.delete("/auth/apps/{app_id}", who=Who.SUPERDUPER, **apps.about("delete"))
async def delete_app(context: Context) -> Reply:
    """Forget an application."""
    return await apps.life.remove_and_answer(context, await apps.life.load(context, context.path["app_id"]))
