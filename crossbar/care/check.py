# SPDX-License-Identifier: MPL-2.0
"""Checking a whole installation, beside its server if that runs, and mending what can be mended without loss."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from crossbar import app
from crossbar.care import check_numbers, check_storage
from crossbar.care.check_documents import DocumentCheck
from crossbar.care.findings import UNREADABLE, Finding, Findings
from crossbar.config import Config
from crossbar.documents.inspection import Inspection
from crossbar.errors import JSON
from crossbar.runtime import Runtime

CHECKING: Final = "Checking"


@dataclass(slots=True)
class CheckOutcome:
    """What a check found, and at how many documents it looked."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: int = 0

    @property
    def left(self) -> int:
        """How much is not mended."""
        return sum(not finding.mended for finding in self.findings)

    @property
    def shown(self) -> dict[str, JSON]:
        """As JSON."""
        findings: list[JSON] = [finding.shown for finding in self.findings]
        return {"looked_at": self.looked_at, "found": len(findings), "left": self.left, "findings": findings}


async def check(
    config: Config,
    *,
    database_uri: str,
    repair: bool = False,
    remove_orphans: bool = False,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> CheckOutcome:
    """Look at everything; with `repair` mend what loses nothing, with `remove_orphans` also take away what lost its
    document or account. Raises SystemFault (503) where the database goes away."""
    async with app.open_runtime(config, database_uri, indexes=False) as runtime:
        return await check_runtime(runtime, repair=repair, remove_orphans=remove_orphans, told=told)


async def check_runtime(
    runtime: Runtime,
    *,
    repair: bool = False,
    remove_orphans: bool = False,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> CheckOutcome:
    """As `check`."""
    outcome = CheckOutcome()
    inspection = Inspection(runtime.store)
    documents = DocumentCheck(runtime, inspection)
    total = await inspection.count()
    async for findings in _checks(runtime, inspection, documents, repair=repair):
        try:
            async for finding in findings:
                if finding.repair is not None and (remove_orphans if finding.destroys else repair):
                    finding.mended = await finding.repair()
                outcome.findings.append(finding)
                told(CHECKING, documents.seen.looked_at, total)
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:  # by a document that nothing can be made of
            detail = f"a check could not go on: {type(error).__name__} {error}"
            outcome.findings.append(Finding(UNREADABLE, "what is told above", detail))
        told(CHECKING, documents.seen.looked_at, total)
    outcome.looked_at = documents.seen.looked_at
    told(CHECKING, total, total)
    return outcome


async def _checks(
    runtime: Runtime, inspection: Inspection, documents: DocumentCheck, *, repair: bool
) -> AsyncIterator[Findings]:
    """All checks in their order: what later ones go by is mended first."""
    shapes = runtime.store.shapes
    yield documents.findings()
    yield check_storage.check_indexes(inspection)
    yield check_storage.check_claims(inspection, shapes)
    yield check_storage.check_files(inspection, shapes)
    yield check_storage.check_pieces(inspection)
    yield check_numbers.check_trees(runtime)
    yield check_numbers.check_port_trees(runtime)
    yield check_numbers.check_counts(runtime)
    yield check_numbers.check_gone_accounts(runtime, documents.seen)
    yield check_numbers.check_ledgers(runtime, documents.seen, repair=repair)
    yield check_numbers.check_records(runtime, inspection)
