"""Phone numbers, and what connects the installation to other telephone systems."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.numbers.connectivity import connectivity
from crossbar.resources.numbers.domain import number, port_numbers
from crossbar.resources.numbers.phone_numbers import phone_numbers
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    connectivity,
    phone_numbers,
)
SHAPES: Final[tuple[Shape, ...]] = (
    number.NUMBER_SHAPE,
    port_numbers.SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = ()
