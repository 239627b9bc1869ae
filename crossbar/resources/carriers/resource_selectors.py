# SPDX-License-Identifier: MPL-2.0
"""Resource selectors: which calls take which carrier. They come from sheets, by tasks.

Source: KAZOO `cb_resource_selectors`. Paths without an account speak of the master account.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Final

from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.endpoint import (
    Collection,
    Context,
    Handler,
    Lists,
    Reply,
    answer_computed,
    answer_document,
    answer_listing,
)
from crossbar.endpoint.computed_list import Entry
from crossbar.endpoint.reply import Binary
from crossbar.resources.carriers.domain.resource_selector import (
    CHOOSING,
    NAMED,
    RULES,
    RULES_SHAPE,
    SELECTOR_SHAPE,
    TYPE,
    both,
)

resource_selectors = Collection(
    "resource_selectors",
    "/accounts/{account_id}/resource_selectors/{selector_id}",
    SELECTOR_SHAPE,
    schema="resource_selectors",
    operations=(),
    hard_delete=True,
    takes_all_words=True,
)
rules = Collection(
    resource_selectors,
    "/accounts/{account_id}/resource_selectors/rules/{rules_id}",
    RULES_SHAPE,
    schema="resource_selectors.rules",
    operations=(),
)
_ARGUMENTS: Final = {NAMED: "selector_name", CHOOSING: "resource_id"}
"""Kind of tag → the argument of paths that says one."""


def _of_account(handler: Handler) -> Handler:
    """A handler that speaks of the master account where the path names none."""

    @wraps(handler)
    async def handle(context: Context) -> Reply | Binary:
        if context.target is None:
            master_id = await context.directory.master_id()
            context.target = await context.directory.account(master_id) if master_id else None
        return await handler(context)

    return handle


@resource_selectors.get("/accounts/{account_id}/resource_selectors", "/resource_selectors", lists=Lists.PAGES)
@_of_account
async def index(context: Context) -> Reply:
    """The resource selectors, page by page."""
    return await answer_listing(context, TYPE)


@resource_selectors.get(
    "/accounts/{account_id}/resource_selectors/rules", "/resource_selectors/rules", shows=rules.life.schema
)
@_of_account
async def read_rules(context: Context) -> Reply:
    """How selectors are combined. Raises 404 while nobody has said."""
    return await answer_document(context, RULES, RULES)


@resource_selectors.post(
    "/accounts/{account_id}/resource_selectors/rules",
    "/resource_selectors/rules",
    checks_itself=True,
    schema=rules.life.schema,
    shows=rules.life.schema,
)
@_of_account
async def replace_rules(context: Context) -> Reply:
    """Say how selectors are combined."""
    saved = await rules.life.upsert(context, RULES, lambda _: dict(context.object))
    return await rules.life.answer(context, saved)


def _offer_counts(by: str, of: str, *paths: str) -> None:
    """Offer at `paths` how many selectors there are for each tag of the kind `by`.

    With `of`, another kind, only those count whose tag of it is what the path says.
    """

    async def answer(context: Context) -> Reply:
        """How many selectors there are of each name, or for each resource: a list of `{word: count}`."""
        tag = of + context.path[_ARGUMENTS[of]] if of else None
        found = await context.store.count_by_tag(Listing(context.account_id, TYPE, tag=tag), prefix=by)

        def entries() -> Iterator[Entry]:
            for tagged, count in found.items():
                word = tagged.removeprefix(by)
                yield word, Document("", TYPE, word, {}), {word: count}

        return answer_computed(context, entries())

    resource_selectors.get(*paths, lists=Lists.PAGES)(_of_account(answer))


_offer_counts(NAMED, "", "/accounts/{account_id}/resource_selectors/name", "/resource_selectors/name")
_offer_counts(CHOOSING, "", "/accounts/{account_id}/resource_selectors/resource", "/resource_selectors/resource")
_offer_counts(
    CHOOSING,
    NAMED,
    "/accounts/{account_id}/resource_selectors/name/{selector_name}",
    "/resource_selectors/name/{selector_name}",
)
_offer_counts(
    NAMED,
    CHOOSING,
    "/accounts/{account_id}/resource_selectors/resource/{resource_id}",
    "/resource_selectors/resource/{resource_id}",
)


@resource_selectors.get(
    "/accounts/{account_id}/resource_selectors/name/{selector_name}/resource/{resource_id}",
    "/resource_selectors/name/{selector_name}/resource/{resource_id}",
    lists=Lists.PAGES,
)
@resource_selectors.get(
    "/accounts/{account_id}/resource_selectors/resource/{resource_id}/name/{selector_name}",
    "/resource_selectors/resource/{resource_id}/name/{selector_name}",
    lists=Lists.PAGES,
)
@_of_account
async def index_of_both(context: Context) -> Reply:
    """The selectors of a name that choose a resource."""
    return await answer_listing(context, TYPE, tag=both(context.path["resource_id"], context.path["selector_name"]))


_ONE = ("/accounts/{account_id}/resource_selectors/{selector_id}", "/resource_selectors/{selector_id}")
_life = resource_selectors.life
resource_selectors.get(*_ONE, **resource_selectors.about("read"))(_of_account(_life.read))
resource_selectors.post(*_ONE, **resource_selectors.about("replace"))(_of_account(_life.replace))
resource_selectors.delete(*_ONE, **resource_selectors.about("delete"))(_of_account(_life.delete))
