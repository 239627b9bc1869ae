# SPDX-License-Identifier: MPL-2.0
"""Port requests: numbers on their way in from other providers, and who is told of them."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.ports.domain import port_upkeep
from crossbar.resources.ports.port_requests import port_requests
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (port_requests,)
SHAPES: Final[tuple[Shape, ...]] = ()
LIFESPANS: Final[tuple[Lifespan, ...]] = (port_upkeep.port_upkeep,)
