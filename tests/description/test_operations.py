# SPDX-License-Identifier: MPL-2.0
"""What the API answers, as told from its declarations."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from crossbar.app import ENDPOINTS, WINGS
from crossbar.description.operations import Answer, AnswerKind, ApiOperation, Argument, Body, operations
from crossbar.description.subjects import docstring, endpoint_subject, subject_of
from crossbar.documents.schemas import Schemas
from crossbar.endpoint import Context, Endpoint, Lists, Reply, Who
from tests.harness import RunningServer

OPERATIONS = operations(WINGS)
MENUS = "/v2/accounts/{account_id}/menus"
ACCOUNT = Argument("account_id", "The id of the account")


def found(verb: str, path: str) -> ApiOperation:
    [operation] = [one for one in OPERATIONS if (one.verb, one.path) == (verb, path)]
    return operation


def test_every_route_is_an_operation_and_none_is_too_many() -> None:
    declared = Counter((route.verb, route.template) for endpoint in ENDPOINTS for route in endpoint.routes)
    assert Counter((operation.verb, operation.path) for operation in OPERATIONS) == declared
    assert max(declared.values()) == 1


async def test_the_operations_are_the_routes_that_the_running_server_finds(server: RunningServer) -> None:
    for operation in OPERATIONS:
        path = re.sub(r"\{(\w+)\}", "f" * 32, operation.path)
        url = f"{server.url}{path}"
        async with server.master.api.session.options(url, headers={"Origin": "http://example.com"}) as answer:
            allowed = answer.headers.get("Access-Control-Allow-Methods", "")
        assert operation.verb in allowed.split(", "), operation.path


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(one.name for one in OPERATIONS).items() if count > 1] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_a_summary_in_plain_words(operation: ApiOperation) -> None:
    assert re.fullmatch(r"[A-Z`].*[.]", operation.summary), operation.summary
    assert "{document" not in operation.summary
    assert operation.callers


@pytest.mark.parametrize("wing", WINGS, ids=lambda wing: wing.__name__.rpartition(".")[2])
def test_every_endpoint_has_a_title(wing: Any) -> None:
    for endpoint in wing.ENDPOINTS:
        subject = endpoint_subject(wing, endpoint)
        assert subject.endpoint == endpoint.name
        assert subject.title != docstring(wing).partition("\n\n")[0], f"{endpoint.name} has no file of its own"


def test_every_schema_that_is_named_exists() -> None:
    known = set(Schemas.load().ids())
    named = {schema for one in OPERATIONS for schema in (one.body and one.body.schema, one.answer.schema) if schema}
    assert named - known == set()


def test_a_collections_list() -> None:
    assert found("GET", MENUS) == ApiOperation(
        name="get-v2-accounts-account_id-menus",
        wing="calls",
        endpoint="menus",
        verb="GET",
        path=MENUS,
        arguments=(ACCOUNT,),
        summary="The menus, page by page.",
        text="",
        callers="the account in the path, and those above it",
        need=None,
        needs_token=True,
        is_enveloped=True,
        body=None,
        answer=Answer(AnswerKind.ROWS, (200,), columns=("id", "name", "flags"), files=("text/csv",)),
        lists=Lists.PAGES,
        options={},
        is_conditional=False,
        refusals=(400, 401, 403, 404, 406, 412, 416, 423, 429, 503),
    )


def test_a_collections_change() -> None:
    changed = found("POST", f"{MENUS}/{{menu_id}}")
    assert changed.arguments == (ACCOUNT, Argument("menu_id", "The id of the menu"))
    assert changed.summary == "Replace the public fields of one menu."
    assert changed.body == Body("menus")
    assert changed.answer == Answer(AnswerKind.DOCUMENT, (200,), "menus")
    assert changed.is_conditional
    assert changed.refusals == (400, 401, 403, 404, 406, 408, 409, 412, 415, 423, 429, 503)


def test_what_is_charged_for_is_refused_with_402() -> None:
    created = found("PUT", "/v2/accounts/{account_id}/devices")
    assert "accept_charges" in created.options
    assert 402 in created.refusals
    assert 402 not in found("PUT", MENUS).refusals


def test_a_path_behind_any_document_names_the_collections() -> None:
    [collection] = [
        argument
        for argument in found("GET", "/v2/accounts/{account_id}/{collection}/{document_id}/comments").arguments
        if argument.name == "collection"
    ]
    assert {"users", "devices", "callflows"} <= set(collection.choices)
    assert not {"about", "accounts"} & set(collection.choices)


def test_files() -> None:
    photo = found("GET", "/v2/accounts/{account_id}/users/{user_id}/photo").answer
    assert (photo.kind, photo.files) == (AnswerKind.FILE, ("application/octet-stream", "application/base64"))
    upload = found("POST", "/v2/accounts/{account_id}/users/{user_id}/photo").body
    assert upload is not None
    assert upload.files == ("application/base64", "application/x-base64", "image/*")


def test_who_may_call() -> None:
    assert not found("PUT", "/v2/user_auth").needs_token
    assert found("GET", "/v2/accounts/{account_id}/about").needs_token
    assert found("GET", "/v2/rates").callers == "superduper admins"
    assert found("PUT", "/v2/accounts/{account_id}/ledgers/credit").callers == (
        "Only the account's reseller changes what it has, or a superduper admin."
    )


def test_what_a_user_has_to_be() -> None:
    assert found("PUT", "/v2/accounts/{account_id}/users").need == "an administrator"
    assert found("DELETE", "/v2/accounts/{account_id}/users/{user_id}").need == (
        "an administrator, or the user whom the path names"
    )
    assert found("PATCH", "/v2/accounts/{account_id}/users/{user_id}").need is None


def test_who_may_call_without_a_token_under_a_condition() -> None:
    pressed = found("POST", "/v2/accounts/{account_id}/clicktocall/{click2call_id}/connect")
    assert not pressed.needs_token
    assert pressed.callers.endswith("; callers without a token, too: whether anybody may press the button")


def test_hooks_have_no_envelope() -> None:
    assert not found("POST", "/hooks/freeswitch/cdr").is_enveloped
    assert found("PUT", MENUS).is_enveloped


def test_options_of_a_write_without_schema_stand_in_its_data() -> None:
    order = found("POST", "/v2/accounts/{account_id}/move")
    assert order.body == Body(options={"to": "The account to move below"})
    assert order.options == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/accounts/{account_id}/menus/{menu_id}", ("menu", "menus")),
        ("/v2/accounts/{account_id}/temporal_rules", ("temporal rules", "temporal rules")),
        ("/v2/accounts/{account_id}/limits", ("limits", "limits")),
    ],
)
def test_what_a_path_speaks_of(path: str, expected: tuple[str, str]) -> None:
    assert subject_of(path) == expected


def test_a_docstring_without_its_source() -> None:
    async def handler(_: Context) -> Reply:
        """Do it.

        Source: KAZOO `cb_x.erl` (`do_it`). It is
        done at once.
        """
        return Reply()

    endpoint = Endpoint("things", who=Who.AUTHENTICATED)
    endpoint.get("/things")(handler)
    assert docstring(handler) == "Do it.\n\nIt is done at once."
