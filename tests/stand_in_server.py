# SPDX-License-Identifier: MPL-2.0
"""The command `crossbar` with an application small enough to watch: `python -m tests.stand_in_server serve …`.

It keeps what is created in `created.json` in the data folder, and uses no database.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from crossbar.config import Config
from crossbar.errors import Invalid, SystemFault
from crossbar.shared import Shared

if TYPE_CHECKING:  # each worker would load all endpoints with it
    from crossbar.resources.apps.domain.app_registration import Registered


@dataclass
class Bootstrap:
    account_id: str
    user_id: str
    api_key: str
    created: bool


async def bootstrap(
    config: Config, *, database_uri: str, account: str, realm: str, user: str, password: str
) -> Bootstrap:
    if len(password) < 6:
        raise Invalid.field("password", "minLength", "String must be at least 6 characters")
    record = config.server.data / "created.json"
    if record.exists():
        return Bootstrap(**json.loads(record.read_text()) | {"created": False})
    made = Bootstrap(f"{account}@{realm}", user, "k" * 64, created=True)
    record.write_text(json.dumps(asdict(made)))
    return made


async def is_initialized(config: Config, *, database_uri: str) -> bool:
    if "unreachable" in database_uri:
        raise SystemFault("datastore_unreachable") from ConnectionError(
            "no answer from mongodb://ann:hush@db.example.com"
        )
    return (config.server.data / "created.json").exists()


async def build_app(config: Config, *, database_uri: str, shared: Shared) -> web.Application:
    stopping = asyncio.Event()

    async def pid(request: web.Request) -> web.Response:
        return web.Response(text=str(os.getpid()))

    async def spend(request: web.Request) -> web.Response:
        _, left = shared.buckets.consume("one", 1, capacity=100, rate_per_second=0, now=0)
        return web.Response(text=str(left))

    async def until_stop(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun\n")
        await stopping.wait()
        await response.write(b"finished\n")
        return response

    async def for_ever(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun\n")
        return await asyncio.get_running_loop().create_future()

    async def stop(app: web.Application) -> None:
        stopping.set()

    app = web.Application()
    app.router.add_get("/pid", pid)
    app.router.add_get("/spend", spend)
    app.router.add_get("/until-stop", until_stop)
    app.router.add_get("/for-ever", for_ever)
    app.on_shutdown.append(stop)
    return app


async def register_apps(
    config: Config, *, database_uri: str, place: str, api_url: str | None, allowed_users: str | None
) -> list[Registered]:
    from crossbar.resources.apps.domain.app_registration import NoApp, Registered

    if place.endswith("none"):
        raise NoApp(f"{place} has no metadata/app.json")
    return [Registered("1", f"{api_url} {allowed_users}", created=True), Registered("2", "old", created=False)]


async def register_interface(config: Config, *, database_uri: str, folder: Path) -> tuple[list[Registered], list[str]]:
    from crossbar.resources.apps.domain.app_registration import Registered

    apps = [Registered("1", "voip", created=True), Registered("2", "old", created=False)]
    return [*apps, Registered("3", "same", created=False, changed=False)], [f"{folder}/apps/x is no JSON"]


async def build_nothing(config: Config, *, database_uri: str, shared: Shared) -> web.Application:
    raise RuntimeError("this application cannot be built")


async def build_unless_broken(config: Config, *, database_uri: str, shared: Shared) -> web.Application:
    if (config.server.data / "broken").exists():
        raise RuntimeError("this application is broken")
    return await build_app(config, database_uri=database_uri, shared=shared)


def main() -> None:
    # Under its real name, not as __main__: workers look for the application there.
    stand_in = importlib.import_module("tests.stand_in_server")
    sys.modules |= {"crossbar.app": stand_in, "crossbar.administration": stand_in}
    from crossbar import cli

    cli.main()


if __name__ == "__main__":
    main()
