# SPDX-License-Identifier: MPL-2.0
"""What lies beside the documents: indexes, claims and attachments."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from crossbar import clock
from crossbar.care.findings import (
    EMPTY_CLAIM,
    FOREIGN_INDEX,
    HELD_TWICE,
    MISSING_FILE,
    MISSING_INDEX,
    MISSING_PIECES,
    OLD_FILE,
    OWNERLESS_FILE,
    UNREADABLE_ERRORS,
    Finding,
    Findings,
)
from crossbar.documents.inspection import DOCUMENTS, Inspection, StoredFile, parsed
from crossbar.documents.shape import SEPARATOR, Shapes

UNDER_WAY: Final = timedelta(hours=1)
"""What is younger may belong to a file that is just being stored or replaced."""
LONGEST_UPLOAD: Final = timedelta(days=1)


def _before(age: timedelta) -> datetime:
    return datetime.fromtimestamp(clock.unix_now(), UTC) - age


async def check_indexes(inspection: Inspection) -> Findings:
    """Indexes that are missing or other ones, those that are nobody's, and what a missing unique one let in."""
    missing, foreign = await inspection.indexes()
    if ("documents", "a_uniq") in missing:
        for partition, claim, keys in await inspection.twice():
            value = claim.replace(SEPARATOR, " ")
            yield Finding(HELD_TWICE, keys[1], f"{value} is also held by {keys[0]} (partition {partition})")
    for name, index in missing:
        yield Finding(
            MISSING_INDEX, f"{name}.{index}", "not there as it should be", partial(inspection.make_index, name, index)
        )
    for name, index in foreign:
        yield Finding(FOREIGN_INDEX, f"{name}.{index}", "no part of this release uses it")


async def check_claims(inspection: Inspection, shapes: Shapes) -> Findings:
    """Claims whose holder is not there, is deleted, or does not claim them."""
    async for claims in inspection.claims():
        empty = await _empty(inspection, shapes, claims)
        still = await inspection.holders(empty) if empty else {}
        for claim, holder in still.items():
            if empty[claim] == holder:
                detail = f"{holder} does not claim it, or is not there"
                repair = partial(inspection.let_go, claim, holder)
                yield Finding(EMPTY_CLAIM, claim.replace(SEPARATOR, " "), detail, repair)


async def _empty(inspection: Inspection, shapes: Shapes, claims: dict[str, str]) -> dict[str, str]:
    by_collection: dict[str, set[str]] = defaultdict(set)
    for holder in claims.values():
        key = parsed(holder)
        if key is not None and key.type in shapes:
            by_collection[shapes[key.type].stored_in].add(holder)
    claimed: dict[str, set[str]] = {}
    unreadable: set[str] = set()
    for name, keys in by_collection.items():
        for holder, stored in (await inspection.stored_by_key(name, keys)).items():
            key = parsed(holder)
            try:
                claimed[holder] = inspection.claimed(shapes[key.type], stored) if key is not None else set()
            except UNREADABLE_ERRORS:
                unreadable.add(holder)
    return {
        claim: holder
        for claim, holder in claims.items()
        if holder not in unreadable and claim not in claimed.get(holder, ())
    }


async def check_files(inspection: Inspection, shapes: Shapes) -> Findings:
    """Files that lack pieces, whose document is gone, or that another of the same name has replaced."""
    names: dict[tuple[str, str], StoredFile] = {}
    async for files in inspection.files():
        settled = [one for one in files if one.stored < _before(UNDER_WAY)]
        pieces = await inspection.pieces([one for one in settled if not one.outside])
        there = await _owners(inspection, shapes, settled)
        for file in settled:
            if not file.outside and pieces.get(file.file_id, 0) != file.pieces:
                detail = f"{file.name}: {pieces.get(file.file_id, 0)} of {file.pieces} pieces are there"
                yield Finding(MISSING_PIECES, file.owner, detail)
            removal = None if file.outside else partial(inspection.remove_file, file)
            if file.owner not in there:
                detail = f"{file.name}: its document is not there" + _beside(file)
                yield Finding(OWNERLESS_FILE, file.owner, detail, removal, destroys=True)
                continue
            known = names.setdefault((file.owner, file.name), file)
            if known is not file:
                older, names[file.owner, file.name] = sorted((known, file), key=lambda one: (one.stored, one.file_id))
                repair = None if older.outside else partial(inspection.remove_file, older)
                yield Finding(OLD_FILE, file.owner, f"{file.name}: a newer one has its place" + _beside(older), repair)


def _beside(file: StoredFile) -> str:
    return "; another store has it" if file.outside else ""


async def _owners(inspection: Inspection, shapes: Shapes, files: list[StoredFile]) -> set[str]:
    """The keys of documents, deleted ones too, that have files."""
    wanted = {one.owner for one in files}
    found: set[str] = set()
    for name in DOCUMENTS:
        found |= (await inspection.stored_by_key(name, wanted)).keys()
    return found


async def check_pieces(inspection: Inspection) -> Findings:
    """Pieces of files that never became whole."""
    for file_id in await inspection.pieces_without_file(_before(LONGEST_UPLOAD)):
        detail = "the file was never stored whole, or is gone"
        yield Finding(MISSING_FILE, f"attachments {file_id}", detail, partial(inspection.remove_pieces, file_id))
