"""How documents of Crossbar's are kept so that dialects find them: numbers that are unique, and further tags.

Source: numbers that a phone system gives to users, voicemail boxes, lines, extensions and endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from crossbar.dialects.homes import ASIDE
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import USER, VMBOX
from crossbar.documents.shape import Shape, Unique

LOGIN_PURPOSES: Final = ("internal", "external_api")
"""What users are for who are no telephone users."""
LOGINS: Final = "xivo.logins"
"""Tag of users who are no telephone users."""

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
        for kind, number in numbers_of(document).items():
            yield number_claim(kind, number)

    return replace(shape, tags=all_tags, unique=all_claims)


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


_TAGS: Final[Mapping[str, Tags]] = {USER: _user_tags, VMBOX: _box_tags}
