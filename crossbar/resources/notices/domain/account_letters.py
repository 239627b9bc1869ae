# SPDX-License-Identifier: MPL-2.0
"""The letters about what an account has: numbers, services, webhooks; and to the operator.

Source: KAZOO `teletype_cnam_request.erl`, `teletype_number_feature_manual_action.erl`, `teletype_service_added.erl`,
`teletype_webhook_disabled.erl`, `teletype_system_alert.erl`.
"""

from __future__ import annotations

from crossbar.documents.document import as_list, as_object
from crossbar.resources.notices.domain.call_macros import user_of
from crossbar.resources.notices.domain.notice_letter import Notice, NoticeLetter, letter_of
from crossbar.resources.notices.domain.template_notice import (
    about_account,
    about_person,
    about_time,
    admin_addresses,
    administrators,
)
from crossbar.resources.notices.domain.webhook_hook import TYPE as WEBHOOK


@letter_of("cnam_request")
async def caller_name(notice: Notice) -> list[NoticeLetter]:
    """A number's caller name is to change: to the account's administrators, of whom one is the `user`."""
    payload = notice.payload
    request = {key: payload.get(key) for key in ("number", "number_state", "local_number", "acquired_for")}
    people = await administrators(notice.runtime.store, notice.account.id)
    told = {"request": request, "cnam": as_object(payload.get("cnam"))}
    return [NoticeLetter("cnam_request", {**told, "user": about_person(people[0] if people else None)})]


@letter_of("number_feature_manual_action")
async def feature_by_hand(notice: Notice) -> list[NoticeLetter]:
    """A feature of a number has to be set up: to the administrators of the account's reseller."""
    runtime, payload = notice.runtime, notice.payload
    reseller_id = await runtime.access.directory.reseller_of(notice.account)
    to = sorted(await admin_addresses(runtime, reseller_id)) if reseller_id else []
    told = {"request": {"number": payload.get("number")}, "feature": as_object(payload.get("feature"))}
    return [NoticeLetter("number_feature_manual_action", told, original=to)]


@letter_of("service_added")
async def services_changed(notice: Notice) -> list[NoticeLetter]:
    """The service plans of the account are others: to its administrators."""
    runtime, account, payload = notice.runtime, notice.account, notice.payload
    directory = runtime.access.directory
    reseller_id = await directory.reseller_of(account)
    reseller = await directory.account(reseller_id) if reseller_id else None
    log = as_object(payload.get("audit_log"))
    user = await user_of(runtime.store, str(log.get("account_id")), log.get("user_id"))
    time = payload.get("timestamp")
    told = {
        "affected": about_account(account),
        "cascade": about_account(account),
        "reseller": about_account(reseller) if reseller else {},
        "authentication": {"type": "account", **{key: log.get(key) for key in ("account_id", "account_name")}},
        "invoice": {"items": as_list(payload.get("items"))},
        "timestamp": about_time(time, account.timezone) if isinstance(time, int) else {},
        "user": about_person(user),
    }
    return [NoticeLetter("service_added", told)]


@letter_of("webhook_disabled")
async def webhook_disabled(notice: Notice) -> list[NoticeLetter]:
    """A webhook failed too often and was turned off: to the account's administrators."""
    hook = await notice.runtime.store.get(notice.account.id, WEBHOOK, str(notice.payload.get("hook_id")))
    if hook is None:
        return []
    about = {"id": hook.id, "name": hook.at("name"), "uri": hook.at("uri"), "event": hook.at("hook")}
    return [NoticeLetter("webhook_disabled", {"hook": {**about, "disable_reason": hook.at("pvt_disabled_message")}})]


@letter_of("system_alert")
async def system_alert(notice: Notice) -> list[NoticeLetter]:
    """Something happened that the operator wants to know: to whom the template names."""
    return [NoticeLetter("system_alert", {key: notice.payload.get(key) for key in ("subject", "message", "details")})]
