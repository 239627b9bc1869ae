# SPDX-License-Identifier: MPL-2.0
"""Numbers in one document that follow from others are right after whatever was done, also after half of it.

What the lists show is the truth; the numbers are compared with it after each step. A step may be broken off at any
point, as by a server that dies.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from crossbar.documents.document import ACCOUNTS, Document
from crossbar.errors import CrossbarError
from crossbar.ids import new_id
from crossbar.resources.identity.domain import account_counts, account_tree
from tests.harness import Answer, Api, RunningServer, Tenant, new_tenant

STEPS: Final = settings(max_examples=max(3, settings.default.max_examples // 6), stateful_step_count=10, deadline=None)
PICK: Final = st.integers(0, 99)
QUIETLY: Final = {"send_email_on_creation": "false"}


class Machine(RuleBasedStateMachine):
    """Runs in a thread beside the loop of the server, which does what it is told."""

    server: RunningServer
    tenant: Tenant
    loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def ask(self, verb: str, path: str, data: Any = None, **options: Any) -> Answer:
        root = self.server.master.root
        sent = root.get(path, **options) if verb == "GET" else root.request(verb, path, data or {}, **options)
        answer: Answer = self.do(sent)
        assert answer.status < 500 or answer.envelope["message"] == "account_has_descendants", answer.envelope
        return answer

    def break_off(self, work: Coroutine[Any, Any, Any], after: int) -> None:
        """Begin some work, and end it after some turns of the loop."""

        async def some_of_it() -> None:
            task = asyncio.ensure_future(work)
            for _ in range(after):
                await asyncio.sleep(0.0005)
            task.cancel()
            with suppress(asyncio.CancelledError, CrossbarError):
                await task

        self.do(some_of_it())


class Tree(Machine):
    """Accounts that come, go, move and are promoted, at any depth."""

    def __init__(self) -> None:
        super().__init__()
        self.top = self.new_account(self.tenant.id)

    def new_account(self, parent: str) -> str:
        name = new_id()
        made = self.ask("PUT", f"/accounts/{parent}", {"name": name, "realm": f"{name}.test"}, query=QUIETLY)
        assert made.status == 201, made.envelope
        return made.id

    def below(self, account_id: str) -> dict[str, list[str]]:
        """Account → tree, for all below one."""
        listed = self.ask("GET", f"/accounts/{account_id}/descendants", query={"paginate": "false"})
        return {row["id"]: row["tree"] for row in listed.data}

    def pick(self, number: int) -> str:
        known = [self.top, *sorted(self.below(self.top))]
        return known[number % len(known)]

    @rule(parent=PICK)
    def create(self, parent: int) -> None:
        self.new_account(self.pick(parent))

    @rule(account=PICK, to=PICK)
    def move(self, account: int, to: int) -> None:
        self.ask("POST", f"/accounts/{self.pick(account)}/move", {"to": self.pick(to)})

    @rule(account=PICK)
    def delete(self, account: int) -> None:
        if (account_id := self.pick(account)) != self.top:
            self.ask("DELETE", f"/accounts/{account_id}")

    @rule(account=PICK, verb=st.sampled_from(["PUT", "DELETE"]))
    def promote_or_demote(self, account: int, verb: str) -> None:
        self.ask(verb, f"/accounts/{self.pick(account)}/reseller")

    @rule(account=PICK, count=st.integers(-5, 5))
    def lie(self, account: int, count: int) -> None:
        self.ask("PATCH", f"/accounts/{self.pick(account)}", {"descendants_count": count})

    @rule(account=PICK, to=PICK, after=st.integers(0, 12))
    def break_a_move_off(self, account: int, to: int, after: int) -> None:
        self.break_off(account_tree.move(self.server.runtime.store, self.pick(account), self.pick(to)), after)

    @rule(parent=PICK, after=st.integers(0, 12))
    def break_a_creation_off(self, parent: int, after: int) -> None:
        fields = {"name": new_id(), "realm": f"{new_id()}.test", "pvt_shares_name": True, "pvt_created": 0}
        account = Document(ACCOUNTS, "account", new_id(), fields)
        self.break_off(account_tree.insert_below(self.server.runtime, account, self.pick(parent)), after)

    @rule(account=PICK, after=st.integers(0, 12))
    def break_a_deletion_off(self, account: int, after: int) -> None:
        if (account_id := self.pick(account)) != self.top:
            self.break_off(account_tree.remove(self.server.runtime, account_id), after)

    @invariant()
    def every_account_counts_all_below_it(self) -> None:
        trees = self.below(self.top)
        counted = Counter(ancestor for tree in trees.values() for ancestor in tree)
        for above in (self.tenant.id, self.server.master.id):
            counted[above] = len(self.below(above))
        for account_id in (*trees, self.top, self.tenant.id, self.server.master.id):
            account = self.ask("GET", f"/accounts/{account_id}")
            assert account.data["descendants_count"] == counted[account_id]
        rows = self.ask("GET", f"/accounts/{self.top}/children").data
        assert {row["id"]: row["descendants_count"] for row in rows} == {
            child: counted[child] for child, tree in trees.items() if tree[-1] == self.top
        }
        summary = self.ask("GET", f"/accounts/{self.top}/services/summary").data["quantities"]
        assert summary["account"].get("accounts", {}).get("account", 0) == counted[self.top]


class AccountMachine(Machine):
    """What is done in one account, which is the machine's own."""

    def __init__(self) -> None:
        super().__init__()
        self.account: Tenant = self.do(new_tenant(self.server, self.server.master, f"machine{new_id()[:12]}"))
        self.path = f"/accounts/{self.account.id}"


class Things(AccountMachine):
    """Users, devices, boxes and messages of one account."""

    def rows(self, kind: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("GET", f"{self.path}/{kind}", query={"paginate": "false"}).data
        return sorted(rows, key=lambda row: str(row.get("id") or row.get("media_id")))

    def pick(self, kind: str, number: int) -> str | None:
        found = [str(row["id"]) for row in self.rows(kind)]
        return found[number % len(found)] if found else None

    @rule(kind=st.sampled_from(["users", "devices", "vmboxes", "faxboxes", "conferences"]), number=PICK)
    def create(self, kind: str, number: int) -> None:
        name = f"{kind}{number}"
        data: dict[str, Any] = {"name": name, "first_name": "A", "last_name": "B", "mailbox": str(number)}
        wanted = {"users": ("first_name", "last_name"), "vmboxes": ("name", "mailbox")}.get(kind, ("name",))
        fields = {key: data[key] for key in wanted}
        if kind == "devices":
            fields |= {"owner_id": self.pick("users", number), "enabled": number % 3 != 0}
            fields |= {"device_type": "softphone" if number % 2 else "sip_device"}
        self.ask("PUT", f"{self.path}/{kind}", fields, query=QUIETLY)

    @rule(kind=st.sampled_from(["users", "devices", "vmboxes", "faxboxes", "conferences"]), number=PICK)
    def delete(self, kind: str, number: int) -> None:
        found = self.pick(kind, number)
        if found is not None and found != self.account.admin_id:
            self.ask("DELETE", f"{self.path}/{kind}/{found}")

    @rule(number=PICK, enabled=st.booleans())
    def switch_a_device(self, number: int, enabled: bool) -> None:
        if device := self.pick("devices", number):
            self.ask("PATCH", f"{self.path}/devices/{device}", {"enabled": enabled})

    @rule(number=PICK, folder=st.sampled_from(["new", "saved", "deleted"]))
    def leave_a_message(self, number: int, folder: str) -> None:
        if box := self.pick("vmboxes", number):
            self.ask("PUT", f"{self.path}/vmboxes/{box}/messages", {"folder": folder})

    @rule(number=PICK, which=PICK, folder=st.sampled_from(["new", "saved", "deleted"]), many=st.booleans())
    def file_messages(self, number: int, which: int, folder: str, many: bool) -> None:
        if box := self.pick("vmboxes", number):
            messages = [row["media_id"] for row in self.rows(f"vmboxes/{box}/messages")]
            wanted = messages if many else messages[which % len(messages) :][:1] if messages else []
            self.ask("POST", f"{self.path}/vmboxes/{box}/messages", {"messages": wanted, "folder": folder})

    @rule(number=PICK, to=PICK, copy=st.booleans())
    def send_messages_to_another_box(self, number: int, to: int, copy: bool) -> None:
        box, target = self.pick("vmboxes", number), self.pick("vmboxes", to)
        if box is not None:
            messages = [row["media_id"] for row in self.rows(f"vmboxes/{box}/messages")]
            data = {"messages": messages, "source_id": [target] if copy else target}
            self.ask("POST", f"{self.path}/vmboxes/{box}/messages", data)

    @rule(number=PICK, folder=st.sampled_from([None, "new", "saved"]))
    def delete_messages(self, number: int, folder: str | None) -> None:
        if box := self.pick("vmboxes", number):
            self.ask("DELETE", f"{self.path}/vmboxes/{box}/messages", {} if folder is None else {"folder": folder})

    @invariant()
    def boxes_count_their_messages(self) -> None:
        for box in self.rows("vmboxes"):
            there = self.rows(f"vmboxes/{box['id']}/messages")
            folders = Counter(row["folder"] for row in there if row["folder"] != "deleted")
            assert box["messages"] == folders.total()
            assert Counter(box.get("folders", {})) == folders

    @invariant()
    def services_count_what_there_is(self) -> None:
        told = self.ask("GET", f"{self.path}/services/summary").data["quantities"]["account"]
        devices = Counter(row["device_type"] for row in self.rows("devices") if row.get("enabled", True))
        assert Counter(told.get("devices", {})) == devices
        for kind, category, item in (
            ("vmboxes", "voicemails", "mailbox"),
            ("faxboxes", "faxes", "mailbox"),
            ("conferences", "conferences", "conference"),
        ):
            assert told.get(category, {}).get(item, 0) == len(self.rows(kind))
        assert sum(told["users"].values()) == len(self.rows("users"))


async def run(machine: type[Machine], server: RunningServer, tenant: Tenant) -> None:
    class Here(machine):  # type: ignore[misc, valid-type]
        pass

    Here.server, Here.tenant, Here.loop = server, tenant, asyncio.get_running_loop()
    await asyncio.to_thread(run_state_machine_as_test, Here, settings=STEPS)


async def test_accounts_count_all_below_them(server: RunningServer, tenant: Tenant) -> None:
    await run(Tree, server, tenant)


async def test_wrong_counts_are_put_right(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.id[:12]}")
    await new_tenant(server, child, f"grandchild{tenant.id[:12]}")
    for account_id, count in ((tenant.id, 7), (child.id, "x")):
        await server.runtime.store.update(
            ACCOUNTS, "account", account_id, lambda stored, count=count: stored.fields.update(descendants_count=count)
        )
    assert await account_counts.put_right(server.runtime) >= 2
    assert await account_counts.put_right(server.runtime) == 0
    assert (await tenant.api.get("")).data["descendants_count"] == 2
    assert (await child.api.get("")).data["descendants_count"] == 1


async def test_an_account_counts_its_things(server: RunningServer, tenant: Tenant) -> None:
    await run(Things, server, tenant)


async def test_apps_count_users_who_exist(server: RunningServer, tenant: Tenant) -> None:
    gone = await tenant.api.put("/users", {"first_name": "A", "last_name": "B"}, query=QUIETLY)
    apps = {"app": {"name": "voip", "users": [gone.id, {"id": tenant.admin_id}]}}
    await server.runtime.store.insert(Document(tenant.id, "apps_store", "apps_store", {"apps": apps}))
    api: Api = tenant.api
    assert (await api.get("/services/summary")).data["quantities"]["account"]["user_apps"] == {"voip": 2}
    await api.delete(f"/users/{gone.id}")
    assert (await api.get("/services/summary")).data["quantities"]["account"]["user_apps"] == {"voip": 1}
