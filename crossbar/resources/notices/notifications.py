"""Notifications: the mail templates of an installation, and what its accounts make of them.

Source: KAZOO `cb_notifications`, `kz_notification.erl`. A template that an account does not have is its parents', up to
its reseller, else the system's; what the system has not changed is as shipped (`mail_templates`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, SYSTEM_CONFIG, Document, merge, public_fields
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Binary, Collection, Context, Draft, Reply, Who, answer_listing
from crossbar.errors import JSON, FaultyRequest, Invalid, NotFound, Plain
from crossbar.events.macros import BadTemplate, check
from crossbar.resources.notices.domain.mail_template import HTML, TEMPLATES, TEXT, macros
from crossbar.resources.notices.domain.sent_mail import LOG, Writing, send
from crossbar.wire.body import UploadedFile
from crossbar.wire.list_options import list_options
from crossbar.wire.negotiation import DEFAULT_PROVIDED, media_type, overriding_media_type

TYPE: Final = "notification"
BODIES: Final = {HTML: "html", TEXT: "txt"}
"""The bodies of a template, and the ending of each as a file."""
SHOWN_ONLY: Final = ("macros", "templates", "account_overridden", "account_defined")
"""Fields that the server works out; clients send them back."""
SYSTEM_CATEGORY: Final = "system"

notifications = Collection(
    "notifications",
    ("/accounts/{account_id}/notifications/{notification_id}", "/notifications/{notification_id}"),
    Shape(TYPE, summary=Summary("id")),
    schema="notifications",
    operations=(),
    partition=lambda context: context.account_id if context.target else SYSTEM_CONFIG,
    hard_delete=True,
)


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """A template where it was found; `document` is None for one as shipped."""

    template_id: str
    document: Document | None
    public: dict[str, Any]
    is_own: bool = False


# Finding


async def _system_template(context: Context, template_id: str) -> FoundTemplate | None:
    """The system's own template, else the shipped one."""
    document = await context.store.get(SYSTEM_CONFIG, TYPE, template_id)
    shipped = TEMPLATES.get(template_id)
    if document is None and shipped is None:
        return None
    base = {**shipped.document, "from": context.config.mail.sender} if shipped else {}
    public = {**base, **(public_fields(document.fields) if document else {})}
    return FoundTemplate(template_id, document, {**public, "macros": macros(shipped.keys) if shipped else {}})


async def _find(context: Context, template_id: str) -> FoundTemplate:
    """The template in force for the account in the path, or the system's. Raises NotFound."""
    system = await _system_template(context, template_id)
    if context.target is not None:
        async for account_id in _lookup_path(context, context.target):
            document = await context.store.get(account_id, TYPE, template_id)
            if document is not None:
                return _of_account(document, system, is_own=account_id == context.target.id)
    if system is None:
        raise NotFound(template_id)
    return system


async def _lookup_path(context: Context, account: Account) -> AsyncIterator[str]:
    """The account, then those above it up to its reseller."""
    yield account.id
    reseller_id = await context.directory.reseller_of(account)
    for ancestor_id in reversed(account.tree):
        yield ancestor_id
        if ancestor_id == reseller_id:
            return


def _of_account(document: Document, system: FoundTemplate | None, *, is_own: bool) -> FoundTemplate:
    """An account's template; what it is called and may tell is the system's to say."""
    public = public_fields(document.fields)
    if system is not None:
        public |= {key: system.public[key] for key in ("friendly_name", "macros") if key in system.public}
    if is_own:
        public["account_overridden" if system is not None else "account_defined"] = True
    return FoundTemplate(document.id, document, public, is_own)


async def _body(context: Context, found: FoundTemplate, content_type: str) -> bytes | None:
    if found.document is None:
        return TEMPLATES[found.template_id].body(content_type)
    attachment = await context.runtime.attachments.find(found.document, content_type)
    if attachment is not None:
        return await context.runtime.attachments.read(attachment)
    is_system = found.document.partition == SYSTEM_CONFIG and found.template_id in TEMPLATES
    return TEMPLATES[found.template_id].body(content_type) if is_system else None


# Reading


@notifications.get("/accounts/{account_id}/notifications")
@notifications.get("/notifications", who=Who.AUTHENTICATED)
async def index(context: Context) -> Reply:
    """The system's templates, with what the account made of them."""
    documents = await context.store.all(Listing(SYSTEM_CONFIG, TYPE))
    found: dict[str, FoundTemplate] = {}
    for template_id in {*TEMPLATES, *(document.id for document in documents)}:
        system = await _system_template(context, template_id)
        if system is not None:
            found[template_id] = system
    if context.target is not None:
        for document in await context.store.all(Listing(context.target.id, TYPE)):
            found[document.id] = _of_account(document, found.get(document.id), is_own=True)
    rows = [_row(one) for one in found.values()]
    if not context.identity.superduper:
        rows = [row for row in rows if row.get("category") != SYSTEM_CATEGORY]
    rows.sort(key=lambda row: str(row["id"]), reverse=not list_options(context.values).ascending)
    return Reply.rows(rows, page_size=True)


def _row(found: FoundTemplate) -> dict[str, Any]:
    keys = ("category", "friendly_name", "macros", "enabled", "account_overridden", "account_defined")
    return {"id": found.template_id, **{key: found.public[key] for key in keys if key in found.public}}


@notifications.get("/accounts/{account_id}/notifications/{notification_id}", provides=tuple(BODIES))
@notifications.get("/notifications/{notification_id}", who=Who.AUTHENTICATED, provides=tuple(BODIES))
async def read(context: Context) -> Reply | Binary:
    """One template, or one of its bodies where the request accepts HTML or plain text."""
    found = await _find(context, context.path["notification_id"])
    wanted = _wanted_type(context)
    if wanted not in BODIES:
        return await _answer(context, found)
    body = await _body(context, found, wanted)
    if body is None:
        raise FaultyRequest
    return Binary(body, wanted, filename=f"{found.template_id}.{BODIES[wanted]}")


def _wanted_type(context: Context) -> str:
    provided = (*DEFAULT_PROVIDED, *BODIES)
    asked = context.values.get("accept")
    override = overriding_media_type(asked, provided) if isinstance(asked, str) else None
    return override or media_type(context.request.headers.get("Accept"), provided)


async def _answer(context: Context, found: FoundTemplate) -> Reply:
    bodies = {content_type: await _body(context, found, content_type) for content_type in BODIES}
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
    if previous is not None or context.target is None:
        return
    replaced = await _replaced(context, document.id)
    for content_type in BODIES:
        body = await _body(context, replaced, content_type) if replaced else None
        if body is not None:
            await context.runtime.attachments.put(document, content_type, content_type, body)

    def prefer(account: Document) -> None:
        account.fields["pvt_notification_preference"] = "teletype"

    await context.store.update(ACCOUNTS, "account", context.target.id, prefer)


async def _replaced(context: Context, template_id: str) -> FoundTemplate | None:
    """What was in force for the account without a template of its own."""
    async for account_id in _lookup_path(context, context.account):
        document = await context.store.get(account_id, TYPE, template_id) if account_id != context.account_id else None
        if document is not None:
            return FoundTemplate(template_id, document, {})
    return await _system_template(context, template_id)


@notifications.put("/accounts/{account_id}/notifications", checks_itself=True)
@notifications.put("/notifications", who=Who.SUPERDUPER, checks_itself=True)
async def create(context: Context) -> Reply:
    """A template of the account's own, or (`action` `force_system`) the system's in place of all of these."""
    action = context.values.text("action")
    if action is not None:
        await _check_action(context, action, "force_system")
        return Reply(await _force_system(context))
    template_id = context.values.text("id")
    if template_id is None:
        raise Invalid.field("id", "required", "Field is required but missing")
    document = await notifications.life.save_new(context, template_id, context.object)
    reply = await _answer(context, await _find(context, document.id))
    reply.location = f"{context.request.rel_url.raw_path.rstrip('/')}/{document.id}"
    return reply


@notifications.post("/accounts/{account_id}/notifications/{notification_id}", accepts=tuple(BODIES), checks_itself=True)
@notifications.post("/notifications/{notification_id}", who=Who.SUPERDUPER, accepts=tuple(BODIES), checks_itself=True)
async def update(context: Context) -> Reply:
    """Replace what a template says of itself, or store the bodies that were sent; both make it the account's own."""
    template_id = context.path["notification_id"]
    found = await _find(context, template_id)
    for file in context.files:
        _check_body(file)
    inherited = {key: value for key, value in found.public.items() if key not in SHOWN_ONLY}
    has_text = bool(context.object) or not context.files
    saved = await notifications.life.upsert(
        context, template_id, lambda stored: dict(context.object) if has_text else stored or inherited
    )
    for file in context.files:
        await context.runtime.attachments.put(saved, file.content_type, file.content_type, file.contents)
    return await _answer(context, await _find(context, template_id))


def _check_body(file: UploadedFile) -> None:
    try:
        if file.content_type not in BODIES:
            raise BadTemplate("a body is HTML or plain text")
        check(file.contents.decode())
    except ValueError as error:
        raise Plain(500, "Failed to compile notification template") from error


@notifications.delete("/accounts/{account_id}/notifications/{notification_id}", checks_itself=True)
async def delete(context: Context) -> Reply:
    """Take back the account's template, or the one body whose type the request has."""
    template_id = context.path["notification_id"]
    document = await notifications.life.load(context, template_id)
    found = _of_account(document, await _system_template(context, template_id), is_own=True)
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


@notifications.delete("/accounts/{account_id}/notifications", checks_itself=True)
@notifications.delete("/notifications", who=Who.SUPERDUPER, checks_itself=True)
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


async def _force_system(context: Context) -> dict[str, str]:
    """Each of the account's templates becomes the system's."""
    done = {}
    for document in await context.store.all(Listing(context.account_id, TYPE)):
        system = await _system_template(context, document.id)
        if system is None:
            continue
        fields = {key: value for key, value in system.public.items() if key not in SHOWN_ONLY}
        own = {key: value for key, value in document.fields.items() if key.startswith("pvt_")}
        replaced = Document(document.partition, TYPE, document.id, {**fields, **own})
        saved = await context.store.upsert(replaced)
        for content_type in BODIES:
            body = await _body(context, system, content_type)
            if body is not None:
                await context.runtime.attachments.put(saved, content_type, content_type, body)
        done[document.id] = "replaced"
    return done


async def _remove_customizations(context: Context) -> dict[str, str]:
    documents = await context.store.all(Listing(context.account_id, TYPE))
    for document in documents:
        await notifications.life.remove(context, document)
    return {document.id: "deleted" for document in documents} or {"message": "no template customization(s) found"}


# Sending


@notifications.post("/accounts/{account_id}/notifications/{notification_id}/preview")
@notifications.post("/notifications/{notification_id}/preview", who=Who.SUPERDUPER)
async def preview(context: Context) -> Reply:
    """Send the template to the addresses in the request's `to`, each macro showing its own name."""
    found = await _find(context, context.path["notification_id"])
    inherited = {key: value for key, value in found.public.items() if key not in SHOWN_ONLY}
    data = context.valid("notifications", merge(inherited, context.object))
    addresses = data["to"].get("email_addresses") or []
    if not addresses:
        raise Invalid.field("to.email_addresses", "required", "Field is required but missing")
    told: dict[str, Any] = {}
    for name in found.public.get("macros", {}):
        told = merge(told, _nested(name))
    writing = await _writing(context, found, data)
    await send(context, writing, addresses, told, failure="Failed to process notification preview")
    return Reply("Notification processing")


async def _writing(context: Context, found: FoundTemplate, data: dict[str, Any]) -> Writing:
    """A template with the texts that the request brings (`plain`, `html`) in place of its own."""
    bodies = {}
    for content_type, key in ((TEXT, "plain"), (HTML, "html")):
        given = context.object.get(key)
        stored = await _body(context, found, content_type)
        bodies[content_type] = _decoded(given) if isinstance(given, str) else (stored or b"").decode()
    sender = data.get("from") or context.config.mail.sender
    return Writing(found.template_id, sender, data.get("reply_to"), str(data["subject"]), bodies[TEXT], bodies[HTML])


def _nested(name: str) -> dict[str, Any]:
    """An object in which the dotted `name` leads to its own text."""
    value: JSON = name
    for step in reversed(name.split(".")):
        value = {step: value}
    return dict(value)


def _decoded(text: str) -> str:
    """Text that may have been sent as base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text


UPDATE_FAILED: Final = "Failed to send message"


@notifications.post("/accounts/{account_id}/notifications/customer_update/message")
async def customer_update(context: Context) -> Reply:
    """Write to users of the accounts below: of one child (`recipient_id`) or all, all users, admins or one."""
    found = await _find(context, "customer_update")
    writing = await _writing(context, found, {**found.public, **context.object})
    for account in await _recipients(context, context.object.get("recipient_id")):
        about = {"id": account.id, "name": account.at("name"), "realm": account.at("realm")}
        for user in await context.store.all(Listing(account.id, "user")):
            if (email := user.at("email")) and _is_meant(user, context.object.get("user_type", "all_users")):
                person = {key: user.at(key) for key in ("first_name", "last_name", "email", "timezone", "username")}
                told = {"user": person, "account": about}
                await send(context, writing, [email], told, failure=UPDATE_FAILED)
    return Reply({})


async def _recipients(context: Context, recipient_id: JSON) -> list[Document]:
    children = await context.store.all(Listing(ACCOUNTS, "account", tag=f"child/{context.account_id}"))
    if recipient_id is None:
        return children
    chosen = [account for account in children if account.id == recipient_id]
    if not chosen:
        raise Plain(500, UPDATE_FAILED)
    return chosen


def _is_meant(user: Document, user_type: JSON) -> bool:
    if user_type == "admins_only":
        return bool(user.at("priv_level") == "admin")
    return user_type in ("all_users", user.id)


# What was sent


@notifications.get("/accounts/{account_id}/notifications/smtplog")
async def smtplog(context: Context) -> Reply:
    """The messages that were sent for the account, the newest first."""
    return await answer_listing(context, LOG, time_range=context.config.api.maximum_range)


@notifications.get("/accounts/{account_id}/notifications/smtplog/{entry_id}")
async def read_smtplog(context: Context) -> Reply:
    """One message, with what it told."""
    raw = await context.store.get_json(context.account_id, LOG, context.path["entry_id"])
    if raw is None:
        raise NotFound(context.path["entry_id"])
    return Reply.raw(raw)
