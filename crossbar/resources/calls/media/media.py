# SPDX-License-Identifier: MPL-2.0
"""Media: the sounds that callers hear, of an account or of the system, uploaded or spoken by the server.

Without an account in the path they are the system's. A document with `prompt_id` is a prompt: its id is
`<language>/<prompt_id>`, and an account's prompt goes before the system's of the same id.

Source: KAZOO `cb_media`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final, Unpack
from urllib.parse import quote

from aiohttp import hdrs

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.conversion.media_types import UNKNOWN
from crossbar.conversion.tools import ToolError, ToolMissing
from crossbar.documents.document import SYSTEM_MEDIA, Document
from crossbar.documents.document_types import MEDIA
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Binary, Collection, Context, Draft, Handler, Reply, Who, chosen_id
from crossbar.endpoint.document_history import HISTORY
from crossbar.endpoint.endpoint import RouteOptions
from crossbar.endpoint.files import download, only_file
from crossbar.errors import JSON, Invalid, Plain
from crossbar.ids import new_id
from crossbar.resources.calls.media.domain.media_file import BASE64, MEDIA_CONVERTER, SOUND, first_attachment, sound
from crossbar.wire.negotiation import JSON_TYPES, check_content_type
from crossbar.wire.request_values import is_true

log = logging.getLogger(__name__)

UPLOADS: Final = (*SOUND, *BASE64)
NO_LANGUAGE: Final = "missing"
"""The word of a path for documents without language, which listings count under an empty one."""


def partition(context: Context) -> str:
    """The account's media, or the system's where the path names no account."""
    return SYSTEM_MEDIA if context.target is None else context.account_id


def language(document: Document) -> str:
    """The language of a document in lower case, empty where it has none."""
    return str(document.at("language") or "").lower()


def tags(document: Document) -> Iterator[str]:
    """Listings by language and by prompt."""
    yield f"language/{language(document)}"
    if prompt_id := document.at("prompt_id"):
        yield f"prompt/{prompt_id}"


media = Collection(
    "media",
    ("/accounts/{account_id}/media/{media_id}", "/media/{media_id}"),
    Shape(
        MEDIA,
        summary=Summary(
            "id",
            "name",
            "media_type",
            "media_source",
            language=language,
            is_prompt=lambda document: "prompt_id" in document.fields,
        ),
        tags=tags,
    ),
    schema="media",
    operations=(),
    partition=partition,
    history=HISTORY,
)


def reading(in_account: str, bare: str, **about: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
    """GET of a path in both scopes: an account's for its tree, the system's for everybody with a token."""

    def register(handler: Handler) -> Handler:
        media.get(in_account, **about)(handler)
        return media.get(bare, **(about | {"who": Who.AUTHENTICATED}))(handler)

    return register


reading("/accounts/{account_id}/media", "/media", **media.about("list"))(media.life.list)


@media.put("/accounts/{account_id}/media", "/media", **media.about("create"))
async def create(context: Context) -> Reply:
    """A new document; one with `prompt_id` gets the id that goes with it."""
    document_id = chosen_id(prompt_document_id(context.object) or context.object.get("id")) or new_id()
    document = await media.life.save_new(context, document_id, context.object)
    reply = await media.life.answer(context, document)
    reply.location = f"{context.request.rel_url.raw_path.rstrip('/')}/{quote(document.id, safe='')}"
    return reply


@reading("/accounts/{account_id}/media/languages", "/media/languages")
async def languages(context: Context) -> Reply:
    """How many documents there are in each language: one object in a list, or nothing."""
    return await _count(context, "language/")


@reading("/accounts/{account_id}/media/languages/{language}", "/media/languages/{language}")
async def in_language(context: Context) -> Reply:
    """The ids of the documents in a language."""
    asked = context.path["language"].lower()
    listing = Listing(partition(context), MEDIA, tag=f"language/{'' if asked == NO_LANGUAGE else asked}")
    return Reply.rows([row.id async for row in context.store.stream(listing)], page_size=True)


@reading("/accounts/{account_id}/media/prompts", "/media/prompts")
async def prompts(context: Context) -> Reply:
    """How many documents there are of each prompt: one object in a list, or nothing."""
    return await _count(context, "prompt/")


@reading("/accounts/{account_id}/media/prompts/{prompt_id}", "/media/prompts/{prompt_id}")
async def of_prompt(context: Context) -> Reply:
    """The documents of a prompt, and whether they can be heard."""
    listing = Listing(partition(context), MEDIA, tag=f"prompt/{context.path['prompt_id']}")
    return Reply.rows(
        [
            {
                "id": document.id,
                "has_attachments": await first_attachment(context.runtime.attachments, document) is not None,
            }
            for document in await context.store.all(listing)
        ],
        page_size=True,
    )


@reading(
    "/accounts/{account_id}/media/{media_id}",
    "/media/{media_id}",
    provides=(*JSON_TYPES, *UPLOADS),
    shows=media.life.schema,
)
async def read(context: Context) -> Reply | Binary:
    """The document, or its sound for those who accept nothing else."""
    return await raw(context) if context.media in UPLOADS else await media.life.read(context)


@reading("/accounts/{account_id}/media/{media_id}/raw", "/media/{media_id}/raw", provides=UPLOADS)
async def raw(context: Context) -> Binary:
    """The sound of a media document."""
    document = await media.life.load(context, context.path["media_id"])
    attachment = await first_attachment(context.runtime.attachments, document)
    if attachment is None:
        raise Plain(404, "bad identifier", [document.id])
    return await download(context, attachment)


@media.post(
    "/accounts/{account_id}/media/{media_id}",
    "/media/{media_id}",
    accepts=UPLOADS,
    **media.about("replace"),
    refuses=(500,),
)
async def replace(context: Context) -> Reply | Binary:
    """JSON replaces the document, a sound its sound."""
    content_type = context.request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    return await (upload(context) if context.files or content_type in UPLOADS else media.life.replace(context))


@media.post(
    "/accounts/{account_id}/media/{media_id}/raw",
    "/media/{media_id}/raw",
    accepts=UPLOADS,
    checks_itself=True,
    shows=media.life.schema,
    refuses=(500,),
)
async def upload(context: Context) -> Reply | Binary:
    """A new sound in place of the old one; the document tells its type and size."""
    previous = await media.life.load(context, context.path["media_id"])
    given = only_file(context)
    if given is None:
        raise Invalid.field("file", "required", "Please provide an media file")
    # What names no type at all is refused for it, whatever it contains.
    named = given.content_type != UNKNOWN
    file = (
        await sound(
            context.service(MEDIA_CONVERTER),
            given,
            context.config.media.normalization_format,
            normalize=context.config.media.normalize_media,
        )
        if named
        else given
    )
    facts: dict[str, JSON] = {
        "content_type": file.content_type,
        "content_length": len(file.contents),
        "media_source": "upload",
    }
    await media.life.validate(context, Draft(previous.id, {**previous.public, **facts}, previous))
    context.ready_to_write(previous.revision)
    check_content_type(context.request.headers.get(hdrs.CONTENT_TYPE), UPLOADS)
    await context.runtime.attachments.put(previous, file.name, file.content_type, file.contents, alone=True)
    return await media.life.update(context, lambda stored: {**stored, **facts})


@media.delete(
    "/accounts/{account_id}/media/{media_id}",
    "/media/{media_id}",
    checks_itself=True,
    shows=media.life.schema,
    options=media.options["delete"] | {"hard_delete": "`true`: for good"},
)
async def delete(context: Context) -> Reply:
    """Soft, but for good if it is a prompt, whose id has to be free again, or if `hard_delete` is wanted."""
    document = await media.life.load(context, context.path["media_id"])
    context.ready_to_write(document.revision)
    if document.at("prompt_id") or is_true(context.object.get("hard_delete")):
        await context.store.remove(document, stamps(context.author, document))
        await context.runtime.attachments.delete(document)
    else:
        await media.life.remove(context, document)
    return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)


def prompt_document_id(data: dict[str, JSON]) -> str | None:
    """The id of a prompt; None for other media."""
    prompt_id = data.get("prompt_id")
    return f"{str(data.get('language') or 'en-us').lower()}/{prompt_id}" if isinstance(prompt_id, str) else None


@media.check
async def prompt_keeps_its_place(context: Context, draft: Draft) -> None:
    """A prompt's language is in lower case, and neither it nor the prompt id changes."""
    if (wanted := prompt_document_id(draft.data)) is None:
        return
    if wanted != draft.id:
        message = "Changing the prompt_id on an existing prompt is not allowed"
        draft.errors.add("prompt_id", "invalid", message, cause=draft.data["prompt_id"])
    draft.data["language"] = str(draft.data.get("language") or "en-us").lower()


@media.save
async def save_with_speech(context: Context, document: Document, previous: Document | None) -> Document:
    """Speak the text of a document that wants it spoken, unless the same was said before."""
    text, voice = document.at("tts.text"), document.at("tts.voice")
    said = previous is not None and (previous.at("tts.text"), previous.at("tts.voice")) == (text, voice)
    speech = b""
    if document.at("media_source") == "tts" and text and not said:
        speech = await _spoken(context, text, voice)
    saved = await (context.store.insert(document) if previous is None else context.store.replace(document, previous))
    if speech:
        name = f"text_to_speech_{clock.now()}.wav"
        try:
            await context.runtime.attachments.put(saved, name, "audio/x-wav", speech, alone=True)
        except BaseException:
            if previous is None:
                await context.store.remove(saved)
            raise
    return saved


async def _spoken(context: Context, text: str, voice: str) -> bytes:
    try:
        return await context.service(MEDIA_CONVERTER).speak(text, voice)
    except ToolError as error:
        log.warning("request %s: %s", context.request_id, error)
        reason = str(error) if isinstance(error, ToolMissing) else "creating TTS failed unexpectedly"
        raise Plain(500, reason) from error


async def _count(context: Context, prefix: str) -> Reply:
    counts = await context.store.count_by_tag(Listing(partition(context), MEDIA), prefix=prefix)
    found = {word.removeprefix(prefix): count for word, count in sorted(counts.items())}
    return Reply.rows([found] if found else [], page_size=True)
