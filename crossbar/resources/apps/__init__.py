# SPDX-License-Identifier: MPL-2.0
"""Apps of user interfaces: what the installation offers, and who may open it."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.apps.apps_link import apps_link
from crossbar.resources.apps.apps_store import apps_store
from crossbar.resources.apps.domain.app_catalog import APP_SHAPE
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    apps_link,
    apps_store,
)
SHAPES: Final[tuple[Shape, ...]] = (APP_SHAPE,)
LIFESPANS: Final[tuple[Lifespan, ...]] = ()
