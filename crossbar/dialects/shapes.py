# SPDX-License-Identifier: MPL-2.0
"""How documents of Crossbar's are kept so that dialects find them: numbers that are unique, and further tags.

Source: numbers that a phone system gives to users, voicemail boxes, lines, extensions and endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from crossbar.dialects.homes import ASIDE
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import DEVICE, USER, VMBOX
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.errors import JSON
from crossbar.resources.identity.domain.sip_username import username_claim

LOGIN_PURPOSES: Final = ("internal", "external_api")
"""What users are for who are no telephone users."""
LOGINS: Final = "xivo.logins"
"""Tag of users who are no telephone users."""

CODE_PLACE: Final = f"{ASIDE}.line.provisioning_code"

Tags = Callable[[Document], Iterator[str]]


def numbers_of(document: Document) -> Mapping[str, int]:
    """The integers by which dialects know a document, by kind."""
    return as_object(as_object(document.fields.get(ASIDE)).get("numbers"))


def number_claim(kind: str, number: int) -> Unique:
    """An integer of a kind, which one document of the whole installation has."""
    return Unique(f"xivo.{kind}", str(number), f"{ASIDE}.numbers.{kind}", "The number is taken", system=True)


def numbered(kind: str) -> str:
    """Tag of the documents that have a number of a kind."""
    return f"xivo.{kind}"


def owner_tag(user_id: str) -> str:
    """Tag of the voicemail boxes that a user owns."""
    return f"xivo.owner/{user_id}"


def shared_box_tag(box_id: str) -> str:
    """Tag of the users who have a part in a voicemail box of somebody else's, or chose it among their own."""
    return f"xivo.box/{box_id}"


def email_tag(address: str) -> str:
    """Tag of the users with a mail address, whatever its case."""
    return f"xivo.email/{address.lower()}"


def secondary_tag(user_id: str) -> str:
    """Tag of the lines that somebody else's are and a user has, too."""
    return f"xivo.secondary/{user_id}"


def hardware_tag(device_id: str) -> str:
    """Tag of the lines on a telephone."""
    return f"xivo.hardware/{device_id}"


def called_tag(number: str) -> str:
    """Tag of the extension that stands for a number of callflows."""
    return f"xivo.called/{number}"


def extended(shape: Shape) -> Shape:
    """The shape of a type as dialects need it; that of a type they do not speak of is unchanged."""
    tags = _TAGS.get(shape.type)
    if tags is None:
        return shape
    own_tags, own_claims = shape.tags, shape.unique

    def all_tags(document: Document) -> Iterator[str]:
        yield from own_tags(document)
        yield from tags(document)

    def all_claims(document: Document) -> Iterator[Unique]:
        yield from own_claims(document)
        yield from _own_claims(document)

    return replace(shape, tags=all_tags, unique=all_claims)


def line_attributes(document: Document) -> Mapping[str, JSON]:
    """What is kept of a line beside KAZOO's fields."""
    return as_object(as_object(document.fields.get(ASIDE)).get("line"))


def _own_claims(document: Document) -> Iterator[Unique]:
    """The numbers of a document, and the code of a line."""
    for kind, number in numbers_of(document).items():
        yield number_claim(kind, number)
    if isinstance(code := line_attributes(document).get("provisioning_code"), str):
        yield Unique("xivo.provisioning_code", code, CODE_PLACE, "The code is taken", cause=code)


def _user_tags(user: Document) -> Iterator[str]:
    aside = as_object(user.fields.get(ASIDE))
    if aside.get("purpose") in LOGIN_PURPOSES:
        yield LOGINS
    elif "users" in numbers_of(user):
        yield numbered("users")
    if isinstance(box := aside.get("box"), str):
        yield shared_box_tag(box)
    if email := user.text("email"):
        yield email_tag(email)


def _box_tags(box: Document) -> Iterator[str]:
    if "voicemails" in numbers_of(box):
        yield numbered("voicemails")
    if owner := box.text("owner_id"):
        yield owner_tag(owner)


def _line_tags(document: Document) -> Iterator[str]:
    yield from (numbered(kind) for kind in numbers_of(document))
    line = line_attributes(document)
    yield from (secondary_tag(user_id) for user_id in as_list(line.get("secondary")))
    if isinstance(hardware := line.get("device"), str):
        yield hardware_tag(hardware)


_TAGS: Final[Mapping[str, Tags]] = {USER: _user_tags, VMBOX: _box_tags, DEVICE: _line_tags}


# What KAZOO has no document for


def _endpoint_claims(endpoint: Document) -> Iterator[Unique]:
    yield from _own_claims(endpoint)
    if username := endpoint.text("sip.username"):
        yield username_claim(username)


def _extension_claims(extension: Document) -> Iterator[Unique]:
    yield from _own_claims(extension)
    aside = as_object(extension.fields.get(ASIDE))
    exten, context = str(aside.get("exten")), str(aside.get("context"))
    yield Unique("xivo.exten", f"{exten}@{context}", f"{ASIDE}.exten", "The extension exists", cause=exten)
    # An account of KAZOO's has a number once, whatever the context.
    yield Unique("xivo.called", str(aside.get("called")), f"{ASIDE}.exten", "The extension exists", cause=exten)


def _extension_tags(extension: Document) -> Iterator[str]:
    yield numbered("extensions")
    yield called_tag(str(as_object(extension.fields.get(ASIDE)).get("called")))


LINE: Final = "xivo_line"
ENDPOINT: Final = "xivo_endpoint"
EXTENSION: Final = "xivo_extension"
SERVER: Final = "xivo_server"
SHAPES: Final = (
    Shape(LINE, summary=Summary("id"), tags=_line_tags, unique=_own_claims),
    Shape(ENDPOINT, summary=Summary("id"), tags=_line_tags, unique=_endpoint_claims, sealed=("sip.password",)),
    Shape(SERVER, summary=Summary("id")),
    Shape(EXTENSION, summary=Summary("id"), tags=_extension_tags, unique=_extension_claims),
)
"""Lines without an endpoint, endpoints without a line, and extensions (numbers with what a dialect says of them)."""
