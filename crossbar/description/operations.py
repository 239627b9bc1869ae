# SPDX-License-Identifier: MPL-2.0
"""Every operation of the API as its declarations tell of it, in no format's words.

Whoever describes the API to programs or people begins here: routes, schemas' names and docstrings have been read, and
nothing of it has to be looked up again.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Final

from crossbar.access.plain_users import need_of
from crossbar.description.subjects import docstring, subject_of
from crossbar.endpoint import Endpoint, Route, Who
from crossbar.endpoint.reply import Binary, Reply
from crossbar.endpoint.routing import ANY_COLLECTION, Lists
from crossbar.wire.negotiation import CSV_TYPES, JSON_TYPES
from crossbar.wire.paths import HOOKS

WRITING: Final = frozenset({"PUT", "POST", "PATCH"})
CHANGING: Final = frozenset({"POST", "PATCH", "DELETE"})
ACCEPTANCE: Final = "accept_charges"
"""The option by which a caller accepts what a request costs; without it the request is refused."""
ANY_FILE: Final = "*/*"
USUAL_REFUSALS: Final = (400, 401, 403, 404, 406, 408, 409, 412, 415, 416, 423, 429, 503)
"""Statuses of errors that follow from what kind of request it is."""


class AnswerKind(Enum):
    """What an answer consists of."""

    VALUE = "what the operation made"
    DOCUMENT = "the document"
    ROWS = "the rows of the list"
    FILE = "the file, without an envelope"


@dataclass(frozen=True, slots=True)
class Argument:
    """A part of the path that the caller fills in; `choices` are all values it can have, where they are known."""

    name: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brings.

    `schema` names the schema of the data, None where any object or list will do. `files` are the types of a body that
    is a file, or of a file beside the data. `options` may stand in the data, where no schema says what is in it.
    """

    schema: str | None = None
    files: tuple[str, ...] = ()
    options: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back when all goes well.

    `schema` names the schema of the document, `columns` are the fields that a row may have, where that is known.
    `files` are the types of an answer that is a file; one of `AnswerKind.FILE` is never anything else.
    """

    kind: AnswerKind
    statuses: tuple[int, ...]
    schema: str | None = None
    columns: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One verb on one path.

    `name` is unique and made of verb and path. `summary` is one sentence, `text` what else there is to say. `callers`
    says who may call, `need` what of these a user has to be, None where any user may, `needs_token` whether nobody may
    without a token. `is_enveloped` is false for what other programs
    post in their own words. `options` are further parameters of the query. `is_conditional`: whether `If-Match` counts.
    `refusals` are the statuses of errors.
    """

    name: str
    wing: str
    endpoint: str
    verb: str
    path: str
    arguments: tuple[Argument, ...]
    summary: str
    text: str
    callers: str
    need: str | None
    needs_token: bool
    is_enveloped: bool
    body: Body | None
    answer: Answer
    lists: Lists
    options: Mapping[str, str]
    is_conditional: bool
    refusals: tuple[int, ...]

    @property
    def can_be_dry(self) -> bool:
        """Whether the change can be tried only; what is open to callers without a token refuses that."""
        return self.verb != "GET" and self.needs_token


def operations(wings: Iterable[ModuleType]) -> list[ApiOperation]:
    """All operations of the wings, by wing, endpoint, path and verb."""
    listed = [(wing, endpoint) for wing in wings for endpoint in wing.ENDPOINTS]
    collections = tuple(sorted({endpoint.name for _, endpoint in listed if _is_in_account(endpoint)}))
    return [
        _operation(wing, endpoint, route, collections)
        for wing, endpoint in listed
        for route in sorted(endpoint.routes, key=_order)
    ]


def _is_in_account(endpoint: Endpoint) -> bool:
    """Whether documents of an account stand behind the endpoint's name."""
    return endpoint.document_type is not None and any(
        re.fullmatch(rf"/v2/accounts/{{account_id}}/{endpoint.name}/{{\w+}}", route.template)
        for route in endpoint.routes
    )


def _order(route: Route) -> tuple[str, int]:
    return route.template, ("GET", "PUT", "POST", "PATCH", "DELETE").index(route.verb)


def _operation(wing: ModuleType, endpoint: Endpoint, route: Route, collections: tuple[str, ...]) -> ApiOperation:
    summary, text = _words(route)
    body = _body(route)
    in_body = body is not None and body.options is not None
    return ApiOperation(
        name="-".join([route.verb.lower(), *(step.strip("{}") for step in route.template.split("/")[1:])]),
        wing=wing.__name__.rpartition(".")[2],
        endpoint=endpoint.name,
        verb=route.verb,
        path=route.template,
        arguments=tuple(_arguments(route, collections)),
        summary=summary,
        text=text,
        callers=_callers(route),
        need=_need(endpoint, route),
        needs_token=route.who is not Who.ANONYMOUS and route.open_if is None,
        is_enveloped=not route.template.startswith(f"/{HOOKS}/"),
        body=body,
        answer=_answer(endpoint, route),
        lists=route.lists,
        options={} if in_body else dict(route.options),
        is_conditional=route.verb in CHANGING and route.checks_itself,
        refusals=tuple(sorted(set(_refusals(route)))),
    )


def _words(route: Route) -> tuple[str, str]:
    """What the handler says of itself: its first sentence or paragraph, and the rest."""
    document, documents = subject_of(route.template)
    said = docstring(route.handler).replace("{documents}", documents).replace("{document}", document)
    summary, _, text = said.partition("\n\n")
    return summary, text


def _arguments(route: Route, collections: tuple[str, ...]) -> Iterator[Argument]:
    for name in re.findall(r"\{(\w+)\}", route.template):
        spoken = name.removesuffix("_id").replace("_", " ")
        text = f"The id of the {spoken}" if name.endswith("_id") else f"The {spoken}"
        yield Argument(name, text, collections if f"{{{name}}}" == ANY_COLLECTION else ())


def _need(endpoint: Endpoint, route: Route) -> str | None:
    if route.who is Who.ANONYMOUS:
        return None
    need = need_of(endpoint.name, route.pattern, route.verb)
    return None if need is None else need.value


def _callers(route: Route) -> str:
    """Who may call: a few words, or a sentence of an endpoint's own rule."""
    callers = _identified_callers(route)
    if route.open_if is None:
        return callers
    condition = docstring(route.open_if).rstrip(".")
    return f"{callers.rstrip('.')}; callers without a token, too: {condition[0].lower()}{condition[1:]}"


def _identified_callers(route: Route) -> str:
    match route.who:
        case Who.TREE if "{account_id}" in route.template:
            return "the account in the path, and those above it"
        case Who.TREE | Who.SUPERDUPER:
            return "superduper admins"
        case Who.ADMIN:
            return "administrators of the account in the path, or of one above it"
        case Who() as who:
            return str(who.value)
        case rule:
            return docstring(rule)


def _body(route: Route) -> Body | None:
    if route.schema is None and not route.accepts and route.verb not in WRITING:
        return None
    in_body = bool(route.options) and route.schema is None and route.verb in WRITING
    return Body(route.schema, route.accepts, dict(route.options) if in_body else None)


def _answer(endpoint: Endpoint, route: Route) -> Answer:
    returned = _returned(route)
    files = tuple(kind for kind in route.provides if kind not in JSON_TYPES)
    if Binary in returned and not files:
        files = (ANY_FILE,)
    statuses = route.answers or ((201,) if route.verb == "PUT" else (200,))
    if returned == {Binary}:
        return Answer(AnswerKind.FILE, statuses, files=files)
    sheet = CSV_TYPES[:1] if route.verb == "GET" else ()
    if route.lists is not Lists.NOTHING:
        return Answer(AnswerKind.ROWS, statuses, columns=_columns(endpoint, route), files=(*files, *sheet))
    if route.shows is not None:
        return Answer(AnswerKind.DOCUMENT, statuses, route.shows, files=files)
    return Answer(AnswerKind.VALUE, statuses, files=(*files, *sheet))


def _returned(route: Route) -> set[object]:
    """The classes of what the handler returns."""
    handler = inspect.unwrap(route.handler)
    hint = typing.get_type_hints(getattr(handler, "__func__", handler)).get("return", Reply)
    return set(typing.get_args(hint) or (hint,))


def _columns(endpoint: Endpoint, route: Route) -> tuple[str, ...]:
    """The fields of the rows of a collection's own list."""
    for collection in endpoint.collections:
        if route.handler == collection.life.list:
            return tuple(collection.shape.summary.sources)
    return ()


def _refusals(route: Route) -> Iterator[int]:
    """Which errors a route answers: those of every request, of its kind, and its own."""
    yield from (400, 401, 403, 406, 412, 423, 429, 503)
    if "{" in route.template or route.lists is not Lists.NOTHING or (route.verb != "PUT" and route.shows):
        yield 404
    if route.lists is not Lists.NOTHING:
        yield 416
    if route.verb != "GET":
        yield from (408, 409, 415)
    if ACCEPTANCE in route.options:
        yield 402
    yield from route.refuses
