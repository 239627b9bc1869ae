"""What happens to a call, and what is left of it: flows, voicemail, media, conferences, queues, faxes, records."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.calls.blacklists import blacklists
from crossbar.resources.calls.callflows import callflows
from crossbar.resources.calls.cccps import cccps
from crossbar.resources.calls.clicktocall import HISTORY_SHAPE, clicktocall
from crossbar.resources.calls.comments import comments
from crossbar.resources.calls.dialplans import dialplans
from crossbar.resources.calls.directories import directories
from crossbar.resources.calls.functions import functions
from crossbar.resources.calls.lists import ENTRY_SHAPE, lists
from crossbar.resources.calls.menus import menus
from crossbar.resources.calls.metaflows import metaflows
from crossbar.resources.calls.pivot import DEBUG_SHAPE, pivot
from crossbar.resources.calls.temporal_rules import temporal_rules
from crossbar.resources.calls.temporal_rules_sets import temporal_rules_sets

RESOURCES: Final[tuple[Resource, ...]] = (
    blacklists,
    callflows,
    cccps,
    clicktocall,
    comments,
    dialplans,
    directories,
    functions,
    lists,
    menus,
    metaflows,
    pivot,
    temporal_rules,
    temporal_rules_sets,
)
SHAPES: Final[tuple[Shape, ...]] = (DEBUG_SHAPE, ENTRY_SHAPE, HISTORY_SHAPE)
PARTS: Final[tuple[Part, ...]] = ()
