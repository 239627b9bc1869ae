# SPDX-License-Identifier: MPL-2.0
"""Who a request comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crossbar.access.directory import ADMIN, Account, User
from crossbar.errors import JSON


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """An authenticated caller: an account and, unless it came by API key or address, one of its users.

    `method` is the log-in module (`cb_user_auth`, …), `claims` what the token says (for other credentials the same
    keys), `token` the JWT as presented, to be echoed (None where there is none). `original_account_id` and
    `original_owner_id` name the one who really acts, when the caller impersonates.
    """

    account: Account
    user: User | None
    method: str
    claims: Mapping[str, JSON] = field(repr=False)
    token: str | None = field(default=None, repr=False)
    original_account_id: str | None = None
    original_owner_id: str | None = None
    scope: JSON = None
    """What a named token may be used for, as token restrictions have it; None: for everything."""
    networks: tuple[str, ...] = ()
    """Where a named token may be used from; empty: from anywhere."""

    @classmethod
    def without_token(cls, account: Account, user: User | None, method: str) -> Identity:
        """Who presents a credential that is no token."""
        claims = {"account_id": account.id, "method": method} | ({"owner_id": user.id} if user else {})
        return cls(account, user, method, claims)

    @property
    def account_id(self) -> str:
        """The caller's account."""
        return self.account.id

    @property
    def owner_id(self) -> str | None:
        """The caller's user."""
        return None if self.user is None else self.user.id

    @property
    def priv_level(self) -> str | None:
        """`admin` or `user`; None for a caller without user."""
        return None if self.user is None else self.user.priv_level

    def trusted_with_log_ins(self) -> Identity:
        """The same caller where somebody else has decided what of other people's log-ins may be changed."""
        return self if self.user is None else replace(self, user=replace(self.user, priv_level=ADMIN))

    @property
    def superduper(self) -> bool:
        """Whether the caller's account may do anything anywhere."""
        return self.account.superduper_admin

    @property
    def is_account_admin(self) -> bool:
        """Whether the caller is a user of `priv_level` `admin`."""
        return self.user is not None and self.user.is_admin

    @property
    def is_plain_user(self) -> bool:
        """Whether the caller is a user, and none of `priv_level` `admin`."""
        return self.user is not None and not self.user.is_admin
