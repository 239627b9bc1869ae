# SPDX-License-Identifier: MPL-2.0
"""The reference of endpoints for people: Markdown pages, one an endpoint, and their index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from types import ModuleType
from typing import Final

from crossbar.description.field_tables import field_table
from crossbar.description.operations import USUAL_REFUSALS, Answer, AnswerKind, ApiOperation, Body, operations
from crossbar.description.parameters import FILTER, list_parameters
from crossbar.description.status_texts import REFUSALS
from crossbar.description.subjects import Subject, endpoint_subject
from crossbar.documents.filters import FILTERS
from crossbar.documents.schemas.library import Library, shipped_folder
from crossbar.endpoint.dry_runs import EFFECT as DRY_RUN_TEXT
from crossbar.endpoint.dry_runs import OPTION as DRY_RUN
from crossbar.endpoint.routing import Lists
from crossbar.wire.list_options import FIELDS, PAGING, RANGE

INDEX: Final = "README.md"
LISTS: Final = {
    Lists.FILTERS: "[filters](README.md#filters)",
    Lists.ROWS: "what cuts and orders [lists](README.md#lists), but no fields or filters",
    Lists.PAGES: "the parameters of [lists](README.md#lists)",
    Lists.NAMED: "the parameters of [lists](README.md#lists)",
    Lists.TIMES: "the parameters of [lists](README.md#lists), and a [range of time](README.md#lists)",
}
MARK: Final = "# Endpoints\n\nMade by `make docs`"
"""What the index begins with, by which it is known."""
HEAD: Final = (
    MARK
    + """ of the declarations that the server answers by; the same as OpenAPI 3.1 is at `/openapi.json`.

A request with a body sends `{"data": …}`, an answer is `{"data": …, "status": "success", "request_id": …}`, an error
has `"status": "error"`, `error` (the status as text) and `message`. Whoever has logged in (`PUT /v2/user_auth`) sends
the token as `X-Auth-Token`. What changes a document takes its revision as `If-Match` where a page says so.
"""
)


def pages(wings: Iterable[ModuleType]) -> dict[str, str]:
    """File name → text."""
    wings, library = list(wings), Library(shipped_folder())
    subjects = [endpoint_subject(wing, endpoint) for wing in wings for endpoint in wing.ENDPOINTS]
    by_endpoint: dict[str, list[ApiOperation]] = {}
    for operation in operations(wings):
        by_endpoint.setdefault(operation.endpoint, []).append(operation)
    made = {
        f"{subject.endpoint}.md": "\n".join(_page(subject, by_endpoint.get(subject.endpoint, []), library))
        for subject in subjects
    }
    return {INDEX: "\n".join(_index(subjects, wings)), **made}


# The index


def _index(subjects: Sequence[Subject], wings: Sequence[ModuleType]) -> Iterator[str]:
    yield HEAD
    about = {wing.__name__.rpartition(".")[2]: (wing.__doc__ or "").partition("\n\n")[0].strip() for wing in wings}
    for wing, members in groupby(subjects, attrgetter("wing")):
        yield f"## {wing.capitalize()}\n"
        yield f"{' '.join(about[wing].split())}\n"
        yield from (f"- [`{member.endpoint}`]({member.endpoint}.md): {member.title}" for member in members)
        yield ""
    yield "## Lists\n"
    yield from _table(("parameter", "what it does"), {**PAGING, **FIELDS})
    yield "A list sorted by time also takes these; without them it has the time just gone by.\n"
    yield from _table(("parameter", "what it does"), RANGE)
    yield "## Filters\n"
    yield from _table(("parameter", "which rows stay"), FILTERS)
    yield "## Changes\n"
    yield "Those for which a token is needed also take this.\n"
    yield from _table(("parameter", "what it does"), {DRY_RUN: DRY_RUN_TEXT})
    yield "## Errors\n"
    yield from _table(("status", "what it says"), {str(status): text for status, text in REFUSALS.items()})


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |"
    yield "| --- | --- |"
    yield from (f"| `{name}` | {text} |" for name, text in rows.items())
    yield ""


# One endpoint


def _page(subject: Subject, listed: Sequence[ApiOperation], library: Library) -> Iterator[str]:
    yield f"# {subject.endpoint}\n"
    yield f"{subject.title}\n"
    if subject.text:
        yield f"{subject.text}\n"
    yield "| | | |"
    yield "| --- | --- | --- |"
    for operation in listed:
        yield f"| {operation.verb} | `{operation.path}` | {_in_table(operation.summary)} |"
    yield ""
    for operation in listed:
        yield from _section(operation)
    for schema_id in dict.fromkeys(_schemas(listed)):
        schema = library.document(schema_id)
        if schema is not None and (table := field_table(schema)):
            yield f"## Fields of `{schema_id}`\n"
            yield table


def _in_table(text: str) -> str:
    return text.replace("|", r"\|")


def _schemas(listed: Iterable[ApiOperation]) -> Iterator[str]:
    for operation in listed:
        for schema_id in (operation.body.schema if operation.body else None, operation.answer.schema):
            if schema_id is not None:
                yield schema_id


def _section(operation: ApiOperation) -> Iterator[str]:
    yield f"## {operation.verb} {operation.path}\n"
    yield f"{operation.summary}\n"
    if operation.text:
        yield f"{operation.text}\n"
    user = "" if operation.need is None else f" A user has to be {operation.need}."
    yield f"- Who may: {operation.callers.rstrip('.')}.{user}"
    if operation.lists is not Lists.NOTHING:
        yield f"- Takes {LISTS[operation.lists]}."
    named = {FILTER, *(parameter.name for parameter in list_parameters(operation.lists))}
    for name, effect in operation.options.items():
        if name not in named:
            yield f"- `{name}`: {effect}."
    if operation.body is not None:
        yield from _body(operation.body)
    if operation.is_conditional:
        yield "- `If-Match` counts."
    yield f"- Answers {_answered(operation.answer)}."
    if own := [status for status in operation.refusals if status not in USUAL_REFUSALS]:
        yield f"- Beside the usual errors: {', '.join(map(str, own))}."
    yield ""


def _body(body: Body) -> Iterator[str]:
    if body.schema is not None:
        yield f"- `data` is of schema `{body.schema}`."
    for name, effect in (body.options or {}).items():
        yield f"- `data.{name}`: {effect}."
    if body.files:
        yield f"- Takes a file: {_types(body.files)}."


def _answered(answer: Answer) -> str:
    statuses = " or ".join(map(str, answer.statuses))
    match answer.kind:
        case AnswerKind.FILE:
            return f"{statuses} with a file: {_types(answer.files)}"
        case AnswerKind.ROWS if answer.columns:
            return f"{statuses} with rows of {', '.join(f'`{name}`' for name in answer.columns)}"
        case AnswerKind.ROWS:
            return f"{statuses} with rows"
        case AnswerKind.DOCUMENT if answer.schema:
            return f"{statuses} with a document of schema `{answer.schema}`"
        case _:
            return f"{statuses} with {answer.kind.value}"


def _types(files: Sequence[str]) -> str:
    return ", ".join(f"`{kind}`" for kind in files) if files != ("*/*",) else "whatever it is"
