# SPDX-License-Identifier: MPL-2.0
"""Security: how an account wants log-ins to work, and who tried.

Source: KAZOO `cb_security`. As coded there the account's paths are open to any token; here the account tree counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crossbar.access.authorship import stamps
from crossbar.access.policies import ID
from crossbar.documents.document import Document
from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.endpoint import Context, Draft, Lists, Reply, Singleton, Who, answer_document, answer_listing
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.resources.auth.domain import login_attempt
from crossbar.resources.system.configs import configs

METHODS: Final = ["cb_api_auth", "cb_auth", "cb_ip_auth", "cb_user_auth"]
DEFAULT_PROVIDER_NAME: Final = "Default System Provider"

EMPTY: Final = Document("", "", "", {})

security = Singleton(
    "security",
    "/accounts/{account_id}/security",
    configs.shape,
    document_id=ID,
    schema="account_config.crossbar.auth",
    operations=("replace", "merge"),
)


@security.get("/security", who=Who.AUTHENTICATED)
async def methods(context: Context) -> Reply:
    """The ways to log in that accounts can set."""
    return Reply({"available_auth_methods": METHODS})


@security.get("/accounts/{account_id}/security")
async def read(context: Context) -> Reply:
    """What the account says itself, and what counts without it."""
    document = await context.store.get(context.account_id, ACCOUNT_CONFIG, ID)
    own = document.at("auth_modules") if document else None
    inherited = await context.runtime.access.policies.inherited(context.account)
    return Reply(
        {
            "account": {"auth_modules": await _with_provider_names(context, own)} if isinstance(own, dict) else {},
            "inherited_config": {"auth_modules": await _with_provider_names(context, inherited)},
        },
        revision=document.revision if document else None,
    )


async def _with_provider_names(context: Context, modules: Mapping[str, JSON]) -> dict[str, JSON]:
    """The modules, each that wants a second factor with the name of the provider in `_read_only`."""
    named = dict(modules)
    factors = context.runtime.access.second_factors
    for name, factor in _second_factors(modules):
        chosen = factor.get("account_id") and factor.get("configuration_id")
        provider = await factors.provider(factor) if chosen else None
        usual = await factors.provider({})
        read_only = {
            "name": provider.at("name") if provider else DEFAULT_PROVIDER_NAME,
            "provider_name": (provider or usual or EMPTY).at("provider_name"),
        }
        named[name] = {**modules[name], "multi_factor": {**factor, "_read_only": read_only}}
    return named


def _second_factors(modules: JSON) -> Iterator[tuple[str, dict[str, Any]]]:
    """The modules with a `multi_factor`, and that."""
    for name, module in modules.items() if isinstance(modules, Mapping) else ():
        factor = module.get("multi_factor") if isinstance(module, Mapping) else None
        if isinstance(factor, dict):
            yield name, factor


@security.normalize
async def drop_names(context: Context, draft: Draft) -> None:
    """Clients send back what they were shown: the names of providers are not theirs to set."""
    for _, factor in _second_factors(draft.data.get("auth_modules")):
        factor.pop("_read_only", None)


@security.finish
async def second_factor_is_in_reach(context: Context, draft: Draft) -> None:
    """The provider of a second factor is one of an account above or below the caller's."""
    errors = Invalid(message="validation failed")
    for name, factor in _second_factors(draft.data["auth_modules"]):
        field, account_id = f"auth_modules.{name}.account_id", factor.get("account_id")
        if not factor.get("configuration_id"):
            continue
        if not account_id:
            message = "setting multi-factor configuration_id needs setting account_id"
            errors.add(field, "required", message)
        elif not await _in_reach(context, account_id, factor):
            errors.add(field, "required", f"multi-factor account_id {account_id} is not in your account tree")
    if errors.fields:
        raise errors


async def _in_reach(context: Context, account_id: str, factor: Mapping[str, JSON]) -> bool:
    caller = context.identity.account
    if caller.superduper_admin or factor.get("include_subaccounts") is False or caller.within(account_id):
        return True
    account = await context.directory.account(account_id)
    return account is not None and account.within(caller.id)


@security.delete("/accounts/{account_id}/security", checks_itself=True)
async def delete(context: Context) -> Reply:
    """Back to what is inherited."""
    document = await context.store.get(context.account_id, ACCOUNT_CONFIG, ID)
    if document is None:
        raise NotFound("account does not have customize auth configuration")
    context.ready_to_write(document.revision)
    await context.store.remove(document, stamps(context.author, document))
    return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)


@security.get("/accounts/{account_id}/security/attempts", lists=Lists.TIMES)
async def attempts(context: Context) -> Reply:
    """Who tried to log in to the account, the newest first."""
    return await answer_attempts(context)


@security.get("/accounts/{account_id}/security/attempts/{attempt_id}")
async def attempt(context: Context) -> Reply:
    """One attempt."""
    return await answer_attempt(context, context.path["attempt_id"])


async def answer_attempts(context: Context, auth_type: str | None = None) -> Reply:
    """A page of the account's attempts, the newest first; all, or those of one kind."""
    tag = None if auth_type is None else login_attempt.of_kind(auth_type)
    return await answer_listing(context, login_attempt.TYPE, tag=tag, time_range=context.config.api.maximum_range)


async def answer_attempt(context: Context, attempt_id: str) -> Reply:
    """One attempt; 404 where the account has none of this id."""
    return await answer_document(context, login_attempt.TYPE, attempt_id)
