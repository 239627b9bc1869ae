# SPDX-License-Identifier: MPL-2.0
"""Authenticator apps: one-time passwords that change with the time (TOTP, RFC 6238), and recovery codes.

A user's secret is kept sealed, recovery codes as digests. A code counts once; after several wrong ones in a row the
user has to wait, so that six digits cannot be guessed.

Source: the provider `otp` of later KAZOO (`multi_factor/qrcode`, `multi_factor_response`).
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from typing import Any, Final

import pyotp

from crossbar import clock
from crossbar.access.directory import User
from crossbar.access.pepper import Pepper
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate, Store

TYPE: Final = "authenticator"
AUTHENTICATOR_SHAPE: Final = Shape(TYPE, summary=Summary("id"))
"""One document for each user who has an authenticator; its id is the user's."""

PERIOD_SECONDS: Final = 30
WINDOW: Final = (0, -1, 1)
"""Periods around the present one whose codes count, for clocks that are not quite right."""
RECOVERY_CODES: Final = 10
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for one another."""
MOST_FAILURES: Final = 5
WAIT_SECONDS: Final = 300


class AlreadyConfirmed(Exception):
    """The user has an authenticator that was used: its secret is not shown again."""


class Authenticators:
    """The authenticators of all users."""

    def __init__(self, store: Store, pepper: Pepper) -> None:
        self._store = store
        self._pepper = pepper

    async def provision(self, user: User, issuer: str) -> str:
        """The `otpauth://` URI that sets up an app for the user, the same until its first code was accepted.

        Raises AlreadyConfirmed afterwards.
        """
        document = await self._of(user)
        if document is None:
            fields = {
                "pvt_type": TYPE,
                "pvt_created": clock.now(),
                "pvt_secret": self._pepper.seal(pyotp.random_base32()),
            }
            with suppress(Duplicate):  # another request was faster; its secret counts
                await self._store.insert(Document(user.account_id, TYPE, user.id, fields))
            document = await self._of(user)
        if document is None or document.fields.get("pvt_confirmed"):
            raise AlreadyConfirmed
        secret = self._pepper.unseal(document.fields["pvt_secret"])
        return pyotp.TOTP(secret, interval=PERIOD_SECONDS).provisioning_uri(
            name=user.username or user.id, issuer_name=issuer
        )

    async def check(self, user: User, code: str) -> bool:
        """Whether a code of the app, or a recovery code, is right; either is used up by it."""
        accepted = False

        def judge(document: Document) -> None:
            nonlocal accepted
            document.fields.update(self._judged(document.fields, user, code))
            accepted = document.fields["pvt_failures"] == 0

        found = await self._store.update(user.account_id, TYPE, user.id, judge)
        return found is not None and accepted

    async def renew_recovery_codes(self, user: User) -> list[str]:
        """New recovery codes, shown this once; the old ones end."""
        codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]

        def replace(document: Document) -> None:
            document.fields["pvt_recovery"] = [self._digest(user, code) for code in codes]

        await self._store.update(user.account_id, TYPE, user.id, replace)
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    async def reset(self, account_id: str, user_id: str) -> None:
        """Forget a user's authenticator; the next log-in that wants one begins anew."""
        await self._store.remove(Document(account_id, TYPE, user_id, {}))

    async def _of(self, user: User) -> Document | None:
        return await self._store.get(user.account_id, TYPE, user.id)

    def _judged(self, fields: dict[str, Any], user: User, code: str) -> dict[str, Any]:
        """What changes in the document because of a code; `pvt_failures` is 0 where it was right."""
        now = int(clock.unix_now())
        if fields.get("pvt_blocked_until", 0) > now:
            return {"pvt_failures": max(1, fields.get("pvt_failures", 0))}
        step = self._step(fields, code, now)
        if step is not None:
            return {"pvt_step": step, "pvt_confirmed": True, "pvt_failures": 0}
        recovery: list[str] = fields.get("pvt_recovery", [])
        digest = self._digest(user, code)
        if digest in recovery:  # a keyed digest: how long it takes to compare tells nothing
            return {"pvt_recovery": [known for known in recovery if known != digest], "pvt_failures": 0}
        failures = fields.get("pvt_failures", 0) + 1
        if failures % MOST_FAILURES == 0:
            return {"pvt_failures": failures, "pvt_blocked_until": now + WAIT_SECONDS}
        return {"pvt_failures": failures}

    def _step(self, fields: dict[str, Any], code: str, now: int) -> int | None:
        """The period whose code this is, if it is near and later than that of the last code accepted."""
        totp = pyotp.TOTP(self._pepper.unseal(fields["pvt_secret"]), interval=PERIOD_SECONDS)
        for offset in WINDOW:
            step = now // PERIOD_SECONDS + offset
            expected = totp.at(now, counter_offset=offset)
            if hmac.compare_digest(expected.encode(), code.strip().encode()) and step > fields.get("pvt_step", -1):
                return step
        return None

    def _digest(self, user: User, code: str) -> str:
        plain = "".join(filter(str.isalnum, code.lower()))
        return self._pepper.digest(f"recovery:{user.id}:{plain}")
