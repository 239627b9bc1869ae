"""What an account has of paid things, and what it pays."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.billing.allotments import allotments
from crossbar.resources.billing.domain.service_audit import AUDIT_SHAPE
from crossbar.resources.billing.limits import limits
from crossbar.resources.billing.service_plans import service_plans
from crossbar.resources.billing.services import services
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    allotments,
    limits,
    service_plans,
    services,
)
SHAPES: Final[tuple[Shape, ...]] = (AUDIT_SHAPE,)
LIFESPANS: Final[tuple[Lifespan, ...]] = ()
