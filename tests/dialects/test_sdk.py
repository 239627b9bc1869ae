# SPDX-License-Identifier: MPL-2.0
"""Wazo's own JavaScript SDK, as it is published, on Node: what it asks for is what the dialects answer."""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from crossbar.config import Config
from crossbar.dialects.identifiers import dashed
from crossbar.process.serving import tls_context
from tests import node
from tests.certificates import certificate
from tests.dialects.speaker import Speaker
from tests.harness import RunningServer, Tenant, new_person

VERSION = "0.44.7"
INTEGRITY = "0j/Q8eCOCskCQveDuA+Pb3seIsCWU6NLYQ+HRZ/QoEyLHpCIgcSJ4QKixUhE1WAk2dH7bjdM6dHMUpwtTHKGcg=="
"""The SHA-512 of the package, as the registry tells it."""
SCRIPTS = Path(__file__).parent / "wazo_sdk"
CHANGES = ("User as it is", "User", "ForwardOption", "ForwardOptions", "DoNotDisturb")


@pytest_asyncio.fixture(scope="session")
async def sdk(pytestconfig: pytest.Config) -> Path:
    """The folder of the package.

    The file for Node holds all that it needs, so that it is unpacked and nothing is installed for it: one of the
    dependencies is a repository and not a package.
    """
    return await node.cached(pytestconfig, "wazo-sdk", VERSION, _fetch)


async def _fetch(folder: Path) -> None:
    await node.npm("pack", f"@wazo/sdk@{VERSION}", "--pack-destination", str(folder), folder=folder)
    archive = folder / f"wazo-sdk-{VERSION}.tgz"
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == INTEGRITY
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


@dataclass(frozen=True)
class Secured:
    """Where the server is reached by TLS, and the certificate to trust."""

    host: str
    certificate: str


@pytest_asyncio.fixture
async def secured(server: RunningServer, tmp_path: Path) -> AsyncIterator[Secured]:
    """The SDK speaks TLS alone."""
    options = {name.replace("__", "."): text for name, text in certificate(tmp_path).items()}
    tls = Config.load(overrides=options).tls
    site = web.TCPSite(server.runner, "127.0.0.1", 0, ssl_context=tls_context(tls))
    await site.start()
    yield Secured(f"127.0.0.1:{server.runner.addresses[-1][1]}", options["tls.certificate"])
    await site.stop()


Run = Callable[..., Awaitable["Steps"]]


class Steps(dict[str, Any]):
    """What each step of a script gave, by its name."""

    def __call__(self, name: str) -> Any:
        """What a step gave, which must not have failed."""
        assert "error" not in self[name], (name, self[name])
        return self[name].get("value")

    def refused(self, name: str) -> int | None:
        """The status that the SDK was refused a step with."""
        assert self[name].get("error") == "BadResponse", (name, self[name])
        return int(self[name]["status"])

    def done_without_an_answer(self, name: str) -> None:
        """The SDK takes the 204 that wazo-auth has always answered here for JSON, and throws once all is done."""
        assert self[name].get("error") == "SyntaxError", (name, self[name])


@pytest.fixture
def run(sdk: Path, secured: Secured) -> Run:
    """Run a script of ours on the SDK."""

    async def run(script: str, **given: Any) -> Steps:
        sent = json.dumps({"sdk": str(sdk), "server": secured.host, **given}).encode()
        command = ["node", str(SCRIPTS / script)]
        status, printed, said = await node.run(command, SCRIPTS, sent, NODE_EXTRA_CA_CERTS=secured.certificate)
        assert status == 0, said
        return Steps(json.loads(printed.splitlines()[-1]))

    return run


async def give_line(confd: Speaker, user: str) -> int:
    """A line with a SIP endpoint and the extension 1001 for a user."""
    line = (await confd.post("/lines", {"context": "default"})).json["id"]
    sip = (await confd.post("/endpoints/sip", {"username": "softphone", "secret": "verysecret"})).json["id"]
    extension = (await confd.post("/extensions", {"exten": "1001", "context": "default"})).json["id"]
    for path in (f"/lines/{line}/endpoints/sip/{sip}", f"/users/{user}/lines/{line}",
                 f"/lines/{line}/extensions/{extension}"):  # fmt: skip
        assert (await confd.put(path)).status == 204
    return int(line)


async def test_an_administrators_program(run: Run, confd: Speaker, tenant: Tenant) -> None:
    owner = (await confd.post("/users", {"firstname": "Bo"})).json
    line = await give_line(confd, owner["uuid"])
    name, login = "ana", f"ana@{tenant.realm}"
    named = {"username": f"admin@{tenant.realm}", "password": "correct horse", "name": name, "login": login}
    told = await run("administrator.cjs", owner=owner["uuid"], line=line, **named)

    assert told.refused("a wrong password") == 401
    session = told("logIn")
    assert (session["uuid"], session["tenantUuid"]) == (dashed(tenant.admin_id), dashed(tenant.id))
    assert session["acl"] == ["#"]
    assert (told("has expired"), told("checkToken"), told("checkToken afterwards")) == (False, True, False)
    assert told("authenticate")["token"] == session["token"]
    assert told("getRestrictionPolicies")["scopes"] == {"confd.users.read": True, "auth.users.create": True}
    assert [one["uuid"] for one in told("getUserSession")["items"]] == [session["sessionUuid"]]

    ana = told("createUser")["uuid"]
    assert told.refused("the same again") == 409
    assert told("addUserEmail")["0"]["address"] == told("getUser")["emails"][0]["address"] == "ana@example.com"
    assert {one["uuid"] for one in told("listUsers")["items"]} == {dashed(tenant.admin_id), owner["uuid"], ana}
    assert told("updatePassword") is True
    assert [one["uuid"] for one in told("listPolicies")["items"]] == [told("createPolicy")["uuid"]]
    told.done_without_an_answer("addUserPolicy")
    assert told("the user logs in")["acl"] == ["confd.users.me.#"]
    assert told("deleteUserPolicy") is told("deletePolicy") is True
    assert [one["uuid"] for one in told("listGroups")["items"]] == [told("createGroup")["uuid"]]
    told.done_without_an_answer("addUserGroup")
    assert [one["uuid"] for one in told("listUsersGroup")["items"]] == [ana]
    assert (told("deleteUserGroup"), told("nobody in the group")["items"], told("deleteGroup")) == (True, [], True)

    below, user_below = told("createTenant")["uuid"], told("createUser below")
    assert told("getTenant")["address"]["city"] == told("updateTenant")["address"]["city"] == "Lima"
    assert {one["uuid"] for one in told("listTenants")["items"]} == {dashed(tenant.id), below}
    assert [one["uuid"] for one in told("listUsers below")["items"]] == [user_below["uuid"]]
    assert told("getUser below")["tenant_uuid"] == user_below["tenant_uuid"] == below
    assert told("deleteUser below") is told("deleteTenant") is True

    assert told("getInfos")["uuid"] == session["stackUuid"]
    assert {one["uuid"] for one in told("confd.listUsers")["items"]} == {dashed(tenant.admin_id), owner["uuid"], ana}
    assert (told("confd.getUser")["id"], told("confd.getUser")["firstName"]) == (ana, "Ana")
    assert all(told(f"update{what}") is True for what in CHANGES)
    profile = told("confd.getUser again")
    assert (profile["firstName"], profile["email"], profile["mobileNumber"]) == ("Anna", "anna@example.com", "+5511999")
    assert profile["doNotDisturb"] is True
    assert {one["key"]: (one["destination"], one["enabled"]) for one in profile["forwards"]} == {
        "unconditional": ("1002", True),
        "busy": ("1003", True),
        "noanswer": ("", False),
    }
    for softphone in (told("getUserLineSipFromToken"), told("getUserLineSip"), told("getUserLinesSip")[0]):
        assert (softphone["username"], softphone["secret"]) == ("softphone", "verysecret")
    assert told("getUserLinesSip")[1] is None
    assert told.refused("a line of somebody else") == 404

    assert told("deleteUser") is True
    assert told.refused("a deleted user") == 404
    assert told("logOut") is told("another token") is told("deleteRefreshToken") is told("logOut again") is True
    assert owner["uuid"] in {one["uuid"] for one in told("with a token made anew")["items"]}
    assert told.refused("nothing is left") == 401


async def test_a_persons_telephone_program(run: Run, confd: Speaker, tenant: Tenant, server: RunningServer) -> None:
    person = await new_person(server, tenant, "plain")
    await give_line(confd, dashed(person.id))
    told = await run("person.cjs", username=f"plain@{tenant.realm}", password="plain password")

    session = told("logIn")
    assert session["uuid"] == session["profile"]["id"] == dashed(person.id)
    assert session["engineVersion"]
    assert [line["username"] for line in session["profile"]["sipLines"]] == ["softphone"]
    assert (told("name"), told("number")) == ("P U", "1001")
    assert told("another log-in by the refresh token")["uuid"] == dashed(person.id)
    assert told("validateToken")["token"] == session["token"]
    assert told("forceRefreshToken") not in (None, session["token"])
    assert told("own settings") is True
    assert told.refused("others") == 401
    assert told("logout") is None
    assert told("checkToken afterwards") is False
    assert told.refused("refreshToken afterwards") == 401
    assert (await confd.get(f"/users/{dashed(person.id)}/services/dnd")).json == {"enabled": True}
