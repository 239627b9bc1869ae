# SPDX-License-Identifier: MPL-2.0
"""What belongs to a user of 1.1: lines, the voicemail box, forwards and services; and the shorter views of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from crossbar.dialects import box_homes, boxes, telephone_users, wiring
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE
from crossbar.dialects.shapes import line_attributes, numbers_of
from crossbar.dialects.wiring import Wiring, exten_of
from crossbar.dialects.xivo11.xivo11_lists import Joined, accounts_of
from crossbar.dialects.xivo11.xivo11_protocol import links
from crossbar.documents.document import Document, DocumentKey, as_object
from crossbar.documents.document_types import USER
from crossbar.documents.selection import Selection
from crossbar.errors import JSON

FORWARDS: Final = ("busy", "noanswer", "unconditional")
SERVICES: Final = ("dnd", "incallfilter")


def forwards_of(user: Document) -> dict[str, JSON]:
    """Where calls go instead: `unconditional` is KAZOO's call forwarding."""
    kept = as_object(user.at(f"{ASIDE}.forwards"))
    found: dict[str, JSON] = {
        name: {"enabled": False, "destination": None, **as_object(kept.get(name))} for name in FORWARDS[:2]
    }
    found["unconditional"] = {
        "enabled": user.at("call_forward.enabled") is True,
        "destination": user.text("call_forward.number") or None,
    }
    return found


def services_of(user: Document) -> dict[str, JSON]:
    """What is switched on: `dnd` is KAZOO's do-not-disturb."""
    return {
        "dnd": {"enabled": user.at("do_not_disturb.enabled") is True},
        "incallfilter": {"enabled": user.at(f"{ASIDE}.services.incallfilter") is True},
    }


def extension_link(base: str, extension: Document) -> dict[str, JSON]:
    """An extension as others mention it."""
    number = wiring.EXTENSIONS.of(extension)
    return {
        "id": number,
        "exten": exten_of(extension),
        "context": extension.at(f"{ASIDE}.context"),
        "links": links(base, ("extensions", "extensions", number)),
    }


def endpoint_link(base: str, line: Document) -> dict[str, JSON] | None:
    """A line's endpoint as others mention it."""
    number = numbers_of(line).get("endpoints_sip")
    if number is None:
        return None
    username = line.text("sip.username")
    return {
        "id": number,
        "username": username,
        "name": username,
        "links": links(base, ("endpoint_sip", "endpoints/sip", number)),
    }


def line_with(base: str, line: Document, other: tuple[str, str, JSON], **facts: JSON) -> dict[str, JSON]:
    """A line and what it is associated with, which `facts` tell of and `other` links to, as `links` wants it."""
    number = wiring.LINES.of(line)
    return {"line_id": number, **facts, "links": links(base, ("lines", "lines", number), other)}


def line_link(base: str, line: Document, wired: Wiring) -> dict[str, JSON]:
    """A line as users mention it."""
    number = wiring.LINES.of(line)
    return {
        "id": number,
        "name": line.text("sip.username") or None,
        "endpoint_sip": endpoint_link(base, line),
        "endpoint_sccp": None,
        "endpoint_custom": None,
        "extensions": [extension_link(base, one) for one in wired.extensions_of(line)],
        "links": links(base, ("lines", "lines", number)),
    }


def no_fallbacks() -> dict[str, JSON]:
    """Where calls go that nobody answers, which is up to callflows."""
    return dict.fromkeys(("busy_destination", "congestion_destination", "fail_destination", "noanswer_destination"))


def related(base: str, user: Document, wired: Wiring, box: Document | None) -> dict[str, JSON]:
    """What belongs to a user."""
    voicemail: JSON = None
    if box is not None:
        number = boxes.NUMBERS.of(box)
        voicemail = {
            "id": number,
            "name": box_homes.NAME.read(box.fields),
            "links": links(base, ("voicemails", "voicemails", number)),
        }
    nothing = ("call_permissions", "call_pickup_target_users", "groups", "incalls", "queues", "schedules",
               "switchboards")  # fmt: skip
    return {
        **{name: [] for name in nothing},
        "agent": None,
        "fallbacks": no_fallbacks(),
        "forwards": forwards_of(user),
        "services": services_of(user),
        "lines": [line_link(base, line, wired) for line in wired.lines_of(user.id)],
        "voicemail": voicemail,
    }


# Views


def _main(user: Document, wired: Wiring) -> tuple[Document | None, Document | None]:
    line = wired.main_line_of(user.id)
    extensions = wired.extensions_of(line) if line else []
    return line, extensions[0] if extensions else None


def directory_view(shown: Mapping[str, JSON], user: Document, wired: Wiring, box: Document | None) -> dict[str, Any]:
    """What a telephone directory needs."""
    line, extension = _main(user, wired)
    names = ("id", "uuid", "firstname", "lastname", "email", "mobile_phone_number", "userfield", "description")
    return {
        **{name: shown[name] for name in names},
        "line_id": wiring.LINES.of(line) if line else None,
        "agent_id": user.at(f"{ASIDE}.agent_id"),
        "exten": exten_of(extension) if extension else None,
        "context": extension.at(f"{ASIDE}.context") if extension else None,
        "voicemail_number": box.text("mailbox") if box else None,
    }


def summary_view(shown: Mapping[str, JSON], user: Document, wired: Wiring, _: Document | None) -> dict[str, Any]:
    """What a list on a screen needs."""
    line, extension = _main(user, wired)
    return {
        **{name: shown[name] for name in ("id", "uuid", "firstname", "lastname", "email", "enabled")},
        "extension": exten_of(extension) if extension else None,
        "context": extension.at(f"{ASIDE}.context") if extension else None,
        "provisioning_code": line_attributes(line).get("provisioning_code") if line else None,
        "protocol": "sip" if line else None,
        "entity": user.at(f"{ASIDE}.entity_id"),
    }


# Columns whose values lie elsewhere


def _by_wiring(told: Callable[[Document, Document | None], JSON]) -> Joined:
    """A column that comes from each user's main line and its extension."""

    async def values(context: DialectContext) -> Mapping[DocumentKey, str]:
        found: dict[DocumentKey, str] = {}
        for account in await accounts_of(context):
            wired = await wiring.whole(context, account)
            people = dict.fromkeys(user for line in wired.lines.values() for user in wiring.users_on(line))
            for user_id in people:
                line = wired.main_line_of(user_id)
                extensions = wired.extensions_of(line) if line else []
                value = told(line, extensions[0] if extensions else None) if line else None
                if value:
                    found[DocumentKey(account, USER, user_id)] = str(value)
        return found

    return values


async def _mailboxes(context: DialectContext) -> Mapping[DocumentKey, str]:
    accounts = await accounts_of(context)
    people = await context.store.select(
        Selection(accounts, telephone_users.NUMBERS.type, (telephone_users.NUMBERS.tag,))
    )
    theirs = await boxes.boxes_of(context, people)
    return {
        DocumentKey(user.partition, USER, user.id): theirs[user.id].text("mailbox")
        for user in people
        if user.id in theirs
    }


def _exten(_: Document, extension: Document | None) -> JSON:
    return exten_of(extension) if extension else None


def _context(_: Document, extension: Document | None) -> JSON:
    return extension.at(f"{ASIDE}.context") if extension else None


def _code(line: Document, _: Document | None) -> JSON:
    return line_attributes(line).get("provisioning_code")


JOINED: Final[Mapping[str, Joined]] = {
    "exten": _by_wiring(_exten),
    "extension": _by_wiring(_exten),
    "context": _by_wiring(_context),
    "provisioning_code": _by_wiring(_code),
    "voicemail_number": _mailboxes,
}
