# SPDX-License-Identifier: MPL-2.0
"""Stores for tests: a web server and an S3 server, plans that lead there, and what lies in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from crossbar.resources.system.domain.outside_files import OutsideFiles
from tests.harness import Answer, RunningServer, Tenant

HANDLER, OTHER = "a" * 32, "b" * 32
TYPES = ("call_recording", "fax", "function", "mailbox_message", "media")


@dataclass
class WebStore:
    """A web server that keeps what it is sent; `failing` is the status of all its answers, if it has one."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    failing: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.seen.append((request.method, request.path_qs, request.headers.get("Content-Type", "")))
        if self.failing:
            return web.Response(status=self.failing, text="out of order")
        if request.path.startswith("/moved/") and request.method != "GET":
            return web.Response(status=302, headers={"Location": request.path_qs.removeprefix("/moved")})
        name = request.path.removeprefix("/moved")
        if request.method == "GET":
            found = self.files.get(name)
            return web.Response(status=404) if found is None else web.Response(body=found)
        if request.content_type == "multipart/form-data":
            body = body.split(b"\r\n\r\n", 2)[2].rsplit(b"\r\n--", 1)[0]
        self.files[name] = body
        return web.Response(status=201)


@dataclass
class S3:
    port: int
    client: Any

    def settings(self, **more: Any) -> dict[str, Any]:
        about = {"bucket": "recordings", "key": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI", "region": "us-east-1"}
        return {
            **about,
            "scheme": "http",
            "host": "127.0.0.1",
            "port": self.port,
            "bucket_access_method": "path",
            **more,
        }

    def objects(self) -> dict[str, bytes]:
        listed = self.client.list_objects_v2(Bucket="recordings").get("Contents", [])
        names = [entry["Key"] for entry in listed]
        return {name: self.client.get_object(Bucket="recordings", Key=name)["Body"].read() for name in names}


def plan_for(settings: dict[str, Any], kind: str = "http", **attachments: Any) -> dict[str, Any]:
    """A plan that sends the files of every type to one handler."""
    types = {name: {"attachments": {"handler": HANDLER, **attachments}} for name in TYPES}
    places = {"modb": {"types": types}, "account": {"types": types}}
    return {"attachments": {HANDLER: {"handler": kind, "name": "store", "settings": settings}}, "plan": places}


async def with_plan(tenant: Tenant, plan: dict[str, Any]) -> Answer:
    saved = await tenant.api.put("/storage", plan)
    assert saved.status == 201, saved.envelope
    return saved


def outside(server: RunningServer) -> OutsideFiles:
    files = server.runtime.attachments.outside
    assert isinstance(files, OutsideFiles)
    return files


def probes(store: WebStore) -> int:
    return sum("test_credentials_file" in path for verb, path, _ in store.seen if verb != "GET")
