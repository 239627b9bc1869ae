# SPDX-License-Identifier: MPL-2.0
"""The providers that every installation knows: of log-ins by others, and of second factors.

Source: `core/kazoo_auth/priv/couchdb/providers/*.json`; the addresses are those the providers name today.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aiohttp import web

from crossbar import clock
from crossbar.access.login_types import MULTI_FACTOR
from crossbar.access.second_factor import PROVIDER
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate
from crossbar.runtime import Runtime

APP: Final = "auth_app"
"""Type of our applications at providers."""
OAUTH: Final = "oauth"


def type_tag(provider_type: str) -> str:
    """The tag under which the providers of one type are listed."""
    return f"provider_type/{provider_type}"


def of_provider(provider_id: str) -> str:
    """Tag of the applications at a provider."""
    return f"provider/{provider_id}"


def tags(provider: Document) -> list[str]:
    """Listing by kind of provider."""
    return [type_tag(provider.text("pvt_provider_type"))]


PROVIDER_SHAPE: Final = Shape(
    PROVIDER,
    summary=Summary("id", "enabled", "name", "provider_name", provider_type="pvt_provider_type"),
    sort="pvt_provider_type",
    tags=tags,
    sealed=("settings.secret_key", "settings.application_secret_key", "settings.client_secret", "client_secret"),
)

STOCK: Final[Mapping[str, dict[str, Any]]] = {
    "google": {
        "pvt_provider_type": OAUTH,
        "auth_module": "oauth",
        "auth_url": "https://oauth2.googleapis.com/token",
        "discovery": "https://accounts.google.com/.well-known/openid-configuration",
        "issuer_domains": ["accounts.google.com", "https://accounts.google.com"],
        "profile_url": "https://openidconnect.googleapis.com/v1/userinfo",
        "profile_identity_field": "sub",
        "profile_displayName_field": "name",
    },
    "office365": {
        "pvt_provider_type": OAUTH,
        "auth_module": "oauth",
        "auth_url": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "discovery": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
        "issuer_domains": ["https://login.microsoftonline.com"],
        "profile_url": "https://graph.microsoft.com/v1.0/me",
        "profile_identity_field": "id",
        "profile_displayName_field": "displayName",
    },
    "salesforce": {
        "pvt_provider_type": OAUTH,
        "auth_module": "oauth",
        "auth_url": "https://login.salesforce.com/services/oauth2/token",
        "discovery": "https://login.salesforce.com/.well-known/openid-configuration",
        "issuer_domains": ["https://login.salesforce.com"],
        "profile_url": "https://login.salesforce.com/services/oauth2/userinfo",
        "profile_identity_fields": ["organization_id", "user_id"],
        "profile_displayName_field": "name",
    },
    "duo": {
        "pvt_provider_type": MULTI_FACTOR,
        "enabled": False,
        "name": "System Default Provider",
        "provider_name": "duo",
        "settings": {},
    },
    "otp": {
        "pvt_provider_type": MULTI_FACTOR,
        "enabled": True,
        "name": "Authenticator App",
        "provider_name": "otp",
        "settings": {},
    },
}


@asynccontextmanager
async def stock_providers(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Put in what is missing; what somebody changed or deleted stays as it is."""
    for provider_id, fields in STOCK.items():
        stamped = {**fields, "pvt_type": PROVIDER, "pvt_created": clock.now(), "pvt_modified": clock.now()}
        with suppress(Duplicate):
            await runtime.store.insert(Document(SYSTEM_AUTH, PROVIDER, provider_id, stamped))
    yield
