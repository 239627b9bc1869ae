from __future__ import annotations

from pathlib import Path

from pymongo import MongoClient

from crossbar.documents.embedded import EmbeddedMongo


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path, cache_gb=0.25)
    with MongoClient(await mongo.start()) as client:
        client.db.things.insert_one({"_id": 1})
    await mongo.stop()
    with MongoClient(await mongo.start()) as client:
        assert client.db.things.find_one() == {"_id": 1}
    await mongo.stop()


def test_db(database_name, mongo_client):
    mongo_client[database_name].x.insert_one({})


async def test_db2(database_name, mongo_client):
    mongo_client[database_name].x.insert_one({})
