# SPDX-License-Identifier: MPL-2.0
"""What schemas ask for beyond JSON Schema: `kazoo-validation`, `kazoo-regexp` and `stability_level`.

`kazoo-validation: true` on a property stands for a check of its own, chosen by the schema's id and the property's
name. A schema made ready for use carries that name (`webhooks.uri`) in place of `true`, so both validators look the
check up here. Source: `kz_json_schema_extensions`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from crossbar.documents.schemas import patterns
from crossbar.documents.schemas.client_urls import ClientUrls
from crossbar.documents.schemas.nodes import NODES, module_schema

LEVELS: Mapping[str, int] = {"alpha": 1, "beta": 2, "stable": 3}


class Circumstances(NamedTuple):
    """What a check may need to know besides the value."""

    ids: Container[str]
    """The schemas there are."""
    root: Mapping[str, Any]
    """The document the value is part of."""
    client_urls: ClientUrls
    oauth_doc_exists: Callable[[str], bool]
    stability_level: str | None


circumstances: ContextVar[Circumstances] = ContextVar("circumstances")
"""Of the validation under way."""

Complaints = Iterator[tuple[str, str | None]]
"""What is wrong: a text, and the id of a schema when its absence is what is wrong."""


def complaints(name: str, value: Any) -> Complaints:
    """What the check called `name` has against a text; other values are a matter of `type`."""
    check = _CHECKS.get(name)
    if check is not None and isinstance(value, str):
        yield from check(value, circumstances.get())


def regexp_complaint(value: Any) -> str | None:
    """What `kazoo-regexp` has against a value."""
    if not isinstance(value, str) or patterns.compiles(value):
        return None
    return f"invalid regular expression: '{value}'"


def stability_complaint(level: str) -> str | None:
    """What is to be said about a parameter of this stability."""
    asked = circumstances.get().stability_level
    if asked is None or LEVELS.get(level, 0) >= LEVELS[asked]:
        return None
    return f"Disallowed parameter, it has lower stability level ({level}) than system's stability level ({asked})"


def _client_url(value: str, now: Circumstances) -> Complaints:
    if not now.client_urls.allows(value):
        yield "invalid client URL", None


def _module(node: str) -> Callable[[str, Circumstances], Complaints]:
    def check(value: str, now: Circumstances) -> Complaints:
        schema_id = module_schema(node, value)
        if schema_id not in now.ids:
            yield f"unable to find {NODES[node]} schema for module {value}", None
            yield "schema not found", schema_id

    return check


def _reference(kind: str) -> Callable[[str, Circumstances], Complaints]:
    def check(value: str, now: Circumstances) -> Complaints:
        known = now.root.get(kind)
        if not isinstance(known, dict) or value not in known:
            yield f"invalid reference '{value}' to {kind}", None

    return check


def _oauth_doc(value: str, now: Circumstances) -> Complaints:
    if not now.oauth_doc_exists(value):
        yield f"Invalid oauth_doc_id: {value}", None


_CHECKS: Mapping[str, Callable[[str, Circumstances], Complaints]] = {
    **dict.fromkeys(
        (
            "call_recording.parameters.url",
            "callflows.pivot.voice_url",
            "callflows.record_call.url",
            "callflows.record_caller.url",
            "callflows.webhook.uri",
            "faxbox.url",
            "metaflows.pivot.voice_url",
            "metaflows.record_call.url",
            "storage.attachment.http.url",
            "webhooks.uri",
        ),
        _client_url,
    ),
    **{f"{node}.module": _module(node) for node in NODES},
    **dict.fromkeys(
        ("storage.plan.database.connection", "storage.plan.database.document.connection"), _reference("connections")
    ),
    "storage.plan.database.attachment.handler": _reference("attachments"),
    **dict.fromkeys(
        (
            f"storage.attachment.{kind}.oauth_doc_id"
            for kind in ("dropbox", "google_drive", "google_storage", "onedrive")
        ),
        _oauth_doc,
    ),
}
