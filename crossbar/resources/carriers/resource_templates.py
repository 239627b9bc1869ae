# SPDX-License-Identifier: MPL-2.0
"""Resource templates: carriers as a reseller's customers may set them up.

Source: KAZOO `cb_resource_templates`. They lie with the account's reseller, who alone changes them.
"""

from __future__ import annotations

from functools import wraps
from typing import Final

from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Handler, Lists, Reply, answer_listing
from crossbar.endpoint.reply import Binary
from crossbar.errors import Invalid, NotFound

TYPE = "resource_template"

resource_templates = Collection(
    "resource_templates",
    "/accounts/{account_id}/resource_templates/{resource_template_id}",
    Shape(TYPE, summary=Summary("id", "name", "template_name", "classifiers")),
    operations=(),
    partition=lambda context: context.identity.account_id,  # whoever may change them does so at home
)
LOCAL: Final = {"local": "`true`: the caller's own, if it is a reseller"}
for _name, _effect in LOCAL.items():
    resource_templates.option(_name, _effect, "create", "replace", "merge", "delete")


async def _holder(context: Context) -> str:
    """The account whose templates are meant: the reseller, or with `local` the caller's own if it is one."""
    caller = context.identity.account
    if context.values.is_true("local") and (caller.is_reseller or caller.id == await context.directory.master_id()):
        return caller.id
    return await context.directory.reseller_of(context.account) or context.account_id


@resource_templates.get("/accounts/{account_id}/resource_templates", lists=Lists.PAGES, options=LOCAL)
async def index(context: Context) -> Reply:
    """The reseller's templates."""
    return await answer_listing(context, TYPE, await _holder(context))


@resource_templates.get("/accounts/{account_id}/resource_templates/{resource_template_id}", options=LOCAL)
async def read(context: Context) -> Reply:
    """One of the reseller's templates."""
    template_id = context.path["resource_template_id"]
    raw = await context.store.get_json(await _holder(context), TYPE, template_id)
    if raw is None:
        raise NotFound(template_id)
    return Reply.raw(raw)


def _by_holder(handler: Handler) -> Handler:
    """A handler for nobody but the account that has the templates."""

    @wraps(handler)
    async def handle(context: Context) -> Reply | Binary:
        if await _holder(context) != context.identity.account_id:
            text = "You are not authorized to modify the resource templates"
            raise Invalid.field("Account", "forbidden", text)
        return await handler(context)

    return handle


@resource_templates.check
async def has_template_name(_: Context, draft: Draft) -> None:
    """A template has a name of its own."""
    if not draft.data.get("template_name"):
        draft.errors.add("template_name", "required", "Template name is required")


_ONE = "/accounts/{account_id}/resource_templates/{resource_template_id}"
_life = resource_templates.life
resource_templates.put("/accounts/{account_id}/resource_templates", **resource_templates.about("create"))(
    _by_holder(_life.create)
)
resource_templates.post(_ONE, **resource_templates.about("replace"))(_by_holder(_life.replace))
resource_templates.patch(_ONE, **resource_templates.about("merge"))(_by_holder(_life.merge))
resource_templates.delete(_ONE, **resource_templates.about("delete"))(_by_holder(_life.delete))
