# SPDX-License-Identifier: MPL-2.0
"""The letters about accounts and users. None of them holds a password.

Source: KAZOO `teletype_new_account.erl`, `teletype_new_user.erl`, `teletype_password_recovery.erl`,
`teletype_account_zone_change.erl`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from crossbar.documents.document_types import USER
from crossbar.resources.notices.domain.notice_letter import Notice, NoticeLetter, letter_of
from crossbar.resources.notices.domain.template_notice import about_person, administrators


@letter_of("new_user")
async def new_user(notice: Notice) -> list[NoticeLetter]:
    """To the user."""
    user = await notice.runtime.store.get(notice.account.id, USER, str(notice.payload.get("user_id")))
    return [NoticeLetter("new_user", {"user": about_person(user)}, original=[user.text("email")])] if user else []


@letter_of("new_account")
async def new_account(notice: Notice) -> list[NoticeLetter]:
    """To the administrators of the account, or of the nearest above; `admin` is the first of them."""
    people = await administrators(notice.runtime.store, notice.account.id)
    if not people and notice.account.parent_id:
        people = await administrators(notice.runtime.store, notice.account.parent_id)
    return [NoticeLetter("new_account", {"admin": about_person(people[0] if people else None)})]


@letter_of("password_recovery")
async def password_recovery(notice: Notice) -> list[NoticeLetter]:
    """To the user; the link is in the letter alone."""
    user = await notice.runtime.store.get(notice.account.id, USER, str(notice.payload.get("user_id")))
    link = notice.secret.get("password_reset_link")
    if user is None or link is None:
        return []
    told = {"user": about_person(user), "site": urlsplit(link).netloc}
    return [NoticeLetter("password_recovery", told, original=[user.text("email")], secret={"link": link})]


@letter_of("account_zone_change")
async def zone_change(notice: Notice) -> list[NoticeLetter]:
    """To the account's administrators."""
    zones = notice.payload.get("zones")
    shown = [f"{key}: {value}" for key, value in zones.items()] if isinstance(zones, dict) else zones
    return [NoticeLetter("account_zone_change", {"zones": shown})]
