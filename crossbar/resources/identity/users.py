# SPDX-License-Identifier: MPL-2.0
"""Users: people of an account, with their log-in and call features.

Source: KAZOO `cb_users`, `kzd_users.erl` (`validate`, `maybe_rehash_creds`, `to_vcard`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crossbar.access.authorship import stamps
from crossbar.access.passwords import MD5_FIELD, SHA1_FIELD, credential_fields, credential_tags, password_fields
from crossbar.access.plain_users import is_oneself
from crossbar.dialing import normalize_at
from crossbar.documents.document import Document, merge, public_fields
from crossbar.documents.document_types import USER
from crossbar.documents.shape import Shape, Summary, Unique, or_default
from crossbar.endpoint import Binary, Collection, Context, Draft, Reply
from crossbar.errors import Forbidden, Invalid, NotFound
from crossbar.events.notices import notice
from crossbar.ids import new_secret
from crossbar.resources.identity.domain import plain_user, user_vcard
from crossbar.resources.identity.domain.call_features import smartpbx_features, switched_on
from crossbar.wire.body import UploadedFile

PHOTO: Final = "photo"
PHOTO_TYPES: Final = ("application/octet-stream", "application/base64")
UPLOAD_TYPES: Final = ("application/base64", "application/x-base64", "image/*")
JPEG: Final = "image/jpeg"
VCARD_TYPES: Final = ("text/x-vcard", "text/directory")


def features(user: Document) -> list[str]:
    """The features that are on: named ones, SmartPBX ones, then the built-in ones."""
    named = user.at("features")
    return [*(named if isinstance(named, list) else []), *smartpbx_features(user), *switched_on(user)]


BETWEEN_NAMES: Final = "\x02"
"""Sorts before every character of a name, so that all of one last name stand together."""


def full_name(user: Document) -> str:
    """Last name, then first name: the order of the list."""
    return f"{user.text('last_name')}{BETWEEN_NAMES}{user.text('first_name')}"


def username_claim(username: str) -> Unique:
    """What only one user of an account may hold: the name to log in with."""
    message = "Username must be unique within account"
    return Unique("user.username", username.lower(), "username", message, cause=username)


def claims(user: Document) -> Iterator[Unique]:
    """The user name and the hotdesk id that no second user of the account may have."""
    if username := user.text("username"):
        yield username_claim(username)
    if hotdesk := user.text("hotdesk.id"):
        message = "Hotdesk ID must be unique within account"
        yield Unique("user.hotdesk.id", hotdesk, "hotdesk.id", message, cause=hotdesk)


ROW: Final = Summary(
    "id",
    "username",
    "email",
    "first_name",
    "last_name",
    "priv_level",
    "feature_level",
    "presence_id",
    "timezone",
    "call_recording",
    "service",
    features=features,
    flags=or_default("flags", []),
)


def tags(user: Document) -> Iterator[str]:
    """The further listings: log-ins by credentials, members of each directory, agents, and those of each queue."""
    yield from credential_tags(user)
    directories = user.at("directories")
    if isinstance(directories, dict):
        yield from (f"directory/{directory_id}" for directory_id in directories)
    queues = user.at("queues")
    if isinstance(queues, list):
        yield "agent"
        yield from (f"queue/{queue_id}" for queue_id in dict.fromkeys(filter(_is_text, queues)))


users = Collection(
    "users",
    "/accounts/{account_id}/users/{user_id}",
    Shape(USER, summary=ROW, sort=full_name, tags=tags, unique=claims),
    schema="users",
    client_ids=False,
)
users.option("send_email_on_creation", "`false`: the user does not hear of it by mail", "create")


@users.normalize
async def normalize(context: Context, draft: Draft) -> None:
    """Lower-case the user name, normalise the emergency number, drop what is an order and not a field."""
    data = draft.data
    data.pop("sync", None)
    if isinstance(username := data.get("username"), str):
        data["username"] = username.lower()
    normalize_at(data, "caller_id.emergency.number")


@users.finish
async def guard_what_is_not_theirs(context: Context, draft: Draft) -> None:
    """A plain user changes neither the own `priv_level` nor the log-ins of others."""
    if draft.previous is None or not context.is_guarded:
        return
    own = is_oneself(context.identity, context.named_account_id, draft.id)
    if plain_user.oversteps(draft.data, draft.previous, own=own):
        raise Forbidden


@users.finish
async def set_credentials(context: Context, draft: Draft) -> None:
    """Keep keyed digests of the log-in instead of the password, and end the user's tokens when it changes."""
    data, private = draft.data, draft.private
    stored = draft.origin.fields if draft.origin else {}
    password, given_hash = data.pop("password", None), data.pop("credentials", None)
    data.pop("confirm_password", None)
    config, pepper = context.config.users, context.runtime.access.pepper
    if not password and data.get("username") and config.generate_password_if_empty and draft.changed("username"):
        password = new_secret(6)
    if given_hash:
        private |= {SHA1_FIELD: None, **credential_fields(pepper, str(given_hash))}
    elif password:
        if not data.get("username"):
            if not config.generate_username_if_empty:
                message = "The username must be provided when updating the password"
                draft.errors.add("username", "required", message)
                return
            data["username"] = f"user_{new_secret(8)}"
        private |= password_fields(pepper, data["username"], str(password))
    elif data.get("username") and draft.changed("username"):
        message = "The password must be provided when creating / updating the user name"
        draft.errors.add("password", "required", message, cause=data["username"])
        return
    elif not data.get("username"):
        private |= {MD5_FIELD: None, SHA1_FIELD: None}
    rehashed = any(private.get(field, stored.get(field)) != stored.get(field) for field in (MD5_FIELD, SHA1_FIELD))
    if "pvt_signature_secret" not in stored or (rehashed and config.reset_identity_secret_on_rehash):
        private["pvt_signature_secret"] = new_secret(16)


@users.tell
async def welcome(context: Context, user: Document, previous: Document | None) -> Sequence[Document]:
    """A new user who has an address hears of it by mail."""
    if previous is not None or not user.text("email") or context.values.is_false("send_email_on_creation"):
        return ()
    return [notice("new_user", user.partition, {"user_id": user.id})]


@users.after_delete
async def forget_authenticator(context: Context, user: Document) -> None:
    """A user who is gone needs no second factor."""
    await context.runtime.access.authenticators.reset(user.partition, user.id)


# Photo and vCard


@users.get("/accounts/{account_id}/users/{user_id}/photo", provides=PHOTO_TYPES)
async def read_photo(context: Context) -> Binary:
    """The photo as it was stored."""
    user = await users.life.load(context, context.path["user_id"])
    attachment = await context.runtime.attachments.find(user, PHOTO)
    if attachment is None:
        raise NotFound(user.id)
    photo = await Binary.attachment(context, attachment)
    photo.disposition = f"attachment; filename={PHOTO}"
    return photo


@users.post(
    "/accounts/{account_id}/users/{user_id}/photo", accepts=UPLOAD_TYPES, checks_itself=True, shows=users.life.schema
)
async def store_photo(context: Context) -> Reply:
    """Store the photo that is the body, in place of the one before. Answers the user."""
    user = await users.life.load(context, context.path["user_id"])
    photo = _only_file(context)
    context.ready_to_write(user.revision)
    await context.runtime.attachments.put(user, PHOTO, photo.content_type, photo.contents)
    return await users.life.answer(context, await _touched(context, user))


@users.delete("/accounts/{account_id}/users/{user_id}/photo", checks_itself=True)
async def remove_photo(context: Context) -> Reply:
    """Remove the photo; no error where there is none."""
    user = await users.life.load(context, context.path["user_id"])
    context.ready_to_write(user.revision)
    await context.runtime.attachments.delete(user, PHOTO)
    await _touched(context, user)
    return Reply({"_read_only": {"deleted": True}})


@users.get("/accounts/{account_id}/users/{user_id}/vcard", provides=VCARD_TYPES)
async def read_vcard(context: Context) -> Binary:
    """The user as a vCard, with the photo if it is a JPEG."""
    user = await users.life.load(context, context.path["user_id"])
    fields = public_fields(user.fields)
    profile = fields.get("profile")
    if isinstance(profile, dict):
        fields = merge(fields, profile)
    attachment = await context.runtime.attachments.find(user, PHOTO)
    photo = None
    if attachment is not None and attachment.content_type == JPEG:
        photo = await context.runtime.attachments.read(attachment)
    timezone = fields.get("timezone")
    if not isinstance(timezone, str) or timezone == "inherit":
        timezone = context.account.timezone or context.config.accounts.default_timezone
    text = user_vcard.render(fields, timezone=timezone, photo=photo)
    media = context.media if context.media in VCARD_TYPES else VCARD_TYPES[0]
    return Binary(text.encode(), media, revision=user.revision)


async def _touched(context: Context, user: Document) -> Document:
    """The user in a new revision: what belongs to it changed."""
    touched = await context.store.update(
        user.partition, user.type, user.id, lambda stored: stored.fields.update(stamps(context.author, stored))
    )
    if touched is None:
        raise NotFound(user.id)
    return touched


def _only_file(context: Context) -> UploadedFile:
    if not context.files:
        raise Invalid.field("file", "required", "Please provide an image file")
    if len(context.files) > 1:
        raise Invalid.field("file", "maxItems", "Please provide a single image file")
    return context.files[0]


def _is_text(value: object) -> bool:
    return isinstance(value, str)
