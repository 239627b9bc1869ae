# SPDX-License-Identifier: MPL-2.0
"""Every stored document: whether its type is known, it lies as its shape says, claims what it should, fits its schema.

What looks wrong is looked at a second time: a document that was written meanwhile is not judged by two of its states.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from crossbar import app, clock
from crossbar.care.findings import (
    HELD_TWICE,
    MISSING_CLAIM,
    SCHEMA,
    STORED_FORM,
    UNKNOWN_TYPE,
    UNREADABLE,
    UNREADABLE_ERRORS,
    Finding,
    Findings,
)
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.inspection import DOCUMENTS, Inspection, parsed
from crossbar.documents.layout import Stored
from crossbar.documents.shape import SEPARATOR
from crossbar.errors import FieldErrors
from crossbar.resources.billing.domain import ledger_sum
from crossbar.runtime import Runtime

SUMMED: Final = frozenset({ledger_sum.LEDGER, ledger_sum.MONTH, ledger_sum.BALANCE})
NOT_AS_SENT: Final = frozenset({"account"})
"""Types whose documents have more in public fields than their schema lets clients send."""


def schemas_of_types() -> dict[str, list[str]]:
    """By document type: the schemas that endpoints validate its documents against; each has to fit one."""
    found: dict[str, list[str]] = {}
    for endpoint in app.ENDPOINTS:
        for collection in endpoint.collections:
            if collection.life.schema is not None:
                found.setdefault(collection.shape.type, []).append(collection.life.schema)
    return found


@dataclass(slots=True)
class Seen:
    """What a pass over all documents noted for later checks."""

    partitions: dict[str, int] = field(default_factory=dict)
    """How many documents each has."""
    accounts: set[str] = field(default_factory=set)
    ledger_months: set[tuple[str, str]] = field(default_factory=set)
    """Account and month (`YYYYMM`) of ledgers."""
    looked_at: int = 0

    def note(self, stored: Stored, key: DocumentKey) -> None:
        """Take in a document."""
        self.looked_at += 1
        self.partitions[key.partition] = self.partitions.get(key.partition, 0) + 1
        if key.partition == "accounts" and key.type == "account" and not stored.get("deleted"):
            self.accounts.add(key.id)
        if key.type in SUMMED:
            self.ledger_months.update((key.partition, month) for month in _months(key, stored.get("doc") or {}))


def _months(key: DocumentKey, fields: dict[str, Any]) -> Iterator[str]:
    if key.type == ledger_sum.LEDGER and isinstance(fields.get("pvt_created"), int):
        yield clock.year_month(fields["pvt_created"])
    elif key.type == ledger_sum.MONTH and isinstance(fields.get("pvt_month"), str):
        yield fields["pvt_month"]
    elif key.type == ledger_sum.BALANCE and isinstance(fields.get("pvt_months"), dict):
        yield from fields["pvt_months"]


class DocumentCheck:
    """Looks at all documents once; `seen` is whole after that."""

    def __init__(self, runtime: Runtime, inspection: Inspection) -> None:
        self._runtime = runtime
        self._inspection = inspection
        self._schemas = schemas_of_types()
        self.seen = Seen()

    async def findings(self) -> Findings:
        """What is found, batch by batch."""
        for name in DOCUMENTS:
            async for batch in self._inspection.stored(name):
                for stored in batch:
                    if (key := parsed(str(stored["_id"]))) is not None:
                        self.seen.note(stored, key)
                suspects = await self._suspects(name, batch)
                again = await self._inspection.stored_by_key(name, suspects)
                unchanged = [one for one in again.values() if one.get("rev") == suspects[one["_id"]]]
                for finding in await self._judge(name, unchanged):
                    yield finding

    async def _suspects(self, name: str, batch: list[Stored]) -> dict[str, str | None]:
        """Keys and revisions of those in which something is wrong at the first look."""
        revisions = {one["_id"]: one.get("rev") for one in batch}
        return {finding.where: revisions[finding.where] for finding in await self._judge(name, batch)}

    async def _judge(self, name: str, batch: list[Stored]) -> list[Finding]:
        found: list[Finding] = []
        claims: dict[str, str] = {}
        for stored in batch:
            key = parsed(str(stored["_id"]))
            shapes = self._runtime.store.shapes
            if key is None or key.type not in shapes:
                found.append(Finding(UNKNOWN_TYPE, stored["_id"], f"no part of this release keeps it (in {name})"))
                continue
            if shapes[key.type].stored_in != name:
                detail = f"it belongs into {shapes[key.type].stored_in}, and lies in {name}"
                found.append(Finding(UNKNOWN_TYPE, stored["_id"], detail))
                continue
            try:
                found += self._one(name, key, stored)
                claims.update(
                    (claim, str(stored["_id"])) for claim in self._inspection.claimed(shapes[key.type], stored)
                )
            except UNREADABLE_ERRORS as error:
                detail = f"nothing can be made of it: {type(error).__name__} {error}"
                found.append(Finding(UNREADABLE, stored["_id"], detail))
        return found + await self._unheld(claims)

    def _one(self, name: str, key: DocumentKey, stored: Stored) -> Iterator[Finding]:
        wanted = self._inspection.as_it_should_be(stored)
        if stored != wanted:
            differing = sorted(part for part in {*stored, *wanted} if stored.get(part) != wanted.get(part))
            repair = partial(self._inspection.put_right, name, stored, wanted)
            yield Finding(STORED_FORM, stored["_id"], f"differs from its fields: {', '.join(differing)}", repair)
        if not stored.get("deleted"):
            yield from self._unfit(key, self._inspection.document(stored))

    def _unfit(self, key: DocumentKey, document: Document) -> Iterator[Finding]:
        if key.type in NOT_AS_SENT:
            return
        found: dict[str, FieldErrors] = {}
        for schema in self._schemas.get(key.type, ()):
            _, errors = self._runtime.schema_errors(schema, document.public)
            if not errors:
                return
            found[schema] = errors
        for schema, errors in list(found.items())[:1]:
            told = (f"{path or 'the whole'} ({', '.join(codes)})" for path, codes in sorted(errors.items()))
            yield Finding(SCHEMA, document.key, f"does not fit {schema}: {'; '.join(told)}")

    async def _unheld(self, claims: dict[str, str]) -> list[Finding]:
        """What documents claim across partitions, and do not hold."""
        held = await self._inspection.holders(claims)
        found: list[Finding] = []
        for claim, key in claims.items():
            holder, value = held.get(claim), claim.replace(SEPARATOR, " ")
            if holder is None:
                repair = partial(self._inspection.claim, key, claim)
                found.append(Finding(MISSING_CLAIM, key, f"nothing says that it holds {value}", repair))
            elif holder != key:
                found.append(Finding(HELD_TWICE, key, f"{value} is held by {holder}"))
        return found
