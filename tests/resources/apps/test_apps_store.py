# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/apps_store`, and how apps get there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from crossbar.documents.listing import Listing
from crossbar.errors import Invalid
from crossbar.resources.apps.domain.app_registration import NoApp, Registered, register, register_each
from tests.harness import Api, RunningServer, Tenant, issue_token, new_tenant
from tests.samples import APP_METADATA

PNG = b"\x89PNG\r\n\x1a\n"
METADATA: dict[str, Any] = {
    **APP_METADATA,
    "screenshots": ["one.png", "two.png"],
    "source_url": "http://elsewhere.test/voip/",
    "api_url": "",
    "pvt_secret": "never",
}


def write_app(folder: Path, **changes: Any) -> Path:
    (folder / "metadata" / "icon").mkdir(parents=True)
    (folder / "metadata" / "screenshots").mkdir()
    (folder / "metadata" / "app.json").write_text(json.dumps(METADATA | changes))
    (folder / "metadata" / "icon" / "voip.png").write_bytes(PNG)
    (folder / "metadata" / "screenshots" / "two.png").write_bytes(PNG + b"2")
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def empty(server: RunningServer) -> AsyncIterator[RunningServer]:
    """An installation without apps, also after the test."""
    yield server
    store = server.runtime.store
    for app in await store.all(Listing(server.master.id, "app")):
        await store.remove(app)
        await server.runtime.attachments.delete(app)
    if (decided := await store.get(server.master.id, "apps_store", "apps_store")) is not None:
        await store.remove(decided)


@pytest_asyncio.fixture(loop_scope="session")
async def voip(empty: RunningServer, tmp_path: Path) -> Registered:
    """The app `voip`, registered."""
    return (await register(empty.runtime, str(write_app(tmp_path / "voip"))))[0]


async def test_what_is_registered_is_listed(voip: Registered, server: RunningServer, tenant: Tenant) -> None:
    assert (voip.name, voip.created) == ("voip", True)
    listed = await tenant.api.get("/apps_store")
    row = {
        "id": voip.id,
        "name": "voip",
        "i18n": METADATA["i18n"],
        "tags": ["end-user"],
        "account_id": server.master.id,
        "users": [],
        "masqueradable": True,
    }
    assert (listed.status, listed.data) == (200, [row])
    assert "page_size" not in listed.envelope
    assert (await server.master.api.get("/apps_store")).data == [{**row, "allowed_users": "all"}]

    read = await tenant.api.get(f"/apps_store/{voip.id}")
    assert (read.status, read.data["icon"], read.data["price"]) == (200, "voip.png", 0)
    assert not {"source_url", "api_url", "pvt_secret"} & set(read.data)


async def test_install_change_remove(voip: Registered, tenant: Tenant) -> None:
    path = f"/apps_store/{voip.id}"
    not_there = (400, "400", "Application is not installed", {})
    assert (await tenant.api.post(path, {"allowed_users": "all"})).error() == not_there
    body = {"allowed_users": "specific", "users": [{"id": tenant.admin_id}]}
    installed = await tenant.api.put(path, body)
    assert (installed.status, installed.data) == (201, {**body, "name": "voip"})
    assert (await tenant.api.put(path, body)).error() == (400, "400", "Application already installed", {})
    row = (await tenant.api.get("/apps_store")).data[0]
    assert (row["allowed_users"], row["users"]) == ("specific", [{"id": tenant.admin_id}])
    changed = await tenant.api.post(path, {"allowed_users": "admins", "users": []})
    assert (changed.status, changed.data) == (200, {"allowed_users": "admins", "users": [], "name": "voip"})
    removed = await tenant.api.delete(path)
    assert (removed.status, removed.data) == (200, {})
    assert (await tenant.api.delete(path)).error() == not_there


async def test_an_unknown_app(voip: Registered, tenant: Tenant) -> None:
    path = "/apps_store/" + "0" * 32
    read = await tenant.api.get(path)
    assert read.error() == (404, "404", "bad_identifier", {"details": "0" * 32, "message": "bad identifier"})
    for verb in ("PUT", "POST", "DELETE"):
        refused = await tenant.api.request(verb, path, {})
        assert refused.error() == (403, "403", "forbidden", {"details": "0" * 32, "message": "forbidden"})


async def test_the_blacklist_is_kept_from_above(voip: Registered, server: RunningServer, tenant: Tenant) -> None:
    path = f"/accounts/{tenant.id}/apps_store/blacklist"
    assert (await server.master.root.get(path)).data == {"blacklist": []}
    saved = await server.master.root.post(path, {"blacklist": [voip.id]})
    assert (saved.status, saved.data) == (200, {"blacklist": [voip.id]})
    assert (await tenant.api.get("/apps_store")).data == []
    assert (await tenant.api.get(f"/apps_store/{voip.id}")).status == 404
    assert (await tenant.api.get("/apps_store/blacklist")).status == 403
    assert (await tenant.api.post("/apps_store/blacklist", {"blacklist": []})).status == 403
    wrong = await server.master.root.post(path, {"blacklist": "voip"})
    assert list(wrong.data["blacklist"]) == ["type"]


async def test_images(voip: Registered, tenant: Tenant, anonymous: Api) -> None:
    icon = await anonymous.get(f"/apps_store/{voip.id}/icon")
    assert (icon.status, icon.raw, icon.headers["Content-Type"]) == (200, PNG, "image/png")
    assert icon.headers["Content-Disposition"] == 'attachment; filename="voip.png"'
    assert (await tenant.api.get(f"/apps_store/{voip.id}/icon")).raw == PNG
    assert (await anonymous.get(f"/apps_store/{voip.id}/screenshot/1")).raw == PNG + b"2"
    assert (await tenant.api.get(f"/apps_store/{voip.id}/screenshot/1")).raw == PNG + b"2"
    for missing in (f"{voip.id}/screenshot/0", f"{voip.id}/screenshot/2", f"{voip.id}/screenshot/x", "nothing/icon"):
        assert (await anonymous.get(f"/apps_store/{missing}")).status == 404


async def test_a_folder_of_apps_again_and_again(empty: RunningServer, tmp_path: Path) -> None:
    write_app(tmp_path / "a")
    write_app(tmp_path / "b", name="callflows", phase="beta")
    (tmp_path / "not-an-app").mkdir()
    first = await register(empty.runtime, str(tmp_path))
    (tmp_path / "a" / "metadata" / "app.json").write_text(json.dumps(METADATA | {"version": "1.1"}))
    second = await register(empty.runtime, str(tmp_path), api_url="http://api.test/v2/", allowed_users="all")
    assert [(one.id, one.name) for one in first] == [(one.id, one.name) for one in second]
    assert [one.created for one in (*first, *second)] == [True, True, False, False]
    rows = (await empty.master.api.get("/apps_store")).data
    assert [(row["name"], row["api_url"]) for row in rows] == [
        ("callflows", "http://api.test/v2/"),
        ("voip", "http://api.test/v2/"),
    ]
    voip = await empty.master.api.get(f"/apps_store/{second[0].id}")
    assert voip.data["version"] == "1.1"


async def test_an_interfaces_apps_are_written_only_when_they_change(empty: RunningServer, tmp_path: Path) -> None:
    voip = write_app(tmp_path / "voip")
    write_app(tmp_path / "broken", name="broken", version=7)
    (tmp_path / "broken" / "metadata" / "icon" / "voip.png").write_bytes(PNG)
    write_app(tmp_path / "garbled")
    (tmp_path / "garbled" / "metadata" / "app.json").write_text("{")

    async def outcome() -> tuple[bool, bool]:
        (one,), problems = await register_each(empty.runtime, tmp_path)
        assert one.name == "voip"
        assert [str(tmp_path / name) in problem for name, problem in zip(("broken", "garbled"), problems, strict=True)]
        return one.created, one.changed

    assert await outcome() == (True, True)
    assert await outcome() == (False, False)
    (voip / "metadata" / "app.json").write_text(json.dumps(METADATA | {"version": "1.1"}))
    assert await outcome() == (False, True)
    assert await outcome() == (False, False)
    (voip / "metadata" / "icon" / "voip.png").write_bytes(PNG + b"new")
    assert await outcome() == (False, True)
    (row,) = (await empty.master.api.get("/apps_store")).data
    assert (await empty.master.api.get(f"/apps_store/{row['id']}/icon")).raw == PNG + b"new"
    # A start that ended before the app was installed is made up for by the next.
    decided = await empty.runtime.store.get(empty.master.id, "apps_store", "apps_store")
    assert decided is not None
    await empty.runtime.store.remove(decided)
    assert await outcome() == (False, True)
    assert await register_each(empty.runtime, tmp_path / "nowhere") == ([], [])


async def test_apps_may_be_opened_to_every_account(empty: RunningServer, tenant: Tenant, tmp_path: Path) -> None:
    app = (await register(empty.runtime, str(write_app(tmp_path / "a")), allowed_users="admins"))[0]
    assert (await tenant.api.get("/apps_store")).data[0]["allowed_users"] == "admins"
    await tenant.api.put(f"/apps_store/{app.id}", {"allowed_users": "all"})
    assert (await tenant.api.get("/apps_store")).data[0]["allowed_users"] == "all"


async def test_an_app_below_a_url(empty: RunningServer, tmp_path: Path) -> None:
    write_app(tmp_path / "voip")
    site = web.Application()
    site.router.add_static("/apps", tmp_path)
    async with TestServer(site) as server:
        registered = await register(empty.runtime, str(server.make_url("/apps/voip/")))
        with pytest.raises(NoApp, match=r"has no metadata/app\.json"):
            await register(empty.runtime, str(server.make_url("/apps/other")))
    icon = await empty.master.root.acting(None).get(f"/apps_store/{registered[0].id}/icon")
    assert icon.raw == PNG


async def test_what_cannot_be_registered(empty: RunningServer, tmp_path: Path) -> None:
    with pytest.raises(NoApp, match=r"has no metadata/app\.json, neither has a folder in it"):
        await register(empty.runtime, str(tmp_path))
    broken = write_app(tmp_path / "broken")
    (broken / "metadata" / "app.json").write_text("{")
    with pytest.raises(NoApp, match="is no JSON"):
        await register(empty.runtime, str(broken))
    with pytest.raises(Invalid) as refused:
        await register(empty.runtime, str(write_app(tmp_path / "nameless", name="x")))
    assert list(refused.value.fields) == [f"{tmp_path}/nameless: name"]


async def test_no_file_outside_the_app_is_taken(empty: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    app = (await register(empty.runtime, str(write_app(tmp_path / "a", icon="../../../secret.png"))))[0]
    assert (await empty.master.api.get(f"/apps_store/{app.id}/icon")).status == 404


async def test_apps_link(voip: Registered, server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    await tenant.api.put(f"/apps_store/{voip.id}", {"allowed_users": "admins"})
    own = {
        "account_id": tenant.id,
        "account_name": tenant.realm.removesuffix(".test"),
        "language": "en-US",
        "is_reseller": False,
        "reseller_id": server.master.id,
        "is_master": False,
    }
    told = await tenant.root.get("/apps_link/authorize")
    created = told.data["auth_token"].pop("created")
    assert (told.status, told.data["account"], created > 63_000_000_000) == (200, own, True)
    assert told.data["auth_token"] == {
        **own,
        "owner_id": tenant.admin_id,
        "method": "cb_user_auth",
        "apps": [{"id": voip.id, "name": "voip", "label": "SmartPBX"}],
    }
    below = await tenant.root.get(f"/accounts/{child.id}/apps_link/authorize")
    assert (below.data["account"]["account_id"], below.data["auth_token"]["account_id"]) == (child.id, tenant.id)
    keyless = tenant.root.acting(await issue_token(server, tenant.id, None))
    assert "owner_id" not in (await keyless.get("/apps_link/authorize")).data["auth_token"]
