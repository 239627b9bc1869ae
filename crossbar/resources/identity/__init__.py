"""Accounts, the people and devices in them, and how they log in."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.identity import (
    attempts,
    authenticator_setup,  # noqa: F401 - adds its paths to multi_factor
    mails,
    providers,
    recovery,
    removals,
    single_sign_on,
)
from crossbar.resources.identity.about import about
from crossbar.resources.identity.access_lists import access_lists
from crossbar.resources.identity.accounts import accounts
from crossbar.resources.identity.acls import acls
from crossbar.resources.identity.api_auth import api_auth
from crossbar.resources.identity.auth import auth
from crossbar.resources.identity.channels import channels
from crossbar.resources.identity.contact_list import contact_list
from crossbar.resources.identity.devices import devices
from crossbar.resources.identity.groups import groups
from crossbar.resources.identity.hotdesks import hotdesks
from crossbar.resources.identity.ip_auth import ip_auth
from crossbar.resources.identity.limits import limits
from crossbar.resources.identity.multi_factor import multi_factor
from crossbar.resources.identity.parked_calls import PARKED_CALL_SHAPE, parked_calls
from crossbar.resources.identity.presence import MANUAL_PRESENCE_SHAPE, PRESENCE_REPORT_SHAPE, presence
from crossbar.resources.identity.quickcall import quickcall
from crossbar.resources.identity.rate_limits import rate_limits
from crossbar.resources.identity.registrations import registrations
from crossbar.resources.identity.schemas import schemas
from crossbar.resources.identity.security import security
from crossbar.resources.identity.skels import skels
from crossbar.resources.identity.token_auth import token_auth
from crossbar.resources.identity.token_restrictions import token_restrictions
from crossbar.resources.identity.user_auth import user_auth
from crossbar.resources.identity.users import users

RESOURCES: Final[tuple[Resource, ...]] = (
    about,
    access_lists,
    accounts,
    acls,
    api_auth,
    auth,
    channels,
    contact_list,
    devices,
    groups,
    hotdesks,
    ip_auth,
    limits,
    multi_factor,
    parked_calls,
    presence,
    quickcall,
    rate_limits,
    registrations,
    schemas,
    security,
    skels,
    token_auth,
    token_restrictions,
    user_auth,
    users,
)
SHAPES: Final[tuple[Shape, ...]] = (
    MANUAL_PRESENCE_SHAPE,
    PARKED_CALL_SHAPE,
    PRESENCE_REPORT_SHAPE,
    attempts.SHAPE,
    recovery.SHAPE,
    removals.SHAPE,
    *single_sign_on.SHAPES,
)
PARTS: Final[tuple[Part, ...]] = (mails.part, providers.part, removals.part, single_sign_on.part)
