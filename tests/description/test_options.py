# SPDX-License-Identifier: MPL-2.0
"""The parameters that are described are those that the server reads: each handler's reads are noted and compared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import quote

import orjson
import pytest

from crossbar.app import WINGS
from crossbar.description.operations import ApiOperation, operations
from crossbar.documents.schemas import Schemas
from crossbar.endpoint import Context, Lists, stages
from crossbar.endpoint.dry_runs import OPTION as DRY_RUN
from crossbar.wire.list_options import FIELDS, PAGING, RANGE
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values
from tests.description.conformance import request_example, whole
from tests.harness import RunningServer, new_tenant
from trials.fuzz import ENDS_THE_CALLER
from trials.worlds import handed_in, made_in

EVERYWHERE: Final = {"accept", "verb", "filename", "jsonp", "pretty_print"}
"""What any request may say."""
LISTED: Final = {
    Lists.NOTHING: set[str](),
    Lists.FILTERS: set[str](),
    Lists.ROWS: {*PAGING},
    Lists.PAGES: {*PAGING, *FIELDS},
    Lists.NAMED: {*PAGING},
    Lists.TIMES: {*PAGING, *FIELDS, *RANGE},
}
OPERATIONS: Final = [one for one in operations(WINGS) if (one.verb, one.path) not in ENDS_THE_CALLER]

PAGED: Final = (Lists.ROWS, Lists.PAGES, Lists.TIMES, Lists.NAMED)
VERBS: Final = ("GET", "PUT", "POST", "PATCH", "DELETE")

reading: ContextVar[set[str] | None] = ContextVar("reading", default=None)


class Noting(dict[str, Any]):
    """The first values of a query string, which note what is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        _note(name)
        return super().get(name, default)


def _note(name: str) -> None:
    if (names := reading.get()) is not None:
        names.add(name)


EAGER: Final = {name: {"accept_charges"} for name in ("phone_numbers", "port_requests", "comments")}
"""What an endpoint reads of every request though it counts for some alone."""
Reads = Mapping[tuple[str, str], set[str]]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """What the handler of each verb and path has read of requests' values."""
    noted: dict[tuple[str, str], set[str]] = defaultdict(set)
    execute, get, parse = stages.execute, Values.get, Query.parse

    async def executed(context: Context, *arguments: Any) -> Any:
        reading.set(noted[context.verb, context.template])
        return await execute(context, *arguments)

    def got(values: Values, name: str) -> Any:
        _note(name)
        return get(values, name)

    def parsed(text: str) -> Query:
        query = Query(parse(text).pairs)
        query.first = Noting(query.first)
        return query

    monkeypatch.setattr(stages, "execute", executed)
    monkeypatch.setattr(Values, "get", got)
    monkeypatch.setattr(Query, "parse", parsed)
    yield noted


def described(operation: ApiOperation, schemas: Schemas) -> set[str]:
    """The names that an operation says it reads."""
    names = {*EVERYWHERE, *EAGER.get(operation.endpoint, ()), *LISTED[operation.lists], *operation.options}
    if operation.can_be_dry or (operation.verb != "GET" and not operation.needs_token):
        names.add(DRY_RUN)
    if operation.body is not None:
        schema = schemas.get(operation.body.schema) if operation.body.schema else None
        names |= {*(operation.body.options or {}), *(schema or {}).get("properties", {})}
    return names


async def test_what_is_read_is_described(server: RunningServer, reads: Reads) -> None:
    tenant = await new_tenant(server, server.master, "optional")
    ids = await made_in(tenant)
    await handed_in(server, ids)
    description, schemas, wrong = whole(), Schemas.load(), []
    headers = {"X-Auth-Token": server.master.token}
    for operation in sorted(OPERATIONS, key=lambda one: VERBS.index(one.verb)):
        path = re.sub(r"\{(\w+)\}", lambda name: quote(ids.get(name[1], "f" * 32), safe=""), operation.path)
        example = request_example(description["paths"][operation.path][operation.verb.lower()])
        body = None if example is None else orjson.dumps(example)
        url = f"{server.url}{path}?x=1"
        answer = await server.master.api.request(operation.verb, url, headers=headers, body=body)
        read = reads.get((operation.verb, operation.path), set())
        if unknown := read - described(operation, schemas):
            wrong.append(f"{operation.verb} {operation.path}: {sorted(unknown)}")
        if answer.status == 200 and operation.lists in PAGED and "page_size" not in read:
            wrong.append(f"{operation.verb} {operation.path}: is no list of pages")
    assert not wrong, "\n".join(wrong)
