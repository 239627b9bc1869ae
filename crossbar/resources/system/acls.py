# SPDX-License-Identifier: MPL-2.0
"""ACLs: which networks the switches trust. They are a system setting, shown here.

Source: KAZOO `cb_acls`.
"""

from __future__ import annotations

from crossbar.endpoint import ABSENT, Context, Endpoint, Reply, Who

acls = Endpoint("acls", who=Who.SUPERDUPER)


@acls.get("/acls", "/accounts/{account_id}/acls")
async def read(context: Context) -> Reply:
    """Each network by name: `{cidr, type, network-list-name}`; no data while none is set."""
    networks = context.runtime.settings.get("ecallmgr", "acls")
    return Reply(ABSENT if networks is None else networks)
