# SPDX-License-Identifier: MPL-2.0
"""What routes declare beside verb and path: schemas, lists, options."""

from __future__ import annotations

from typing import Any, cast

import pytest

from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Endpoint, Lists, Reply, Route
from crossbar.runtime import Runtime
from tests.harness import Tenant


def collection(**options: Any) -> Collection:
    shape = Shape("thing", summary=Summary("id"))
    return Collection("things", "/accounts/{account_id}/things/{thing_id}", shape, schema="menus", **options)


def routes(endpoint: Endpoint) -> dict[str, Route]:
    """By verb, those of one thing in lower case."""
    return {route.verb.lower() if route.template.endswith("}") else route.verb: route for route in endpoint.routes}


def test_the_operations_of_a_collection_declare_its_schema() -> None:
    found = routes(collection())
    assert {verb: (route.schema, route.shows, route.lists) for verb, route in found.items()} == {
        "GET": (None, None, Lists.PAGES),
        "PUT": ("menus", "menus", Lists.NOTHING),
        "get": (None, "menus", Lists.NOTHING),
        "post": ("menus", "menus", Lists.NOTHING),
        "patch": ("menus", "menus", Lists.NOTHING),
        "delete": (None, "menus", Lists.NOTHING),
    }


def test_an_option_is_declared_by_the_operations_that_have_it() -> None:
    things = collection()
    things.option("quiet", "nobody hears of it", "create", "merge")
    assert {verb: dict(route.options) for verb, route in routes(things).items() if route.options} == {
        "PUT": {"quiet": "nobody hears of it"},
        "patch": {"quiet": "nobody hears of it"},
        "delete": {"should_soft_delete": "`false` removes the document for good"},
    }
    assert not routes(collection(hard_delete=True))["delete"].options


def test_a_decoration_that_is_asked_for_is_an_option_of_the_list() -> None:
    things = collection()

    @things.decorate_rows(asked_by="with_status")
    async def decorate(_: Context, rows: list[Any]) -> None:
        """Whether each is there."""

    assert routes(things)["GET"].options == {"with_status": "Whether each is there."}


def test_data_are_held_to_a_declared_schema_alone() -> None:
    endpoint = Endpoint("things")

    @endpoint.put("/things")
    async def create(_: Context) -> Reply:
        return Reply()

    context = Context(cast("Runtime", None), cast("Any", None), "", route=next(iter(endpoint.routes)))
    with pytest.raises(LookupError, match="declares no schema"):
        context.valid_data({})


async def test_data_that_do_not_fit_the_declared_schema_are_refused(tenant: Tenant) -> None:
    refused = await tenant.api.post("/access_lists", {"order": "sideways"})
    assert refused.refusals() == {"order": ["enum"], "cidrs": ["required"]}
