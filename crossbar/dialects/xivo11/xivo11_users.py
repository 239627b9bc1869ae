# SPDX-License-Identifier: MPL-2.0
"""`/1.1/users`: people and their telephones' settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from crossbar import clock
from crossbar.dialects import boxes, telephone_users, user_homes, wiring
from crossbar.dialects.declaration import Declaration, Property
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Aside, Edit
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.refusals import json_answer
from crossbar.dialects.user_homes import caller_id_parts, caller_id_text
from crossbar.dialects.wiring import Wiring
from crossbar.dialects.xivo11 import xivo11_lists, xivo11_values
from crossbar.dialects.xivo11.xivo11_lists import ListRules
from crossbar.dialects.xivo11.xivo11_protocol import links, resource_error
from crossbar.dialects.xivo11.xivo11_resource import Xivo11Resource
from crossbar.dialects.xivo11.xivo11_values import given
from crossbar.dialects.xivo11.xivo11_views import JOINED, directory_view, related, summary_view
from crossbar.documents.document import Document
from crossbar.documents.field import Expression
from crossbar.documents.selection import at, dashed_id, glued, joined, literal, same, text, where
from crossbar.endpoint import jointly
from crossbar.errors import JSON


@dataclass(frozen=True, slots=True)
class CallerIdHome:
    """`"Name" <number>`; the user's own name where nothing is said."""

    paths: tuple[str, ...] = ("caller_id.internal.name", "caller_id.internal.number")

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """Name and number, as one text."""
        name = user_homes.CALLER_NAME.read(fields) or full_name(fields)
        return caller_id_text(name, user_homes.CALLER_NUMBER.read(fields))

    def write(self, edit: Edit, value: JSON) -> None:
        """Both parts."""
        name, number = caller_id_parts(str(value)) or (None, None)
        user_homes.CALLER_NAME.write(edit, name or None)
        user_homes.CALLER_NUMBER.write(edit, number)

    @property
    def expression(self) -> Expression:
        """As `read`."""
        given = text(user_homes.CALLER_NAME.expression)
        name = where(same(given, ""), FULL_NAME, given)
        number = text(user_homes.CALLER_NUMBER.expression)
        quoted = glued(literal('"'), name, literal('"'))
        return where(same(number, ""), quoted, glued(quoted, " <", number, ">"))


def full_name(fields: Mapping[str, JSON]) -> str:
    """First and last name, as far as there are any."""
    names = (user_homes.FIRST_NAME.read(fields), user_homes.LAST_NAME.read(fields))
    return " ".join(str(name) for name in names if name)


FULL_NAME: Final = joined((user_homes.FIRST_NAME.expression, user_homes.LAST_NAME.expression), " ")
BOOLEAN, TEXT = xivo11_values.BOOLEAN, xivo11_values.TEXT


def _flag(name: str, initial: bool) -> Property:
    return Property(name, BOOLEAN, Aside(name), initial, initial, is_nullable=False)


USERS: Final = Declaration(
    "users",
    "User",
    telephone_users.NUMBERS,
    (
        given("id", at("pvt_xivo.numbers.users"), is_searched=False),
        given("uuid", dashed_id(), is_searched=False),
        given("tenant_uuid"),
        given("created_at"),
        Property("firstname", xivo11_values.SHORT_TEXT, user_homes.FIRST_NAME, is_required=True, is_nullable=False,
                 is_column=True),
        Property("lastname", xivo11_values.SHORT_TEXT, user_homes.LAST_NAME, initial=None, is_column=True),
        Property("email", TEXT, user_homes.EMAIL, is_column=True, is_searched=True),
        Property("timezone", TEXT, user_homes.TIMEZONE),
        Property("language", xivo11_values.LANGUAGE, user_homes.LANGUAGE),
        Property("description", TEXT, user_homes.DESCRIPTION, is_column=True, is_searched=True),
        Property("caller_id", xivo11_values.CALLER_ID, CallerIdHome(), is_nullable=False, is_column=True,
                 is_searched=True),
        Property("outgoing_caller_id", xivo11_values.OUTGOING_CALLER_ID, user_homes.OUTGOING_CALLER_ID,
                 is_column=True, is_searched=True),
        Property("mobile_phone_number", xivo11_values.MOBILE, user_homes.MOBILE, is_column=True, is_searched=True),
        Property("username", xivo11_values.USERNAME, user_homes.USERNAME),
        Property("password", xivo11_values.PASSWORD, user_homes.PASSWORD, is_secret=True),
        Property("music_on_hold", TEXT, user_homes.MUSIC_ON_HOLD, is_column=True, is_searched=True),
        Property("preprocess_subroutine", TEXT, Aside("preprocess_subroutine"), is_column=True, is_searched=True),
        Property("userfield", TEXT, user_homes.USERFIELD, is_column=True, is_searched=True),
        _flag("call_transfer_enabled", initial=True),
        _flag("call_record_enabled", initial=False),
        _flag("online_call_record_enabled", initial=False),
        _flag("supervision_enabled", initial=True),
        _flag("dtmf_hangup_enabled", initial=False),
        Property("ring_seconds", xivo11_values.integer(0, 60, 5), Aside("ring_seconds"), 30, 30, is_nullable=False),
        Property("simultaneous_calls", xivo11_values.integer(1, 20), Aside("simultaneous_calls"), 5, 5,
                 is_nullable=False),
        Property("subscription_type", xivo11_values.integer(0, 10), Aside("subscription_type"), 0, is_nullable=False),
        Property("call_permission_password", xivo11_values.PERMISSION_PASSWORD, Aside("call_permission_password")),
        Property("enabled", BOOLEAN, user_homes.ENABLED, True, True, is_nullable=False, is_column=True,
                 is_searched=True),
        *(given(name) for name in (
            "agent", "call_permissions", "call_pickup_target_users", "fallbacks", "forwards", "groups", "incalls",
            "lines", "queues", "schedules", "services", "switchboards", "voicemail", "links",
        )),
    ),
)  # fmt: skip
RULES: Final = ListRules(
    USERS,
    order="lastname",
    indexed="lastname",
    columns={"fullname": FULL_NAME},
    searched=("fullname", "exten", "provisioning_code"),
    joined=JOINED,
)


class Users11:
    """Users, as 1.1 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The user of a number or UUID."""
        return await telephone_users.find(context, word)

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new user, whose caller id is his name unless another is given."""
        names = " ".join(str(values[name]) for name in ("firstname", "lastname") if values.get(name))
        given = {"caller_id": caller_id_text(names, None), **values}
        values = await _with_free_address(context, given, None)
        return await jointly(context.store, lambda joint: telephone_users.create(joint, context, USERS, values))

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""
        free = await _with_free_address(context, values, document)
        await jointly(context.store, lambda joint: telephone_users.change(joint, context, USERS, document, free))

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a user who has neither line nor voicemail box."""
        number = telephone_users.NUMBERS.of(document)
        theirs = (await boxes.boxes_of(context, [document])).get(document.id)
        if theirs is not None:
            facts = {"user_id": number, "voicemail_id": boxes.NUMBERS.of(theirs)}
            raise resource_error("User is associated with a Voicemail", **facts)
        wired = await wiring.around_users(context, document.partition, [document.id])
        if line := wired.main_line_of(document.id):
            facts = {"user_id": number, "line_id": wiring.LINES.of(line)}
            raise resource_error("User is associated with a Line", **facts)
        await boxes.remove_user(context, document)

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """Ids, and what belongs to each user."""
        theirs = await boxes.boxes_of(context, documents)
        wirings = await wirings_of(context, documents)
        return [
            {
                "id": telephone_users.NUMBERS.of(user),
                "uuid": dashed(user.id),
                "tenant_uuid": dashed(user.partition),
                "created_at": clock.moment(user.fields.get("pvt_created") or 0).isoformat(),
                "links": links(context.base, ("users", "users", telephone_users.NUMBERS.of(user))),
                **related(context.base, user, wirings[user.partition], theirs.get(user.id)),
            }
            for user in documents
        ]


async def wirings_of(context: DialectContext, people: Sequence[Document]) -> dict[str, Wiring]:
    """The lines around some users, by account."""
    accounts = dict.fromkeys(user.partition for user in people)
    return {
        account: await wiring.around_users(context, account, [one.id for one in people if one.partition == account])
        for account in accounts
    }


async def _with_free_address(
    context: DialectContext, values: dict[str, JSON], user: Document | None
) -> dict[str, JSON]:
    """The values, if no other user of the account has the mail address in them."""
    email = values.get("email")
    if isinstance(email, str) and email:
        holders = await telephone_users.with_email(context, email)
        if any(user is None or holder.id != user.id for holder in holders):
            raise resource_error("User already exists", email=email)
    return values


class _UserResource(Xivo11Resource):
    async def list_all(self, context: DialectContext) -> web.Response:
        """The list, or one of its views."""
        view = {"directory": directory_view, "summary": summary_view}.get(context.query.get("view", ""))
        if view is None:
            return await super().list_all(context)
        await context.crossbar("GET", self.noun)
        total, documents = await xivo11_lists.select(context, self.rules)
        shown = await self.shown(context, documents)
        wirings = await wirings_of(context, documents)
        theirs = await boxes.boxes_of(context, documents)
        items: list[dict[str, Any]] = [
            view(one, user, wirings[user.partition], theirs.get(user.id))
            for one, user in zip(shown, documents, strict=True)
        ]
        return json_answer(xivo11_lists.page(total, items))


RESOURCE: Final = _UserResource("users", "users", RULES, Users11())
RESOURCE.mount()
