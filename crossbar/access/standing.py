"""May the account be used at all? Disabled and expired ones may not.

Source: `kzd_accounts.erl` (`is_expired`), `cb_token_auth.erl`, `crossbar_auth.erl`. KAZOO means to answer 423; see
`docs/compatibility.md` for why its 400 is not followed.
"""

from __future__ import annotations

from crossbar.access.directory import Account
from crossbar.errors import Invalid


def refuse_expired(account: Account) -> None:
    """Raise 423 `locked` if the account's trial is over."""
    if account.expired:
        raise _locked().add("account", "expired", "account expired", cause=account.trial_expires)


def refuse_disabled(account: Account) -> None:
    """Raise 423 `locked` if the account is disabled."""
    if not account.enabled:
        raise _locked().add("account", "disabled", "account disabled")


def _locked() -> Invalid:
    return Invalid(status=423, message="locked")
