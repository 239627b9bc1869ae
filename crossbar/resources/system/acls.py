"""ACLs: which networks the switches trust. They are a system setting, shown here.

Source: KAZOO `cb_acls`.
"""

from __future__ import annotations

from crossbar.endpoint import ABSENT, ACCOUNT, BARE, Context, Reply, Resource, Who

acls = Resource("acls", scopes=(BARE, ACCOUNT), who=Who.SUPERDUPER)


@acls.get()
async def read(context: Context) -> Reply:
    """Each network by name: `{cidr, type, network-list-name}`; no data while none is set."""
    networks = context.runtime.settings.get("ecallmgr", "acls")
    return Reply(ABSENT if networks is None else networks)
