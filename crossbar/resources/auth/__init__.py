# SPDX-License-Identifier: MPL-2.0
"""Logging in: by password, key, address, second factor or another provider; and what tokens may do."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.auth.api_auth import api_auth
from crossbar.resources.auth.audit import audit
from crossbar.resources.auth.auth import auth, login_apps, login_links, login_providers, single_sign_on  # noqa: F401 - add their paths
from crossbar.resources.auth.domain import login_attempt, login_provider
from crossbar.resources.auth.domain.login_link import LINK_SHAPE
from crossbar.resources.auth.ip_auth import ip_auth
from crossbar.resources.auth.multi_factor import authenticator_setup, multi_factor  # noqa: F401 - adds its paths
from crossbar.resources.auth.security import security
from crossbar.resources.auth.token_auth import token_auth
from crossbar.resources.auth.token_restrictions import token_restrictions
from crossbar.resources.auth.tokens import tokens
from crossbar.resources.auth.user_auth import recovery, user_auth
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    api_auth,
    audit,
    auth,
    ip_auth,
    multi_factor,
    security,
    token_auth,
    token_restrictions,
    tokens,
    user_auth,
)
SHAPES: Final[tuple[Shape, ...]] = (
    LINK_SHAPE,
    login_attempt.LOGIN_ATTEMPT_SHAPE,
    recovery.PASSWORD_RESET_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (
    login_provider.stock_providers,
    single_sign_on.provider_session,
)
