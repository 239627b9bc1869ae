# SPDX-License-Identifier: MPL-2.0
"""Paths of an endpoint: what a template says, and which route the words of a path mean."""

from __future__ import annotations

import pytest

from crossbar.documents.shape import Shape
from crossbar.endpoint import Collection, Context, Endpoint, Reply, Who
from crossbar.endpoint.routing import split_template


async def answer(_: Context) -> Reply:
    return Reply()


@pytest.mark.parametrize(
    ("path", "scope", "pattern"),
    [
        ("/things", "", ()),
        ("/accounts/{account_id}/things", "accounts", ()),
        ("/accounts/{account_id}/users/{user_id}/things/{thing_id}/raw", "accounts/users", ("{thing_id}", "raw")),
        ("/accounts/{account_id}/{collection}/{document_id}/things", "accounts/{collection}", ()),
    ],
)
def test_a_template_is_split_at_the_endpoints_name(path: str, scope: str, pattern: tuple[str, ...]) -> None:
    assert split_template("things", path) == (scope, pattern)


def test_a_template_names_its_endpoint() -> None:
    with pytest.raises(ValueError, match="lacks the endpoint's name 'things'"):
        Endpoint("things").get("/accounts/{account_id}/thing")(answer)


def test_fixed_words_go_before_arguments() -> None:
    things = Endpoint("things")
    things.get("/accounts/{account_id}/things/{thing_id}")(answer)
    things.get("/accounts/{account_id}/things/all")(answer)
    found = things.routes.find(("all",))
    assert found is not None
    assert (found[0].parts, found[1]) == (("all",), {})
    found = things.routes.find(("x",))
    assert found is not None
    assert found[1] == {"thing_id": "x"}
    assert things.routes.find(("x", "y")) is None


def test_methods_are_told_in_the_order_of_the_protocol() -> None:
    things = Endpoint("things")
    for verb in ("DELETE", "POST", "GET"):
        things.route(verb, "/things/{thing_id}")(answer)
    found = things.routes.find(("x",))
    assert found is not None
    assert found[0].methods == ("GET", "POST", "DELETE")


def test_a_verb_has_one_handler_in_a_scope() -> None:
    things = Endpoint("things")
    things.get("/things", "/accounts/{account_id}/things")(answer)
    with pytest.raises(ValueError, match="GET /v2/things is declared twice"):
        things.get("/things")(answer)


def test_who_may_call_is_the_endpoints_unless_a_route_says_otherwise() -> None:
    things = Endpoint("things", who=Who.ADMIN)
    things.get("/things")(answer)
    things.put("/things", who=Who.ANONYMOUS)(answer)
    assert {route.verb: route.who for route in things.routes} == {"GET": Who.ADMIN, "PUT": Who.ANONYMOUS}


def test_a_collection_has_the_usual_operations() -> None:
    things = Collection("things", "/accounts/{account_id}/things/{thing_id}", Shape("thing"))
    assert {(route.verb, route.template) for route in things.routes} == {
        ("GET", "/v2/accounts/{account_id}/things"),
        ("PUT", "/v2/accounts/{account_id}/things"),
        ("GET", "/v2/accounts/{account_id}/things/{thing_id}"),
        ("POST", "/v2/accounts/{account_id}/things/{thing_id}"),
        ("PATCH", "/v2/accounts/{account_id}/things/{thing_id}"),
        ("DELETE", "/v2/accounts/{account_id}/things/{thing_id}"),
    }
    assert (things.life.id_name, things.document_type) == ("thing_id", "thing")


def test_an_endpoint_may_have_several_collections() -> None:
    shelves = Collection("shelves", "/accounts/{account_id}/shelves/{shelf_id}", Shape("shelf"), operations=("list",))
    books = Collection(
        shelves,
        "/accounts/{account_id}/shelves/{shelf_id}/books/{book_id}",
        Shape("book"),
        operations=("read",),
    )
    assert [shape.type for shape in shelves.shapes] == ["shelf", "book"]
    assert (books.name, books.life.id_name, shelves.document_type) == ("shelves", "book_id", "shelf")
    assert {route.template for route in shelves.routes} == {
        "/v2/accounts/{account_id}/shelves",
        "/v2/accounts/{account_id}/shelves/{shelf_id}/books/{book_id}",
    }
