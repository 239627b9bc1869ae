# SPDX-License-Identifier: MPL-2.0
"""Phone numbers, and what connects the installation to other telephone systems."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.numbers.connectivity import connectivity
from crossbar.resources.numbers.domain import carrier_orders, found_number, number, number_actions, port_request
from crossbar.resources.numbers.external_numbers import external_numbers
from crossbar.resources.numbers.phone_numbers import phone_numbers
from crossbar.resources.tasks.domain.task_catalog import CATALOG
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    connectivity,
    external_numbers,
    phone_numbers,
)
SHAPES: Final[tuple[Shape, ...]] = (
    carrier_orders.ORDER_SHAPE,
    found_number.FOUND_SHAPE,
    number.NUMBER_SHAPE,
    port_request.PORT_REQUEST_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (carrier_orders.giving_back,)
CATALOG.offer(*number_actions.ACTIONS)
