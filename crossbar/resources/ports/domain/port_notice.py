# SPDX-License-Identifier: MPL-2.0
"""The letters about a port request: one for each move, one for each comment.

Source: KAZOO `teletype_port_utils.erl`, `teletype_port_request_admin.erl`, `teletype_port_comment.erl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_list, as_object
from crossbar.events.notices import letter, notice
from crossbar.resources.notices.domain.template_notice import about_person, about_time, admin_addresses
from crossbar.resources.numbers.domain.port_request import (
    AUTHORITY,
    OWNER,
    PORTED,
    TRANSITIONS,
    PortState,
    numbers_of,
    state_of,
)
from crossbar.resources.ports.domain.port_authority import port_settings
from crossbar.resources.ports.domain.port_comment import Comment, is_private
from crossbar.runtime import Runtime

TEMPLATES: Final[Mapping[PortState, str]] = {
    PortState.SUBMITTED: "port_request",
    PortState.PENDING: "port_pending",
    PortState.SCHEDULED: "port_scheduled",
    PortState.COMPLETED: "ported",
    PortState.REJECTED: "port_rejected",
    PortState.CANCELED: "port_cancel",
}
"""State → the template that tells of it."""
FOR_THE_AUTHORITY: Final = "port_request_admin"
COMMENT: Final = "port_comment"
REMINDER: Final = "port_unconfirmed"
BILL: Final = ("name", "street_address", "locality", "region", "postal_code")


@dataclass(frozen=True, slots=True)
class PortNotices:
    """What changes of requests give rise to: notices, to be written in the same step."""

    runtime: Runtime

    async def moved(self, request: Document) -> list[Document]:
        """A request is where its latest move has brought it."""
        account = await self._account(request)
        if account is None:
            return []
        told = {"port_request": await self._about(account, request)}
        contacts = _contacts(request)
        event = TEMPLATES[state_of(request)]
        letters = [letter(event, told, original=[*await self._reseller(account), *contacts])]
        if state_of(request) is PortState.SUBMITTED:
            deciding = await self._authority(request)
            reply_to = next(iter(contacts), None)
            letters.append(letter(FOR_THE_AUTHORITY, told, original=deciding, reply_to=reply_to))
        return [notice(event, account.id, _payload(request), letters=letters)]

    async def unconfirmed(self, request: Document) -> list[Document]:
        """A request still waits to be submitted."""
        account = await self._account(request)
        if account is None:
            return []
        told = {"port_request": await self._about(account, request)}
        reminder = letter(REMINDER, told, original=[*await self._reseller(account), *_contacts(request)])
        return [notice(REMINDER, account.id, _payload(request), letters=[reminder])]

    async def commented(self, request: Document, comments: list[Comment]) -> list[Document]:
        """A request has new comments; of a private one only those hear who decide."""
        account = await self._account(request) if comments else None
        if account is None:
            return []
        user = await self._commenter(comments[0])
        notices = []
        for comment in comments:
            date = about_time(comment["timestamp"], account.timezone)
            about = {**await self._about(account, request), "comment": {**comment, "date": date}}
            if is_private(comment):
                addresses = await self._authority(request)
            else:
                addresses = [*await self._reseller(account), *_contacts(request)]
            told = letter(COMMENT, {"port_request": about, "user": user}, original=addresses)
            payload = {**_payload(request), "comment": comment}
            notices.append(notice(COMMENT, account.id, payload, letters=[told]))
        return notices

    async def _account(self, request: Document) -> Account | None:
        return await self.runtime.access.directory.account(request.text(OWNER))

    async def _reseller(self, account: Account) -> list[str]:
        """Where the account's reseller wants to hear of ports."""
        reseller_id = await self.runtime.access.directory.reseller_of(account)
        return await self._desk(reseller_id) if reseller_id else []

    async def _authority(self, request: Document) -> list[str]:
        """Where those hear of it who decide, else the master account, else whom the operator has named."""
        directory = self.runtime.access.directory
        for account_id in (request.text(AUTHORITY), await directory.master_id()):
            if account_id and (addresses := await self._desk(account_id)):
                return addresses
        named = self.runtime.settings.get(f"notify.{FOR_THE_AUTHORITY}", "default_to")
        return [named] if isinstance(named, str) else [text for text in as_list(named) if isinstance(text, str)]

    async def _desk(self, account_id: str) -> list[str]:
        """Where an account hears of ports: the address that its whitelabel names, else its administrators."""
        support = (await port_settings(self.runtime.store, account_id)).support_email
        return [support] if support else sorted(await admin_addresses(self.runtime, account_id))

    async def _about(self, account: Account, request: Document) -> dict[str, Any]:
        """What a letter may tell of a request."""
        zone = account.timezone
        bill = as_object(request.at("bill"))
        dates = {"port_scheduled_date": "scheduled_date", "requested_port_date": "transfer_date"}
        return {
            "id": request.id,
            "name": request.text("name"),
            "numbers": list(numbers_of(request) or request.fields.get(PORTED, {})),
            "port_state": str(state_of(request)),
            "service_provider": request.text("carrier") or bill.get("carrier"),
            "customer_contact": ", ".join(_contacts(request)),
            **{f"bill_{key}": bill.get(key) for key in BILL},
            "bill_address": bill.get("street_address"),
            "street_address": bill.get("street_address"),
            **{key: about_time(time, zone) for key, field in dates.items() if (time := _time(request, field))},
            **await self._reason(request, zone),
        }

    async def _reason(self, request: Document, zone: str | None) -> dict[str, Any]:
        """Why the latest move was made, and by whom, where that was said."""
        move: dict[str, Any] = next(iter(request.fields.get(TRANSITIONS, ())), {})
        if "reason" not in move:
            return {}
        by = move["authorization"]
        user = await self._user(by["account"]["id"], by.get("user", {}).get("id"))
        date = about_time(move["timestamp"], zone)
        return {"transition_reason": {"content": move["reason"], "date": date, "user": user}}

    async def _commenter(self, comment: Comment) -> dict[str, Any]:
        return await self._user(comment["account_id"], comment.get("user_id"))

    async def _user(self, account_id: str, user_id: str | None) -> dict[str, Any]:
        user = await self.runtime.store.get(account_id, "user", user_id) if user_id else None
        return about_person(user)


def _payload(request: Document) -> dict[str, Any]:
    """What the events of a request tell."""
    move: dict[str, Any] = next(iter(request.fields.get(TRANSITIONS, ())), {})
    numbers = list(numbers_of(request) or request.fields.get(PORTED, {}))
    told = {
        "port_request_id": request.id,
        "port": {key: value for key, value in request.public.items() if key != "comments"},
        "number": next(iter(numbers), None),
        "authorized_by": as_object(as_object(move.get("authorization")).get("user")).get("id"),
        "reason": move.get("reason"),
    }
    return {key: value for key, value in told.items() if value is not None}


def _contacts(request: Document) -> list[str]:
    """Whom the request itself names."""
    named = request.at("notifications.email.send_to")
    return [named] if isinstance(named, str) else [text for text in as_list(named) if isinstance(text, str)]


def _time(request: Document, field: str) -> int | None:
    value = request.at(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
