"""Accounts, the people and devices in them, and how they log in."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.identity import removals
from crossbar.resources.identity.about import about
from crossbar.resources.identity.accounts import accounts
from crossbar.resources.identity.devices import devices
from crossbar.resources.identity.schemas import schemas
from crossbar.resources.identity.token_restrictions import token_restrictions
from crossbar.resources.identity.users import users

RESOURCES: Final[tuple[Resource, ...]] = (
    about,
    accounts,
    devices,
    schemas,
    token_restrictions,
    users,
)
SHAPES: Final[tuple[Shape, ...]] = (removals.SHAPE,)
PARTS: Final[tuple[Part, ...]] = ()
