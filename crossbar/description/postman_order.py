# SPDX-License-Identifier: MPL-2.0
"""In which order requests are sent, so that each finds what it needs: by the tree of paths, a document's end last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from crossbar.description.operations import ApiOperation

FIRST: Final = ("PUT", "POST", "GET", "PATCH")
LAST: Final = "DELETE"
COURSE: Final = ("submitted", "pending", "scheduled", "rejected", "completed", "canceled")
"""States that follow each other, and are steps of paths."""


@dataclass(slots=True)
class Place:
    """A place in the tree of paths: what is asked for there, and what lies below."""

    verbs: dict[str, ApiOperation] = field(default_factory=dict)
    below: dict[str, Place] = field(default_factory=dict)


def ordered(listed: Iterable[ApiOperation]) -> Iterator[ApiOperation]:
    """The operations of one endpoint: each makes, reads and changes before what lies below it, and deletes after."""
    root = Place()
    for operation in listed:
        place = root
        for step in operation.path.strip("/").split("/"):
            place = place.below.setdefault(step, Place())
        place.verbs[operation.verb] = operation
    return _walk(root)


def _walk(place: Place) -> Iterator[ApiOperation]:
    yield from (place.verbs[verb] for verb in FIRST if verb in place.verbs)
    for step in sorted(place.below, key=_rank):
        yield from _walk(place.below[step])
    if LAST in place.verbs:
        yield place.verbs[LAST]


def _rank(step: str) -> tuple[bool, int]:
    """What stands for many things comes after fixed words, and these in their course."""
    return step.startswith("{"), COURSE.index(step) + 1 if step in COURSE else 0
