"""What belongs to the installation: its configuration, its apps, its looks, its notices."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource

RESOURCES: Final[tuple[Resource, ...]] = ()
SHAPES: Final[tuple[Shape, ...]] = ()
PARTS: Final[tuple[Part, ...]] = ()
