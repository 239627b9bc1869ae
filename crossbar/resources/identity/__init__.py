# SPDX-License-Identifier: MPL-2.0
"""Accounts, and the people and devices in them."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.identity.access_lists import access_lists
from crossbar.resources.identity.accounts import account_actions, account_listings, accounts  # noqa: F401 - add their paths
from crossbar.resources.identity.comments import comments
from crossbar.resources.identity.contact_list import contact_list
from crossbar.resources.identity.devices import devices
from crossbar.resources.identity.domain import account_counts, account_removal
from crossbar.resources.identity.groups import groups
from crossbar.resources.identity.hotdesks import hotdesks
from crossbar.resources.identity.presence import MANUAL_PRESENCE_SHAPE, PRESENCE_REPORT_SHAPE, presence
from crossbar.resources.identity.rate_limits import rate_limits
from crossbar.resources.identity.registrations import registrations
from crossbar.resources.identity.users import users
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    access_lists,
    accounts,
    comments,
    contact_list,
    devices,
    groups,
    hotdesks,
    presence,
    rate_limits,
    registrations,
    users,
)
SHAPES: Final[tuple[Shape, ...]] = (
    account_removal.ACCOUNT_REMOVAL_SHAPE,
    MANUAL_PRESENCE_SHAPE,
    PRESENCE_REPORT_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (
    account_removal.clearing_accounts,
    account_counts.counting_accounts,
)
