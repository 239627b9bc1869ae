"""What happens to a call, and what is left of it: flows, voicemail, media, conferences, queues, faxes, records."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.calls.files import workshop
from crossbar.resources.calls.media import media

RESOURCES: Final[tuple[Resource, ...]] = (media,)
SHAPES: Final[tuple[Shape, ...]] = ()
PARTS: Final[tuple[Part, ...]] = (workshop,)
