# SPDX-License-Identifier: MPL-2.0
"""The installation: its configuration, its looks, its state, and what can be looked up in it."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.system import migrations as migrations_
from crossbar.resources.system.about import about
from crossbar.resources.system.acls import acls
from crossbar.resources.system.att_handlers_errors import att_handlers_errors
from crossbar.resources.system.configs import configs
from crossbar.resources.system.domain.given_up_files import GIVEN_UP_SHAPE
from crossbar.resources.system.domain.outside_files import SPOOLED_SHAPE, outside_files
from crossbar.resources.system.domain.storage_plan import HANDLER_SHAPE
from crossbar.resources.system.migrations import migrations
from crossbar.resources.system.schemas import schemas
from crossbar.resources.system.search import search
from crossbar.resources.system.skels import skels
from crossbar.resources.system.storage import storage
from crossbar.resources.system.sup import sup
from crossbar.resources.system.system_configs import system_configs
from crossbar.resources.system.system_status import system_status
from crossbar.resources.system.whitelabel import whitelabel
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    about,
    acls,
    att_handlers_errors,
    configs,
    migrations,
    schemas,
    search,
    skels,
    storage,
    sup,
    system_configs,
    system_status,
    whitelabel,
)
SHAPES: Final[tuple[Shape, ...]] = (migrations_.MIGRATIONS_SHAPE, GIVEN_UP_SHAPE, HANDLER_SHAPE, SPOOLED_SHAPE)
LIFESPANS: Final[tuple[Lifespan, ...]] = (outside_files,)
