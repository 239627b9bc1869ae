"""Users: people of an account, with their log-in and call features.

Source: KAZOO `cb_users`, `kzd_users.erl` (`validate`, `maybe_rehash_creds`, `to_vcard`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossbar.access.passwords import (
    MD5_FIELD,
    SHA1_FIELD,
    credential_fields,
    credential_tags,
    password_fields,
)
from crossbar.documents.document import Document
from crossbar.documents.shape import Summary, Unique, or_default
from crossbar.ids import new_secret
from crossbar.resource import Call, Draft, Resource
from crossbar.resources.identity.features import smartpbx_features, switched_on
from crossbar.resources.identity.mails import wants_mail, welcome
from crossbar.resources.identity.numbers import normalize_at


def features(user: Document) -> list[str]:
    """The features that are on: named ones, SmartPBX ones, then the built-in ones."""
    named = user.at("features")
    return [*(named if isinstance(named, list) else []), *smartpbx_features(user), *switched_on(user)]


def full_name(user: Document) -> str:
    """`last_name first_name`, the order of the list."""
    return f"{user.at('last_name') or ''} {user.at('first_name') or ''}"


def claims(user: Document) -> Iterator[Unique]:
    """The user name and the hotdesk id that no second user of the account may have."""
    if username := user.at("username"):
        yield Unique(
            "user.username", username.lower(), "username", "Username must be unique within account", cause=username
        )
    if (hotdesk := user.at("hotdesk.id")) not in (None, ""):
        message = "Hotdesk ID must be unique within account"
        yield Unique("user.hotdesk.id", str(hotdesk), "hotdesk.id", message, cause=hotdesk)


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
        yield from (f"queue/{queue_id}" for queue_id in dict.fromkeys(queues))


users = Resource(
    "users",
    document_type="user",
    schema="users",
    summary=ROW,
    sort=full_name,
    tags=tags,
    unique=claims,
    client_ids=False,
)


@users.normalize
async def normalize(call: Call, draft: Draft) -> None:
    """Lower-case the user name, normalise the emergency number, drop what is an order and not a field."""
    data = draft.data
    data.pop("sync", None)
    if isinstance(username := data.get("username"), str):
        data["username"] = username.lower()
    normalize_at(data, "caller_id.emergency.number")


@users.finish
async def set_credentials(call: Call, draft: Draft) -> None:
    """Keep keyed digests of the log-in instead of the password, and end the user's tokens when it changes."""
    data, private = draft.data, draft.private
    stored = draft.previous.fields if draft.previous else {}
    password, given_hash = data.pop("password", None), data.pop("credentials", None)
    data.pop("confirm_password", None)
    config, pepper = call.config.users, call.services.access.pepper
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


@users.after
async def send_welcome(call: Call, user: Document, previous: Document | None) -> None:
    """A new user hears of it by mail."""
    if previous is None and wants_mail(call):
        await welcome(call, user)
