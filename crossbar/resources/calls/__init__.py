"""What happens to a call, and what is left of it: flows, voicemail, media, conferences, queues, faxes, records."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource

RESOURCES: Final[tuple[Resource, ...]] = ()
SHAPES: Final[tuple[Shape, ...]] = ()
PARTS: Final[tuple[Part, ...]] = ()
