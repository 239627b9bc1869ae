# SPDX-License-Identifier: MPL-2.0
"""How calls get out and what they cost: carriers, which calls take which, rates, dedicated addresses."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.carriers.domain import (
    dedicated_ip,
    rate_actions,
    ratedeck,
    resource_job,
    selector_actions,
)
from crossbar.resources.carriers.ips import ips
from crossbar.resources.carriers.rates import rates
from crossbar.resources.carriers.resource_selectors import resource_selectors
from crossbar.resources.carriers.resource_templates import resource_templates
from crossbar.resources.carriers.resources import (
    resource_collection,  # noqa: F401 - adds its paths to resources
    resource_jobs,  # noqa: F401 - adds its paths to resources
    resources,
)
from crossbar.resources.tasks.domain.task_catalog import CATALOG
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    ips,
    rates,
    resource_selectors,
    resource_templates,
    resources,
)
SHAPES: Final[tuple[Shape, ...]] = (
    dedicated_ip.DEDICATED_IP_SHAPE,
    ratedeck.DECK_SHAPE,
    ratedeck.PREFIX_SHAPE,
    resource_job.QUEUE_SHAPE,
    resource_job.RESOURCE_JOB_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (resource_job.importing_numbers,)
CATALOG.offer(*rate_actions.ACTIONS, *selector_actions.ACTIONS)
