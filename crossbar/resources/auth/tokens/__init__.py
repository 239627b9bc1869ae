# SPDX-License-Identifier: MPL-2.0
"""Named tokens of an account and its users: made, listed and revoked. An endpoint of this server alone.

A token acts as the caller who makes it, or as the user in the path, within its `scope`: for each endpoint what may be
asked of it, as token restrictions spell it. Who acts by a named token makes no others.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Final

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.access.named_tokens import METHOD, TYPE, NamedToken
from crossbar.access.token_uses import USE_TYPE
from crossbar.documents.document import Document
from crossbar.documents.shape import owner_tag
from crossbar.endpoint import Context, Endpoint, Lists, Reply
from crossbar.endpoint.document_list import answer_listing
from crossbar.errors import Forbidden, Invalid, NotFound
from crossbar.ids import new_id

tokens = Endpoint("tokens")
SCHEMA: Final = "tokens"
IN_ACCOUNT: Final = "/accounts/{account_id}/tokens"
OF_USER: Final = "/accounts/{account_id}/users/{user_id}/tokens"
ONE_IN_ACCOUNT: Final = "/accounts/{account_id}/tokens/{token_id}"
ONE_OF_USER: Final = "/accounts/{account_id}/users/{user_id}/tokens/{token_id}"


@tokens.get(IN_ACCOUNT, OF_USER, lists=Lists.PAGES)
async def index(context: Context) -> Reply:
    """The tokens, without their secrets; to a plain user the own ones."""
    owner = _owner(context)

    async def show_last_use(context: Context, rows: list[Any]) -> None:
        uses = await context.store.get_many(context.account_id, USE_TYPE, [row["id"] for row in rows])
        for row in rows:
            if row["id"] in uses:
                row["last_used"] = uses[row["id"]].fields["pvt_last_used"]

    tag = owner_tag(owner) if owner else None
    return await answer_listing(context, TYPE, tag=tag, rows_hooks=(show_last_use,))


@tokens.put(IN_ACCOUNT, OF_USER, checks_itself=True, schema=SCHEMA, shows=SCHEMA)
async def create(context: Context) -> Reply:
    """A new token: the one answer that shows it."""
    if context.identity.method == METHOD:
        raise Forbidden
    owner = _owner(context) or (context.identity.owner_id if _is_own_account(context) else None)
    if owner is None and context.is_guarded:
        raise Forbidden
    data, errors = context.schema_errors(SCHEMA, context.object)
    refused = Invalid(errors)
    _check(data, refused)
    if refused.fields:
        raise refused
    context.ready_to_write()
    document = Document(context.account_id, TYPE, new_id(), {key: data[key] for key in KEPT if key in data})
    token = NamedToken.new(context.account_id, document.id)
    access = context.runtime.access
    secret = await access.tokens.ensure_secret(context.account_id, owner)
    document.fields |= stamps(context.author, document) | access.named_tokens.secrets(token, secret)
    if owner:
        document.fields["pvt_owner_id"] = owner
    saved = await context.store.insert(document)
    return Reply({**_row(context, saved), "token": str(token)}, revision=saved.revision)


@tokens.get(ONE_IN_ACCOUNT, ONE_OF_USER, shows=SCHEMA)
async def read(context: Context) -> Reply:
    """One token, without its secret."""
    document = await _found(context)
    return Reply(_row(context, document), revision=document.revision)


@tokens.delete(ONE_IN_ACCOUNT, ONE_OF_USER, checks_itself=True, shows=SCHEMA)
async def revoke(context: Context) -> Reply:
    """End a token, everywhere, from the next request on; sockets opened with it are closed."""
    document = await _found(context)
    context.ready_to_write(document.revision)
    await context.store.remove(document)
    await context.store.remove(Document(document.partition, USE_TYPE, document.id, {}))
    return Reply({**_row(context, document), "_read_only": {"deleted": True}}, revision=document.revision)


KEPT: Final = ("name", "expires", "scope", "networks")


def _row(context: Context, document: Document) -> dict[str, Any]:
    return context.store.shapes[TYPE].summary.of(document)


def _is_own_account(context: Context) -> bool:
    return context.identity.account_id == context.account_id


def _owner(context: Context) -> str | None:
    """The user whose tokens are meant: the one in the path, for a plain user nobody else than the caller."""
    named = context.parents[context.nouns[1].name].id if "users" in context.parents else None
    if not context.is_guarded:
        return named
    own = context.identity.owner_id if _is_own_account(context) else None
    if own is None or named not in (None, own):
        raise Forbidden
    return own


async def _found(context: Context) -> Document:
    document = await context.document(TYPE, context.path["token_id"])
    owner = _owner(context)
    if owner is not None and document.fields.get("pvt_owner_id") != owner:
        raise NotFound(document.id)
    return document


def _check(data: dict[str, Any], errors: Invalid) -> None:
    """What the schema cannot say: the time lies ahead, networks are some, the scope is one."""
    expires, networks, scope = data.get("expires"), data.get("networks"), data.get("scope")
    if isinstance(expires, int) and expires <= clock.now():
        errors.add("expires", "minimum", "The time lies in the past", target=clock.now(), value=expires)
    for number, network in enumerate(networks if isinstance(networks, list) else ()):
        try:
            ip_network(str(network), strict=False)
        except ValueError:
            errors.add(f"networks.{number}", "format", "This is no network", target="CIDR", value=network)
    for endpoint, rules in (scope if isinstance(scope, dict) else {}).items():
        if not isinstance(rules, list) or not all(_is_rule(rule) for rule in rules):
            message = "Each endpoint has a list of objects with rules: patterns of arguments and their verbs"
            errors.add(f"scope.{endpoint}", "type", message, target="array", value=rules)


def _is_rule(rule: object) -> bool:
    if not isinstance(rule, dict) or not isinstance(rule.get("allowed_accounts", []), list):
        return False
    rules = rule.get("rules")
    return isinstance(rules, dict) and all(
        isinstance(verbs, list) and all(isinstance(verb, str) for verb in verbs) for verbs in rules.values()
    )
