"""What happens to a call, and what is left of it: flows, voicemail, media, conferences, queues, faxes, records."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.calls import voicemail
from crossbar.resources.calls.files import workshop
from crossbar.resources.calls.media import media
from crossbar.resources.calls.vmboxes import vmboxes

RESOURCES: Final[tuple[Resource, ...]] = (
    media,
    vmboxes,
)
SHAPES: Final[tuple[Shape, ...]] = (voicemail.SHAPE,)
PARTS: Final[tuple[Part, ...]] = (workshop,)
