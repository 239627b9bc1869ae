# SPDX-License-Identifier: MPL-2.0
"""Whitelabel: the looks that an account gives to user interfaces, by the domain they are reached under.

Source: KAZOO `cb_whitelabel`. What a browser needs before anybody logged in is open to everybody.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import WHITELABEL
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Binary, Context, Draft, Reply, Singleton, Who
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.resources.system.domain import dns_check
from crossbar.resources.system.system_configs import system_configs
from crossbar.settings import DEFAULT_SECTION
from crossbar.wire.body import UploadedFile
from crossbar.wire.negotiation import check_content_type

DOMAIN_TAKEN: Final = "White label domain is already in use"

IMAGES: Final = ("image/jpg", "image/jpeg", "image/png", "image/gif")
ICONS: Final = (*IMAGES, "image/ico", "image/vnd.microsoft.icon", "image/x-icon", "image/icon")
ENCODED: Final = ("application/base64", "application/x-base64")
UNKNOWN: Final = "application/octet-stream"
FILES: Final = {"logo": IMAGES, "icon": ICONS, "welcome": ("text/html",)}
"""The files of a whitelabel, and the types each may have."""


def domain_claim(domain: str) -> Unique:
    """The claim on a domain, which holds across all accounts."""
    return Unique("whitelabel.domain", domain, "domain", DOMAIN_TAKEN, cause=domain, system=True)


def claims(whitelabel: Document) -> Iterator[Unique]:
    """Its domain."""
    if isinstance(domain := whitelabel.at("domain"), str) and domain:
        yield domain_claim(domain)


whitelabel = Singleton(
    "whitelabel",
    "/accounts/{account_id}/whitelabel",
    Shape(WHITELABEL, summary=Summary("id"), unique=claims),
    document_id=WHITELABEL,
    schema="whitelabel",
    operations=("read", "create", "replace", "delete"),
    must_exist=True,
)


# The document


@whitelabel.normalize
async def lower_domain(_: Context, draft: Draft) -> None:
    """Domains are compared without regard to case."""
    if isinstance(domain := draft.data.get("domain"), str):
        draft.data["domain"] = domain.lower()


@whitelabel.get("/whitelabel/{domain}", who=Who.ANONYMOUS, shows=whitelabel.life.schema)
async def read_by_domain(context: Context) -> Reply:
    """The whitelabel of the account that owns a domain."""
    return await whitelabel.life.answer(context, await _owner(context))


@whitelabel.get("/accounts/{account_id}/whitelabel/{domain}", who=Who.ANONYMOUS, shows=whitelabel.life.schema)
async def read_own(context: Context) -> Reply:
    """The account's own whitelabel, whatever domain is named."""
    return await whitelabel.life.answer(context, await whitelabel.life.load(context, WHITELABEL))


async def _owner(context: Context) -> Document:
    """The whitelabel that holds the domain in the path."""
    domain = context.path["domain"]
    held = await context.store.claims.system_holder(domain_claim(domain.lower()).key)
    document = await context.store.get(*held) if held else None
    if document is None:
        raise NotFound(domain)
    return document


# Logo, icon and welcome page


def _offer(name: str, own: str, *of_domain: str) -> None:
    """The routes of one of the files: of the account's own whitelabel, and of one that is named by its domain."""

    async def read(context: Context) -> Binary:
        """The file of the account's own whitelabel."""
        return await _file(context, await whitelabel.life.load(context, WHITELABEL), name)

    async def read_of_domain(context: Context) -> Binary:
        """The file of the whitelabel that a domain belongs to."""
        return await _file(context, await _owner(context), name)

    async def upload(context: Context) -> Reply:
        """Another file in place of the account's own."""
        document = await whitelabel.life.load(context, WHITELABEL)
        await _keep(context, document, name, _uploaded(context, name))
        return await whitelabel.life.answer(context, document)

    types = FILES[name]
    whitelabel.get(own, who=Who.ANONYMOUS, provides=types)(read)
    whitelabel.get(
        *of_domain,
        who=Who.ANONYMOUS,
        provides=types,
    )(read_of_domain)
    whitelabel.post(own, accepts=types if name == "welcome" else (*types, *ENCODED))(upload)


_offer(
    "logo",
    "/accounts/{account_id}/whitelabel/logo",
    "/whitelabel/{domain}/logo",
    "/accounts/{account_id}/whitelabel/{domain}/logo",
)
_offer(
    "icon",
    "/accounts/{account_id}/whitelabel/icon",
    "/whitelabel/{domain}/icon",
    "/accounts/{account_id}/whitelabel/{domain}/icon",
)
_offer(
    "welcome",
    "/accounts/{account_id}/whitelabel/welcome",
    "/whitelabel/{domain}/welcome",
    "/accounts/{account_id}/whitelabel/{domain}/welcome",
)


async def _file(context: Context, document: Document, name: str) -> Binary:
    for attachment in await _attachments(context, document, name):
        return await Binary.attachment(context, attachment)
    raise NotFound(name)


async def _attachments(context: Context, document: Document, name: str) -> list[Attachment]:
    every = await context.runtime.attachments.all(document)
    return [attachment for attachment in every if attachment.name.startswith(f"{name}-")]


def _uploaded(context: Context, name: str) -> UploadedFile:
    if not context.files:
        kind = "html" if name == "welcome" else "image"
        raise Invalid.field("file", "required", f"Please provide an {kind} file")
    if len(context.files) > 1:
        raise Invalid.field("file", "maxItems", "Please provide a single image file")
    # What a data URI or a part of a multipart body says of itself is judged like the header.
    check_content_type(context.files[0].content_type, (*FILES[name], UNKNOWN))
    return context.files[0]


async def _keep(context: Context, document: Document, name: str, file: UploadedFile) -> None:
    """Store the file in place of the one before."""
    suffix = "" if PurePosixPath(file.name).suffix else mimetypes.guess_extension(file.content_type) or ""
    kept = f"{name}-{file.name}{suffix}"
    attachments = context.runtime.attachments
    before = await _attachments(context, document, name)
    await attachments.put(document, kept, file.content_type, file.contents)
    for attachment in before:
        if attachment.name != kept:
            await attachments.delete(document, attachment.name)


# What the name servers of a domain have to say


@whitelabel.get(
    "/whitelabel/domains",
    "/accounts/{account_id}/whitelabel/domains",
    who=Who.ANONYMOUS,
    options={"domain": "The domain; the account's own without"},
)
async def read_domains(context: Context) -> Reply:
    """The name server entries that a domain needs."""
    return Reply(dns_check.filled(_template(context), await _domain(context)))


@whitelabel.post(
    "/accounts/{account_id}/whitelabel/domains",
    options={"domain": "The domain; the account's own without", "use_tcp": "`true`: ask over TCP"},
)
async def check_domains(context: Context) -> Reply:
    """What the name servers say of a domain beside what they should."""
    wanted = dns_check.filled(_template(context), await _domain(context))
    return Reply(await dns_check.compare(wanted, tcp=context.values.is_true("use_tcp")))


@whitelabel.post("/whitelabel/domains", who=Who.SUPERDUPER, checks_itself=True, schema="domains")
async def replace_template(context: Context) -> Reply:
    """What domains need from now on, in all accounts."""
    template = context.valid_data()

    def laid_in(stored: dict[str, Any]) -> dict[str, Any]:
        return {**stored, DEFAULT_SECTION: {**as_object(stored.get(DEFAULT_SECTION)), "domains": template}}

    await system_configs.life.upsert(context, "whitelabel", laid_in)
    return Reply(template)


def _template(context: Context) -> JSON:
    return context.runtime.settings.get("whitelabel", "domains", dns_check.TEMPLATE)


async def _domain(context: Context) -> str:
    """The domain the request names, else the account's own."""
    if domain := context.values.text("domain"):
        return domain.lower()
    document = await context.store.get(context.account_id, WHITELABEL, WHITELABEL) if context.target else None
    own = document.at("domain") if document else None
    if not own:
        message = "No domain found to use. Supply one on the request or create one via the whitelabel API"
        raise Invalid.field("domain", "required", message)
    return str(own)
