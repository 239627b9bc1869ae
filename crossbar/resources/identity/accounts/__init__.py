# SPDX-License-Identifier: MPL-2.0
"""Accounts: tenants in a tree.

Source: KAZOO `cb_accounts`, `kzd_accounts.erl` (`validate`).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from crossbar import clock
from crossbar.access.api_keys import api_key_fields
from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, Document, account_database
from crossbar.endpoint import Collection, Context, Draft, Reply, Who, chosen_id
from crossbar.errors import Invalid
from crossbar.events.notices import notice, replace_telling
from crossbar.ids import new_id, new_secret
from crossbar.resources.identity.domain import account_tree
from crossbar.resources.identity.domain.account import ACCOUNT_SHAPE, api_key_of

COMPUTED: Final = (
    "superduper_admin",
    "billing_mode",
    "wnm_allow_additions",
    "knm_allow_additions",
    "is_reseller",
    "reseller_id",
    "created",
    "notification_preference",
    "trial_time_left",
    "api_key",
    "descendants_count",
)
"""Fields that the server works out; clients send them back, and they are not stored because of it."""
SHOWN_WHEN_ABSENT: Final[dict[str, Any]] = {
    "caller_id": {},
    "dial_plan": {},
    "blacklists": [],
    "available_apps": [],
    "descendants_count": 0,
}
"""Fields that clients expect in an account even when it has none."""


accounts = Collection(
    "accounts",
    "/accounts/{account_id}",
    ACCOUNT_SHAPE,
    schema="accounts",
    operations=("replace", "merge"),
    partition=lambda _: ACCOUNTS,
)
accounts.option("include_api_key", "`true` shows the account's API key", "create", "read", "replace", "merge")
accounts.option("send_email_on_creation", "`false`: nobody hears of it by mail", "create")


# Creating and changing


@accounts.normalize
async def fill_in(context: Context, draft: Draft) -> None:
    """Realm and time zone are never missing; what the server works out is not taken from clients."""
    data, stored = draft.data, draft.previous.fields if draft.previous else {}
    config = context.config.accounts
    if not data.get("realm"):
        random_realm = f"{new_secret(config.random_realm_strength)}.{config.account_realm_suffix}"
        data["realm"] = stored.get("realm", random_realm)
    if not data.get("timezone"):
        data["timezone"] = stored.get("timezone", config.default_timezone)
    elif data["timezone"] == "inherit":
        data["timezone"] = await _timezone_above(context, draft)
    if isinstance(data["realm"], str):
        data["realm"] = data["realm"].replace(" ", "")
    for key in COMPUTED:
        data.pop(key, None)
    if "descendants_count" in stored:
        data["descendants_count"] = stored["descendants_count"]


async def _timezone_above(context: Context, draft: Draft) -> str:
    """The time zone of the parent, of which a root account has none."""
    tree = draft.previous.fields["pvt_tree"] if draft.previous else [_parent_id(context)]
    parent = await context.directory.account(tree[-1]) if tree else None
    return (parent.timezone if parent else None) or context.config.accounts.default_timezone


@accounts.check
async def direct_accounts_may_have_children(context: Context, draft: Draft) -> None:
    """With `allow_subaccounts_for_direct` off, plain accounts directly below the master stay without children."""
    if context.config.accounts.allow_subaccounts_for_direct:
        return
    own = await context.directory.account(context.identity.account_id)
    master = await context.directory.master_id()
    if own and not own.is_reseller and own.tree[-1:] == (master,):
        message = "Direct account is not allowed to create sub-accounts"
        draft.errors.add("account", "forbidden", message, cause=own.id)


@accounts.finish
async def set_private_fields(context: Context, draft: Draft) -> None:
    """Whether the account is enabled, its trial, and what every new account gets."""
    data, private = draft.data, draft.private
    enabled = data.pop("enabled", True)
    if draft.previous is None:
        private |= {
            "pvt_account_id": draft.id,
            "pvt_account_db": account_database(draft.id),
            **api_key_fields(context.runtime.access.pepper, new_secret()),
            "pvt_cpaas_token": new_secret(),
            "pvt_signature_secret": new_secret(16),
        }
        if context.target is None or context.target.id != context.identity.account_id:
            private["pvt_enabled"] = enabled
        if not context.config.accounts.ensure_unique_name:
            private["pvt_shares_name"] = True
    elif "enabled" in context.object and draft.id != context.identity.account_id:
        private["pvt_enabled"] = enabled
    if data.pop("is_trial_account", False) is True:
        private["pvt_trial_expires"] = clock.now() + context.config.accounts.trial_time


@accounts.save
async def save(context: Context, account: Document, previous: Document | None) -> Document:
    """A new account takes its place below its parent and is counted there, all or nothing; people hear of it by mail,
    as they do of other zones."""
    if previous is not None:
        zones = account.at("zones")
        moved = zones is not None and zones != previous.at("zones")
        told = [notice("account_zone_change", account.id, {"zones": zones})] if moved else []
        return await replace_telling(context.store, account, previous, told)
    about = {
        "account_name": account.at("name"),
        "account_realm": account.at("realm"),
        "account_db": account.at("pvt_account_db"),
    }
    quiet = context.values.is_false("send_email_on_creation")
    told = [] if quiet else [notice("new_account", account.id, about)]
    return await account_tree.insert_below(context.runtime, account, _parent_id(context), told)


def _parent_id(context: Context) -> str:
    """Where a new account goes: below the path's account, else below the token's."""
    return context.account_id


@accounts.put("/accounts", who=Who.AUTHENTICATED, **accounts.about("create"))
@accounts.put("/accounts/{account_id}", **accounts.about("create"))
async def create(context: Context) -> Reply:
    """A new account below the path's account, or below the caller's own."""
    wanted = context.object.get("id")
    if wanted is not None and not (isinstance(wanted, str) and len(wanted) == 32 and "/" not in wanted):
        raise Invalid.field("id", "invalid", "An account id has 32 characters", cause=wanted)
    account = await accounts.life.save_new(context, chosen_id(wanted) or new_id(), context.object)
    reply = await accounts.life.answer(context, account)
    reply.location = f"/v2/accounts/{quote(account.id, safe='')}"
    return reply


# Showing


@accounts.get("/accounts/{account_id}", shows=accounts.life.schema, options=accounts.options["read"])
async def read(context: Context) -> Reply:
    """The account. What the server works out stands in the envelope's `metadata` too, where MonsterUI looks first."""
    account = await accounts.life.load(context, context.account_id)
    reply = await accounts.life.answer(context, account)
    reply.metadata = await computed_fields(context, account)
    return reply


@accounts.show
async def show_computed(context: Context, account: Document, public: dict[str, Any]) -> None:
    """Add what the server works out, and what clients expect to find."""
    for key, value in SHOWN_WHEN_ABSENT.items():
        public.setdefault(key, value)
    public.setdefault("language", context.config.api.default_language)
    public.update(await computed_fields(context, account))
    public["knm_allow_additions"] = public["wnm_allow_additions"]
    exposed = context.config.accounts.expose_api_key or context.values.is_true("include_api_key")
    if exposed and not context.is_guarded:
        public["api_key"] = api_key_of(context.runtime.access.pepper, account)


async def computed_fields(context: Context, account: Document) -> dict[str, Any]:
    """The fields that an account's document has only on the wire."""
    fields = account.fields
    known: dict[str, Any] = {
        "enabled": fields.get("pvt_enabled", True) is not False,
        "created": fields.get("pvt_created"),
        "superduper_admin": fields.get("pvt_superduper_admin", False) is True,
        "wnm_allow_additions": fields.get("pvt_wnm_allow_additions", False) is True,
        "is_reseller": fields.get("pvt_reseller", False) is True,
        "billing_mode": "manual",
    }
    if context.target is not None:
        master = await context.directory.master_id()
        reseller = await context.directory.reseller_of(Account.of(account))
        known["reseller_id"] = reseller
        if reseller == context.identity.account_id:
            known["billing_mode"] = "limits_only"
        elif reseller == master:
            known["billing_mode"] = "normal"
    if preference := fields.get("pvt_notification_preference"):
        known["notification_preference"] = "teletype" if preference == "teletype" else "notify"
    if expires := fields.get("pvt_trial_expires"):
        known["trial_time_left"] = expires - clock.now()
    return known
