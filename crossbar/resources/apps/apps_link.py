# SPDX-License-Identifier: MPL-2.0
"""Apps link: who a token belongs to, for apps that run elsewhere.

Source: KAZOO `cb_apps_link`.
"""

from __future__ import annotations

from typing import Any

from crossbar import clock
from crossbar.access.directory import Account
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.resources.apps.domain.app_catalog import allowed_apps

apps_link = Endpoint("apps_link")


@apps_link.get("/apps_link/authorize", who=Who.AUTHENTICATED)
@apps_link.get("/accounts/{account_id}/apps_link/authorize")
async def authorize(context: Context) -> Reply:
    """The token's owner with the apps open to it, and the account in the path (else the token's)."""
    identity = context.identity
    user = identity.user
    own = await _about(context, identity.account)
    language = (user.language if user else None) or own["language"]
    token = {
        **own,
        "owner_id": identity.owner_id,
        "method": identity.method,
        "created": _issued(context),
        "language": language,
        "apps": await allowed_apps(context.runtime, identity.account, user, language),
    }
    account = context.target or identity.account
    return Reply(
        {
            "auth_token": {key: value for key, value in token.items() if value is not None},
            "account": await _about(context, account),
        }
    )


def _issued(context: Context) -> int | None:
    """When the token was issued (Gregorian), counted back from its end; None for what never ends."""
    expires = context.identity.claims.get("exp")
    return clock.gregorian(expires - context.config.security.token_auth_expiry_s) if isinstance(expires, int) else None


async def _about(context: Context, account: Account) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "account_name": account.name,
        "language": account.language or context.config.api.default_language,
        "is_reseller": account.is_reseller,
        "reseller_id": await context.directory.reseller_of(account),
        "is_master": account.id == await context.directory.master_id(),
    }
