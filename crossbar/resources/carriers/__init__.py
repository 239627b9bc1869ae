"""Phone numbers, and what connects the installation to other telephone systems."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.carriers import number, ports
from crossbar.resources.carriers.connectivity import connectivity
from crossbar.resources.carriers.phone_numbers import phone_numbers

RESOURCES: Final[tuple[Resource, ...]] = (
    connectivity,
    phone_numbers,
)
SHAPES: Final[tuple[Shape, ...]] = (
    number.SHAPE,
    ports.SHAPE,
)
PARTS: Final[tuple[Part, ...]] = ()
