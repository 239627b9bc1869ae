# SPDX-License-Identifier: MPL-2.0
"""A page of aiohttp over the driver: what somebody in a hurry would write, with the fastest parts to be had.

uvloop, orjson, jsonschema-rs and PyMongo's own asynchronous API or Motor; one driver call a request (two for an
update), no envelope, no token, no permissions, no log. Same documents, same `mongod`, same write concern as the server.

Usage: python -m benchmarks.bare_driver PORT WORKERS URI DATABASE pymongo|motor
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, WriteConcern

from benchmarks.processes import serve

SCHEMA = Path(__file__).parent / "device_schema.json"
SUMMARY = {"name": 1, "owner_id": 1, "enabled": 1, "device_type": 1, "mac_address": 1}


def reply(value: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


async def build() -> web.Application:
    uri, database, driver = sys.argv[3:6]
    client: Any = AsyncIOMotorClient(uri) if driver == "motor" else AsyncMongoClient(uri)
    devices = client.get_database(database, write_concern=WriteConcern("majority", j=True)).devices
    validator = jsonschema_rs.validator_for(orjson.loads(SCHEMA.read_bytes()))

    async def one(request: web.Request) -> web.Response:
        found = await devices.find_one({"_id": request.match_info["id"]})
        return reply(found) if found else reply({}, 404)

    async def listing(request: web.Request) -> web.Response:
        query = {"account": request.match_info["account"]}
        return reply(await devices.find(query, SUMMARY).sort("_id", -1).limit(50).to_list(50))

    async def create(request: web.Request) -> web.Response:
        data = orjson.loads(await request.read())["data"]
        if not validator.is_valid(data):
            return reply({}, 400)
        data |= {"_id": os.urandom(16).hex(), "account": request.match_info["account"]}
        await devices.insert_one(data)
        return reply(data, 201)

    async def update(request: web.Request) -> web.Response:
        data = orjson.loads(await request.read())["data"]
        stored = await devices.find_one({"_id": request.match_info["id"]})
        if stored is None or not validator.is_valid(data):
            return reply({}, 400)
        data |= {"_id": stored["_id"], "account": stored["account"]}
        await devices.replace_one({"_id": stored["_id"]}, data)
        return reply(data)

    async def patch(request: web.Request) -> web.Response:
        data = orjson.loads(await request.read())["data"]
        stored = await devices.find_one({"_id": request.match_info["id"]})
        if stored is None:
            return reply({}, 404)
        stored |= data
        await devices.replace_one({"_id": stored["_id"]}, stored)
        return reply(stored)

    await devices.create_index([("account", 1), ("_id", 1)])
    app = web.Application()
    app.router.add_get("/accounts/{account}/devices", listing)
    app.router.add_put("/accounts/{account}/devices", create)
    app.router.add_get("/accounts/{account}/devices/{id}", one)
    app.router.add_post("/accounts/{account}/devices/{id}", update)
    app.router.add_patch("/accounts/{account}/devices/{id}", patch)
    return app


if __name__ == "__main__":
    serve(build, int(sys.argv[1]), int(sys.argv[2]))
