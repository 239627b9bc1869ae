# SPDX-License-Identifier: MPL-2.0
"""Credentials lie sealed in the database and its oplog, and are whole for whoever may read the document."""

from __future__ import annotations

from typing import Any

import bson
import orjson
import pytest
from pymongo import MongoClient

from crossbar.access.pepper import Pepper, pepper_secret
from crossbar.access.resealing import reseal
from crossbar.documents.listing import Listing
from crossbar.documents.sealing import opened, sealed
from crossbar.documents.store import Store
from tests.harness import RunningServer, Tenant

SECRET = "a secret that nobody should find, for one reason"
OLD, NEW = "the key from before, for tests", "the key from now on, for tests"


def lies_open(mongo_client: MongoClient[dict[str, Any]], database: str) -> bool:
    """Whether the secret stands in a document, or in what the oplog tells of documents."""
    stored = mongo_client[database]["documents"].find({}, {"_id": 0})
    told = mongo_client["local"]["oplog.rs"].find({"ns": {"$in": [f"{database}.documents", "admin.$cmd"]}})
    return any(SECRET.encode() in bson.encode(one) for found in (stored, told) for one in found)


async def test_what_is_declared_a_credential_is_sealed(
    server: RunningServer, tenant: Tenant, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    database = server.runtime.store.database.name
    duo = {
        "integration_key": "D" * 20,
        "secret_key": SECRET,
        "application_secret_key": SECRET,
        "api_hostname": "d.test",
    }
    made = await tenant.api.put(
        "/multi_factor", {"enabled": True, "name": "Duo", "provider_name": "duo", "settings": duo}
    )
    assert (made.status, made.data["settings"]) == (201, duo)
    path = f"/multi_factor/{made.id}"
    assert (await tenant.api.get(path)).data["settings"] == duo
    changed = await tenant.api.patch(path, {"name": "Other"})
    assert (changed.data["name"], changed.data["settings"]) == ("Other", duo)
    whole = Listing(tenant.id, "provider", view="json")
    (paged,) = (await server.runtime.store.page(whole)).stored
    (streamed,) = [row.body async for row in server.runtime.store.stream(whole)]
    assert orjson.loads(paged["json"])["settings"] == orjson.loads(streamed)["settings"] == duo
    relay = await server.master.root.put("/system_configs/smtp_client", {"default": {"password": SECRET, "port": 25}})
    assert relay.status == 201
    read = await server.master.root.get("/system_configs/smtp_client")
    assert (read.data["default"]["password"], read.data["default"]["port"]) == (SECRET, 25)
    await server.runtime.settings.fresh()
    assert server.runtime.config.mail.password == SECRET
    assert not lies_open(mongo_client, database)
    # The looking itself finds what is open.
    await tenant.api.put("/skels", {"name": SECRET})
    assert lies_open(mongo_client, database)
    await server.master.root.delete("/system_configs/smtp_client")


async def test_a_new_key_takes_over(
    server: RunningServer, tenant: Tenant, mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    made = await tenant.api.put(
        "/multi_factor", {"enabled": True, "name": "Duo", "provider_name": "duo", "settings": {"secret_key": SECRET}}
    )
    store = server.runtime.store
    raw = store.database["documents"]
    secret = pepper_secret(server.runtime.config)
    old, new = Pepper(secret, [OLD]), Pepper(secret, [NEW, OLD])

    def under(pepper: Pepper) -> Store:
        return Store.connect(mongo_uri, store.database.name, store.shapes, sealer=pepper)

    async def lying() -> str:
        found = await raw.find_one({"_id": f"{tenant.id}/provider/{made.id}"})
        assert found is not None
        return str(found["doc"]["settings"]["secret_key"]).removeprefix("sealed:")

    looked_at: list[int] = []
    try:
        for current in (old, new):
            reopened = under(current)
            assert await reseal(reopened, current, looked_at.append) >= 2  # the provider, and accounts' API keys
            assert current.is_current(await lying())
            assert await reseal(reopened, current, looked_at.append) < looked_at[-1]  # most have nothing to seal
            await reopened.close()
        only_new = under(Pepper(secret, [NEW]))
        found = await only_new.get(tenant.id, "provider", made.id)
        account = await only_new.get("accounts", "account", tenant.id)
        await only_new.close()
        assert found is not None
        assert found.at("settings.secret_key") == SECRET
        assert account is not None
        assert Pepper(secret, [NEW]).is_current(account.fields["pvt_api_key"])
    finally:
        await reseal(store, Pepper(secret, [secret, NEW, OLD]), looked_at.append)


async def test_a_credential_that_no_key_opens_hides_nothing_else(tenant: Tenant, server: RunningServer) -> None:
    made = await tenant.api.put(
        "/multi_factor", {"enabled": True, "name": "Duo", "provider_name": "duo", "settings": {"secret_key": SECRET}}
    )
    foreign = "sealed:" + Pepper("somebody else's secret").seal(SECRET)
    raw = server.runtime.store.database["documents"]
    await raw.update_one({"_id": f"{tenant.id}/provider/{made.id}"}, {"$set": {"doc.settings.secret_key": foreign}})
    read = await tenant.api.get(f"/multi_factor/{made.id}")
    assert (read.status, read.data["name"], read.data["settings"]) == (200, "Duo", {"secret_key": foreign})
    assert (await tenant.api.patch(f"/multi_factor/{made.id}", {"name": "Other"})).status == 200
    kept = await raw.find_one({"_id": f"{tenant.id}/provider/{made.id}"})
    assert kept is not None
    assert (kept["doc"]["name"], kept["doc"]["settings"]["secret_key"]) == ("Other", foreign)
    stolen = "sealed:" + server.runtime.access.pepper.seal("somebody's secret")
    own = await tenant.api.patch(f"/multi_factor/{made.id}", {"settings": {"secret_key": stolen}})
    assert own.status == 200
    read = await tenant.api.get(f"/multi_factor/{made.id}")
    assert read.data["settings"]["secret_key"] == stolen  # nobody has others' sealed text opened


@pytest.mark.parametrize(
    ("fields", "places", "hidden"),
    [
        ({"a": {"b": SECRET}, "c": 1}, ("a.b",), 1),
        ({"a": [{"b": SECRET}, {"b": 5}, 7]}, ("a.*.b",), 1),
        ({"x": {"password": SECRET}, "y": {"password": SECRET}, "z": SECRET}, ("*.password",), 2),
        ({"a": SECRET}, ("a.b", "b", "a.*"), 0),
    ],
)
def test_places(fields: dict[str, Any], places: tuple[str, ...], hidden: int) -> None:
    pepper = Pepper("a pepper for tests, and for nothing else")
    closed = sealed(fields, places, pepper)
    assert str(fields).count(SECRET) - str(closed).count(SECRET) == hidden
    assert opened(closed, places, pepper) == fields
