# SPDX-License-Identifier: MPL-2.0
"""Resource selectors: which calls take which carrier.

Source: KAZOO `cb_resource_selectors.erl`, the views `resource_selectors/*`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import orjson

from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON

TYPE: Final = "resource_selector"
RULES: Final = "resource_selector_rules"
"""Type and id of the document that says how selectors are combined."""
NAMED: Final = "name/"
CHOOSING: Final = "resource/"


def both(resource: str, name: str) -> str:
    """Tag of the selectors of a name that choose a resource."""
    return f"both/{orjson.dumps([resource, name]).decode()}"


def exactly(resource: str, name: str, selector: str) -> str:
    """Tag of the selectors of a name that choose a resource by a certain rule."""
    return f"all/{orjson.dumps([resource, name, selector]).decode()}"


def _tags(document: Document) -> Iterator[str]:
    resource, name, selector = map(document.text, ("resource", "name", "selector"))
    yield NAMED + name
    yield CHOOSING + resource
    yield both(resource, name)
    yield exactly(resource, name, selector)


SELECTOR_SHAPE: Final = Shape(
    TYPE,
    summary=Summary("id", "name", "resource", "selector", "value", "start_time", "stop_time"),
    tags=_tags,
)
RULES_SHAPE: Final = Shape(RULES, summary=Summary("id"))


def id_of(fields: dict[str, JSON]) -> str:
    """The id of a selector that comes from a sheet: the same for what says the same, so that none comes twice."""
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
