# SPDX-License-Identifier: MPL-2.0
"""Which accesses a user has been given: by policies, his own and those of his groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from crossbar.dialects.accesses import EVERYTHING, OWN
from crossbar.dialects.homes import ASIDE
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import USER
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.documents.store import Store

POLICY: Final = "wazo_policy"
GROUP: Final = "wazo_group"


def _policy_claims(policy: Document) -> Iterator[Unique]:
    name = policy.text("name")
    yield Unique("wazo_policy.name", name.lower(), "name", f'Policy "{name}" already exists', cause=name)
    yield Unique("wazo_policy.slug", policy.text("slug").lower(), "slug", "The slug is taken")


def _group_claims(group: Document) -> Iterator[Unique]:
    name = group.text("name")
    yield Unique("wazo_group.name", name.lower(), "name", "The name is taken", cause=name)


def _members(group: Document) -> Iterable[str]:
    return [f"user/{user}" for user in as_list(group.at("users"))]


POLICY_SHAPE: Final = Shape(POLICY, summary=Summary("id", "name"), sort="name", unique=_policy_claims)
GROUP_SHAPE: Final = Shape(GROUP, summary=Summary("id", "name"), sort="name", unique=_group_claims, tags=_members)


def own_policies(user: Document) -> list[str]:
    """The ids of the policies that a user was given himself."""
    return [one for one in as_list(as_object(user.fields.get(ASIDE)).get("policies")) if isinstance(one, str)]


async def groups_of(store: Store, user: Document) -> list[Document]:
    """The groups that a user is in."""
    return await store.all(Listing(user.partition, GROUP, tag=f"user/{user.id}", descending=False))


async def accesses_of(store: Store, account_id: str, user_id: str) -> list[str]:
    """All that a user may do: by his policies and, unless a dialect made him, by what he is in Crossbar."""
    user = await store.get(account_id, USER, user_id)
    if user is None:
        return []
    return list(dict.fromkeys([*_by_rank(user), *await given_to(store, user)]))


async def given_to(store: Store, user: Document) -> list[str]:
    """What a user may do by policies."""
    policies = dict.fromkeys(own_policies(user))
    for group in await groups_of(store, user):
        policies |= dict.fromkeys(as_list(group.at("policies")))
    found = await store.get_many(user.partition, POLICY, list(policies)) if policies else {}
    return [element for policy in found.values() for element in as_list(policy.at("acl")) if isinstance(element, str)]


def _by_rank(user: Document) -> tuple[str, ...]:
    if user.text("priv_level") == "admin":
        return EVERYTHING
    return () if "purpose" in as_object(user.fields.get(ASIDE)) else OWN
