# SPDX-License-Identifier: MPL-2.0
"""Notifications: the mail templates of an installation, and what its accounts make of them.

Source: KAZOO `cb_notifications`. Which template is in force is told by `domain.notification_template`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import SYSTEM_CONFIG, Document, merge
from crossbar.documents.listing import Listing
from crossbar.endpoint import Binary, Collection, Context, Draft, Lists, Reply, Who, answer_document, answer_listing
from crossbar.endpoint.document_history import HISTORY
from crossbar.errors import FaultyRequest, Invalid, Plain
from crossbar.events.macros import BadTemplate
from crossbar.events.notices import notice, tell
from crossbar.resources.notices.domain.customer_message import children, customer_notices
from crossbar.resources.notices.domain.mail_service import MAIL
from crossbar.resources.notices.domain.notification_message import named_macros, writing_of
from crossbar.resources.notices.domain.notification_template import (
    BODIES,
    SHOWN_ONLY,
    TEMPLATE_SHAPE,
    TYPE,
    FoundTemplate,
    NotificationTemplates,
    check_body,
    own_template,
)
from crossbar.resources.notices.domain.sent_mail import LOG, MailOrder, Writing, send
from crossbar.wire.list_options import is_ascending
from crossbar.wire.negotiation import DEFAULT_PROVIDED, answer_type

SYSTEM_CATEGORY: Final = "system"
REMOVING: Final = {"action": "`remove_customizations`"}
FORCED: Final = {"action": "`force_system`", "id": "Which template"}
ORDERED: Final = {"ascending": "`true`: the lowest id first", "descending": "`false`: the lowest id first"}

notifications = Collection(
    "notifications",
    ("/accounts/{account_id}/notifications/{notification_id}", "/notifications/{notification_id}"),
    TEMPLATE_SHAPE,
    schema="notifications",
    operations=(),
    partition=lambda context: context.account_id if context.target else SYSTEM_CONFIG,
    hard_delete=True,
    history=HISTORY,
)


def templates_of(context: Context) -> NotificationTemplates:
    """The templates that the account in the path sees, or the system's."""
    return NotificationTemplates(context.runtime, context.target)


# Reading


@notifications.get(
    "/accounts/{account_id}/notifications",
    options=ORDERED,
)
@notifications.get(
    "/notifications",
    who=Who.AUTHENTICATED,
    options=ORDERED,
)
async def index(context: Context) -> Reply:
    """The system's templates, with what the account made of them."""
    rows = [_row(found) for found in await templates_of(context).all()]
    if not context.identity.superduper:
        rows = [row for row in rows if row.get("category") != SYSTEM_CATEGORY]
    rows.sort(key=lambda row: str(row["id"]), reverse=not is_ascending(context.query))
    return Reply.rows(rows, page_size=True)


def _row(found: FoundTemplate) -> dict[str, Any]:
    keys = ("category", "friendly_name", "macros", "enabled", "account_overridden", "account_defined")
    return {"id": found.template_id, **{key: found.public[key] for key in keys if key in found.public}}


@notifications.get("/accounts/{account_id}/notifications/{notification_id}", provides=tuple(BODIES))
@notifications.get("/notifications/{notification_id}", who=Who.AUTHENTICATED, provides=tuple(BODIES))
async def read(context: Context) -> Reply | Binary:
    """One template, or one of its bodies where the request accepts HTML or plain text."""
    found = await templates_of(context).find(context.path["notification_id"])
    wanted = answer_type(context.request.headers, context.values, (*DEFAULT_PROVIDED, *BODIES))
    if wanted not in BODIES:
        return await _answer(context, found)
    body = await templates_of(context).body(found, wanted)
    if body is None:
        raise FaultyRequest
    return Binary(body, wanted, filename=f"{found.template_id}.{BODIES[wanted]}")


async def _answer(context: Context, found: FoundTemplate) -> Reply:
    bodies = {content_type: await templates_of(context).body(found, content_type) for content_type in BODIES}
    lengths = {content_type: {"length": len(body)} for content_type, body in bodies.items() if body is not None}
    revision = found.document.revision if found.document else None
    return Reply({**found.public, "id": found.template_id, "templates": lengths}, revision=revision)


# Writing


@notifications.normalize
async def keep_what_is_ones_own(_: Context, draft: Draft) -> None:
    """What the server works out is not taken from clients."""
    for key in (*SHOWN_ONLY, "action"):
        draft.data.pop(key, None)


@notifications.finish
async def drop_macros(_: Context, draft: Draft) -> None:
    """What a template may tell is not the customer's to say, though the schema has a default for it."""
    draft.data.pop("macros", None)


@notifications.after
async def use_templates(context: Context, document: Document, previous: Document | None) -> None:
    """A new template of an account begins with the bodies it replaces, and the account uses templates from now on."""
    if previous is None and context.target is not None:
        await templates_of(context).begin_own(document, context.target)


@notifications.put(
    "/accounts/{account_id}/notifications",
    checks_itself=True,
    schema=notifications.life.schema,
    shows=notifications.life.schema,
    options=FORCED,
)
@notifications.put(
    "/notifications",
    who=Who.SUPERDUPER,
    checks_itself=True,
    schema=notifications.life.schema,
    shows=notifications.life.schema,
    options=FORCED,
)
async def create(context: Context) -> Reply:
    """A template of the account's own, or (`action` `force_system`) the system's in place of all of these."""
    action = context.values.text("action")
    if action is not None:
        await _check_action(context, action, "force_system")
        return Reply(dict.fromkeys(await templates_of(context).force_system(context.account_id), "replaced"))
    template_id = context.values.text("id")
    if template_id is None:
        raise Invalid.field("id", "required", "Field is required but missing")
    document = await notifications.life.save_new(context, template_id, context.object)
    reply = await _answer(context, await templates_of(context).find(document.id))
    reply.location = f"{context.request.rel_url.raw_path.rstrip('/')}/{document.id}"
    return reply


@notifications.post(
    "/accounts/{account_id}/notifications/{notification_id}",
    accepts=tuple(BODIES),
    checks_itself=True,
    schema=notifications.life.schema,
    shows=notifications.life.schema,
    refuses=(500,),
)
@notifications.post(
    "/notifications/{notification_id}",
    who=Who.SUPERDUPER,
    accepts=tuple(BODIES),
    checks_itself=True,
    schema=notifications.life.schema,
    shows=notifications.life.schema,
    refuses=(500,),
)
async def update(context: Context) -> Reply:
    """Replace what a template says of itself, or store the bodies that were sent; both make it the account's own."""
    template_id = context.path["notification_id"]
    found = await templates_of(context).find(template_id)
    for file in context.files:
        check_body(file.content_type, file.contents)
    has_text = bool(context.object) or not context.files
    saved = await notifications.life.upsert(
        context, template_id, lambda stored: dict(context.object) if has_text else stored or found.settable
    )
    for file in context.files:
        await templates_of(context).put_body(saved, file.content_type, file.contents)
    return await _answer(context, await templates_of(context).find(template_id))


@notifications.delete(
    "/accounts/{account_id}/notifications/{notification_id}", checks_itself=True, shows=notifications.life.schema
)
async def delete(context: Context) -> Reply:
    """Take back the account's template, or the one body whose type the request has."""
    template_id = context.path["notification_id"]
    document = await notifications.life.load(context, template_id)
    found = own_template(document, await templates_of(context).system(template_id), is_own=True)
    content_type = (context.request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if content_type in BODIES:
        await context.runtime.attachments.delete(document, content_type)
        return await _answer(context, found)
    reply = await _answer(context, found)
    context.ready_to_write(document.revision)
    await notifications.life.remove(context, document)
    return reply


@notifications.delete("/notifications/{notification_id}", who=Who.SUPERDUPER, checks_itself=True)
async def refuse_deletion(context: Context) -> Reply:
    """Every account may fall back on the system's templates."""
    template_id = context.path["notification_id"]
    message = "Top-level notification template cannot be deleted"
    raise Invalid.field(template_id, "forbidden", message, target=template_id)


# All templates of an account at once


@notifications.delete("/accounts/{account_id}/notifications", checks_itself=True, options=REMOVING)
@notifications.delete("/notifications", who=Who.SUPERDUPER, checks_itself=True, options=REMOVING)
async def delete_all(context: Context) -> Reply:
    """Take back every template of the account (`action` `remove_customizations`)."""
    action = context.values.text("action")
    if action is None:
        raise Invalid.field("action", "required", "Field is required but missing")
    await _check_action(context, action, "remove_customizations")
    return Reply(await _remove_customizations(context))


async def _check_action(context: Context, action: str, known: str) -> None:
    if context.target is None:
        message = "Can not perform mutation action on top-level notification templates"
        raise Invalid.field(action, "forbidden", message)
    if action != known:
        raise Invalid.field(action, "forbidden", "Unknown mutation action", cause=action)


async def _remove_customizations(context: Context) -> dict[str, str]:
    documents = await context.store.all(Listing(context.account_id, TYPE))
    for document in documents:
        await notifications.life.remove(context, document)
    return {document.id: "deleted" for document in documents} or {"message": "no template customization(s) found"}


# Sending


@notifications.post(
    "/accounts/{account_id}/notifications/{notification_id}/preview", schema=notifications.life.schema, refuses=(500,)
)
@notifications.post(
    "/notifications/{notification_id}/preview", who=Who.SUPERDUPER, schema=notifications.life.schema, refuses=(500,)
)
async def preview(context: Context) -> Reply:
    """Send the template to the addresses in the request's `to`, each macro showing its own name."""
    found = await templates_of(context).find(context.path["notification_id"])
    data = context.valid("notifications", merge(found.settable, context.object))
    addresses = data["to"].get("email_addresses") or []
    if not addresses:
        raise Invalid.field("to.email_addresses", "required", "Field is required but missing")
    writing = await _writing(context, found, data)
    order = MailOrder(context.account_id, context.author, writing, named_macros(found), addresses)
    await send(context.store, context.service(MAIL), order, failure="Failed to process notification preview")
    return Reply("Notification processing")


async def _writing(context: Context, found: FoundTemplate, data: dict[str, Any]) -> Writing:
    sender = context.config.mail.sender
    return await writing_of(templates_of(context), found, data, context.object, default_sender=sender)


UPDATE_FAILED: Final = "Failed to send message"


@notifications.post(
    "/accounts/{account_id}/notifications/customer_update/message",
    options={"recipient_id": "One account below", "user_type": "`all_users`, `admins_only` or a user's id"},
    refuses=(500,),
)
async def customer_update(context: Context) -> Reply:
    """Write to users of the accounts below: of one child (`recipient_id`) or all, all users, admins or one.

    Nobody is written to where the template is off. The letters are certain when this is answered, and follow.
    """
    found = await templates_of(context).find("customer_update")
    writing = await _writing(context, found, {**found.public, **context.object})
    recipient_id = context.object.get("recipient_id")
    accounts = await children(context.store, context.account_id, recipient_id)
    if recipient_id is not None and not accounts:
        raise Plain(500, UPDATE_FAILED)
    if found.public.get("enabled") is False:
        return Reply({})
    user_type = context.object.get("user_type", "all_users")
    try:
        notices = await customer_notices(context.runtime, context.account_id, writing, accounts, user_type)
    except BadTemplate as error:
        raise Plain(500, UPDATE_FAILED, {"message": str(error)}) from error
    about = {"template_id": found.template_id, "recipient_id": recipient_id, "user_type": user_type}
    event = notice("customer_update", context.account_id, about, letters=[])
    await context.store.transact(lambda transaction: tell(transaction, [event, *notices]))
    return Reply({})


# What was sent


@notifications.get("/accounts/{account_id}/notifications/smtplog", lists=Lists.TIMES)
async def smtplog(context: Context) -> Reply:
    """The messages that were sent for the account, the newest first."""
    return await answer_listing(context, LOG, time_range=context.config.api.maximum_range)


@notifications.get("/accounts/{account_id}/notifications/smtplog/{entry_id}")
async def read_smtplog(context: Context) -> Reply:
    """One message, with what it told."""
    return await answer_document(context, LOG, context.path["entry_id"])
