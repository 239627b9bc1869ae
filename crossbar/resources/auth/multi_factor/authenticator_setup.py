# SPDX-License-Identifier: MPL-2.0
"""Setting up an authenticator app as second factor, and resetting it.

Source: `cb_multi_factor.erl` of later KAZOO (`qrcode`), as user interfaces call it. Setting up needs user name and
password but no token, since without the second factor there is none; from the first accepted code on the secret is
not shown again, and recovery codes stand in for a lost device.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Final

import segno

from crossbar.access.authenticators import AlreadyConfirmed
from crossbar.access.directory import Account, User
from crossbar.access.login_types import MULTI_FACTOR, USER_AUTH, LoginAttempt
from crossbar.endpoint import ABSENT, Binary, Context, Reply, Who
from crossbar.errors import Forbidden, Invalid, InvalidCredentials, NotFound, Plain
from crossbar.resources.auth.multi_factor import multi_factor
from crossbar.resources.auth.user_auth import login_record, read_credentials
from crossbar.wire.negotiation import JSON_TYPES

PNG: Final = "image/png"
ISSUER: Final = "KAZOO"


@multi_factor.put("/multi_factor/qrcode", who=Who.ANONYMOUS, provides=(*JSON_TYPES, PNG), schema="user_auth")
async def set_up(context: Context) -> Reply | Binary:
    """Without a code: what an app needs, as `otpauth://` URI or QR code. With the app's code: confirmed."""
    credentials = read_credentials(context)
    account, user = await context.runtime.access.logins.identify(credentials, context, login_record(context))
    if credentials.second_factor:
        return await _confirm(context, account, user, str(credentials.second_factor))
    try:
        uri = await context.runtime.access.authenticators.provision(user, account.name or ISSUER)
    except AlreadyConfirmed:
        raise Plain(403, "qr code already verified.") from None
    if context.media == PNG:
        image = io.BytesIO()
        segno.make(uri).save(image, kind="png", scale=6)
        return Binary(image.getvalue(), PNG, filename=f"qr-{user.id}.png", status=201)
    return Reply([{"qr_url": uri}])


async def _confirm(context: Context, account: Account, user: User, code: str) -> Reply:
    access = context.runtime.access
    attempt = LoginAttempt(account.id, user.id, USER_AUTH, MULTI_FACTOR, "success", "authenticator was confirmed")
    if not await access.authenticators.check(user, code):
        await login_record(context)(replace(attempt, status="failed", message="unauthorized"))
        access.costs.drain(context)
        raise InvalidCredentials
    await login_record(context)(attempt)
    codes = await access.authenticators.renew_recovery_codes(user)
    login = await access.logins.grant(account, user, USER_AUTH, {"mfa_resp": code})
    return Reply([{"recovery_codes": codes}], auth_token=login.token)


@multi_factor.put(
    "/multi_factor/reset_qrcode",
    who=Who.AUTHENTICATED,
    options={
        "user_id": "Whose authenticator",
        "owner_id": "The same by another name",
        "account_id": "The user's account; the caller's without",
    },
)
async def reset(context: Context) -> Reply:
    """Forget a user's authenticator, so that a new one can be set up: for administrators of the account or above."""
    user_id = context.object.get("user_id") or context.object.get("owner_id")
    account_id = context.object.get("account_id") or context.identity.account_id
    if not isinstance(user_id, str):
        raise Invalid.field("user_id", "required", "Field is required but missing", value="user_id")
    account = await context.directory.account(str(account_id))
    identity = context.identity
    if account is None or not identity.is_account_admin:
        raise Forbidden
    if not identity.superduper and not account.within(identity.account_id):
        raise Forbidden
    if await context.directory.user(account.id, user_id) is None:
        raise NotFound(user_id)
    await context.runtime.access.authenticators.reset(account.id, user_id)
    return Reply(ABSENT)
