# SPDX-License-Identifier: MPL-2.0
"""Webhooks: addresses that are told of what happens in an account.

Source: KAZOO `cb_webhooks`, `webhooks_init.erl`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.filters import Filters
from crossbar.documents.listing import Listing
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who, answer_listing
from crossbar.errors import Invalid, NotFound
from crossbar.resources.notices.domain.webhook_attempt import ATTEMPT, hook_tag
from crossbar.resources.notices.domain.webhook_event import ANY, HOOKS, OPERATOR_EVENTS, catalog
from crossbar.resources.notices.domain.webhook_hook import DISABLED_MESSAGE, SECRET, SINCE, TYPE, WEBHOOK_SHAPE
from crossbar.resources.notices.domain.webhook_request import is_signing_secret, new_signing_secret
from crossbar.resources.notices.domain.webhook_sample import samples
from crossbar.wire.request_values import is_true

ENUM: Final = "Value not found in enumerated list of values"
BAD_MODIFIER: Final = "value not found in enumerated list of values"

webhooks = Collection(
    "webhooks",
    "/accounts/{account_id}/webhooks/{webhook_id}",
    WEBHOOK_SHAPE,
    schema="webhooks",
    takes_all_words=True,
)


@webhooks.normalize
async def keep_secret(_: Context, draft: Draft) -> None:
    """A `secret` to sign messages with is kept apart and never shown again: one given, or (true) one made for it.

    A change without the field leaves it as it is; null and false take it away.
    """
    draft.data.pop("signed", None)
    if "secret" not in draft.data:
        return
    secret = draft.data.pop("secret")
    if secret is True:
        draft.private[SECRET] = new_signing_secret()
    elif secret is None or secret is False:
        draft.private[SECRET] = None
    elif isinstance(secret, str) and is_signing_secret(secret):
        draft.private[SECRET] = secret
    else:
        draft.errors.add("secret", "invalid", "must be whsec_ and 24 to 64 bytes in base64, or true to have one made")


@webhooks.check
async def check_hook(context: Context, draft: Draft) -> None:
    """The event exists, and what it wants to know more closely is said."""
    hook_id = draft.data.get("hook")
    if not isinstance(hook_id, str) or "hook" in draft.errors.fields:
        return
    known = [ANY, *HOOKS]
    if hook_id not in known:
        draft.errors.add("hook", "enum", ENUM, target=known, value=hook_id)
    elif hook_id != ANY:
        _check_modifiers(context, draft, hook_id)


def _check_modifiers(context: Context, draft: Draft, hook_id: str) -> None:
    given = draft.data.get("custom_data")
    given = given if isinstance(given, dict) else {}
    for name, modifier in HOOKS[hook_id].modifiers.items():
        allowed = [item for item in modifier["items"] if item not in OPERATOR_EVENTS or context.identity.superduper]
        value = given.get(name)
        if value is None:
            draft.errors.add(f"custom_data.{name}", "required", "missing required modifier")
        elif value not in allowed:
            draft.errors.add(f"custom_data.{name}", "enum", BAD_MODIFIER, target=allowed, cause=value)


@webhooks.finish
async def forget_failures(_: Context, draft: Draft) -> None:
    """Saving a hook as enabled removes the reason why the server turned it off."""
    if draft.data.get("enabled") is True:
        draft.private[DISABLED_MESSAGE] = None


@webhooks.finish
async def begin_now(context: Context, draft: Draft) -> None:
    """A hook that is turned on is told of what happens from now on."""
    was_on = draft.previous is not None and draft.previous.at("enabled") is not False
    if draft.data.get("enabled") is not False and not was_on:
        draft.private[SINCE] = await context.store.event_log.now()


@webhooks.show
async def show_state(context: Context, webhook: Document, public: dict[str, object]) -> None:
    """Why the hook was turned off, if the server did it; that it signs, and a secret that was made just now."""
    if (reason := webhook.at(DISABLED_MESSAGE)) is not None:
        public["disable_reason"] = reason
    if webhook.at(SECRET) is not None:
        public["signed"] = True
        if context.verb != "GET" and context.object.get("secret") is True:
            public["secret"] = webhook.at(SECRET)


@webhooks.patch("/accounts/{account_id}/webhooks", options={"re-enable": "`true`"})
async def enable_all(context: Context) -> Reply:
    """Turn on every hook of the account, or (`/descendants/webhooks`) of those below it."""
    wanted = context.object.get("re-enable")
    if wanted is None:
        raise Invalid.field("re-enable", "required", "re-enable is required to patch collections")
    if not is_true(wanted):
        raise Invalid.field("re-enable", "enum", ENUM, target=[True], value=wanted)
    for account_id in await _accounts(context):
        for webhook in await context.store.all(Listing(account_id, TYPE)):
            if webhook.at("enabled") is False:
                await _enable(context, webhook)
    return Reply("hooks updated")


async def _enable(context: Context, webhook: Document) -> None:
    since = await context.store.event_log.now()

    def enable(stored: Document) -> None:
        stored.fields |= {"enabled": True, SINCE: since}
        stored.fields.pop(DISABLED_MESSAGE, None)

    await context.store.update(webhook.partition, TYPE, webhook.id, enable)


@webhooks.after_delete
async def forget_cursor(context: Context, webhook: Document) -> None:
    """Nobody goes on where its deliveries were."""
    await context.store.cursors.drop(webhook.key)


async def _accounts(context: Context) -> list[str]:
    if context.nouns[0].args[1:] != ("descendants",):
        return [context.account_id]
    below = Listing(ACCOUNTS, ACCOUNT, tag=f"descendant/{context.account_id}")
    return [account.id for account in await context.store.all(below)]


# What there is to be told of


@webhooks.get("/webhooks", who=Who.ANONYMOUS)
async def kinds(_: Context) -> Reply:
    """The events that hooks can be set on."""
    return Reply(catalog())


@webhooks.get("/webhooks/samples", who=Who.ANONYMOUS)
@webhooks.get("/accounts/{account_id}/webhooks/samples")
async def sample_ids(_: Context) -> Reply:
    """The events that there are examples of."""
    return Reply(sorted(HOOKS))


@webhooks.get("/webhooks/samples/{sample_id}", who=Who.ANONYMOUS, lists=Lists.FILTERS)
@webhooks.get("/accounts/{account_id}/webhooks/samples/{sample_id}", lists=Lists.FILTERS)
async def sample(context: Context) -> Reply:
    """What is sent, by example; filters keep those of interest."""
    sample_id = context.path["sample_id"]
    if sample_id not in HOOKS:
        raise NotFound(sample_id)
    filters = Filters.parse(context.query.pairs)
    return Reply([payload for payload in samples(sample_id) if filters.matches(payload)])


# What was delivered


@webhooks.get("/accounts/{account_id}/webhooks/attempts", lists=Lists.TIMES)
async def attempts(context: Context) -> Reply:
    """Deliveries of all the account's hooks, the newest first."""
    return await answer_listing(context, ATTEMPT, time_range=context.config.api.maximum_range)


@webhooks.get("/accounts/{account_id}/webhooks/{webhook_id}/attempts", lists=Lists.TIMES)
async def attempts_of(context: Context) -> Reply:
    """Deliveries of one hook, the newest first."""
    await webhooks.life.load(context, context.path["webhook_id"])
    tag = hook_tag(context.path["webhook_id"])
    return await answer_listing(context, ATTEMPT, tag=tag, time_range=context.config.api.maximum_range)
