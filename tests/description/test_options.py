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
from crossbar.description.openapi import openapi
from crossbar.description.operations import operations
from crossbar.documents.schemas import Schemas
from crossbar.endpoint import Context, Lists, stages
from crossbar.wire.list_options import FIELDS, PAGING, RANGE
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values
from tests.description.conformance import request_example
from tests.harness import RunningServer, new_tenant
from trials.fuzz import ENDS_THE_CALLER
from trials.worlds import handed_in, made_in

EVERYWHERE: Final = {"accept", "verb", "filename"}
"""What any request may say."""
LISTED: Final = {
    Lists.NOTHING: set[str](),
    Lists.FILTERS: set[str](),
    Lists.PAGES: {*PAGING, *FIELDS},
    Lists.NAMED: {*PAGING},
    Lists.TIMES: {*PAGING, *FIELDS, *RANGE},
}
OPERATIONS: Final = [one for one in operations(WINGS) if (one.verb, one.path) not in ENDS_THE_CALLER]

reading: ContextVar[set[str] | None] = ContextVar("reading", default=None)


class Noting(dict[str, Any]):
    """The first values of a query string, which note what is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        _note(name)
        return super().get(name, default)


def _note(name: str) -> None:
    if (names := reading.get()) is not None:
        names.add(name)


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


async def test_what_is_read_is_described(server: RunningServer, reads: Reads) -> None:
    tenant = await new_tenant(server, server.master, "optional")
    ids = await made_in(tenant)
    await handed_in(server, ids)
    description = openapi(WINGS)
    schemas = Schemas.load()
    for operation in sorted(OPERATIONS, key=lambda one: ("GET", "PUT", "POST", "PATCH", "DELETE").index(one.verb)):
        path = re.sub(r"\{(\w+)\}", lambda name: quote(ids.get(name[1], "f" * 32), safe=""), operation.path)
        example = request_example(description["paths"][operation.path][operation.verb.lower()])
        headers = {"X-Auth-Token": server.master.token}
        await server.master.api.request(
            operation.verb,
            f"{server.url}{path}?x=1",
            headers=headers,
            body=None if example is None else orjson.dumps(example),
        )
    wrong = []
    for operation in OPERATIONS:
        described = {*EVERYWHERE, *LISTED[operation.lists], *operation.options}
        if operation.body is not None:
            described |= {*(operation.body.options or {})}
            schema = schemas.get(operation.body.schema) if operation.body.schema else None
            described |= {*(schema or {}).get("properties", {})}
        if unknown := reads.get((operation.verb, operation.path), set()) - described:
            wrong.append(f"{operation.verb} {operation.path}: {sorted(unknown)}")
        if operation.lists in (Lists.PAGES, Lists.TIMES, Lists.NAMED) and "page_size" not in reads.get(
            (operation.verb, operation.path), ()
        ):
            wrong.append(f"{operation.verb} {operation.path}: is no list")
    assert not wrong, "\n".join(wrong)
