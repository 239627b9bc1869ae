# SPDX-License-Identifier: MPL-2.0
"""Traces, as a receiver of OTLP gets them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from crossbar import config
from crossbar.config import Config, ConfigError
from tests.harness import RunningServer, ServerWith

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STAGES = ["parse", "authenticate", "route", "authorize", "execute", "render"]


@dataclass
class Receiver:
    """A receiver of OTLP over HTTP, and all that came."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    status: int = 200

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.tokens.append(request.headers.get("X-Token"))
        return web.Response(status=self.status, content_type="application/x-protobuf")

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they began."""
        sent = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        found = [
            span
            for one in sent
            for resource in one.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def below(self, parent: Span) -> list[Span]:
        return [span for span in self.spans if span.parent_span_id == parent.span_id]

    def of(self, name: str) -> Span:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


def attributes(span: Span) -> dict[str, object]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in span.attributes}


@asynccontextmanager
async def receiving(status: int = 200) -> AsyncIterator[Receiver]:
    receiver = Receiver(status=status)
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def traceparent(sampled: bool = True) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{CALLER}-0{sampled:d}"}


async def test_a_request_is_a_span_in_the_callers_trace(server_with: ServerWith) -> None:
    async with receiving() as receiver:
        async with server_with(
            telemetry__endpoint=receiver.url, telemetry__headers="x-token=let me in, x-other=1"
        ) as server:
            api = server.master.api
            made = await api.put("/devices", {"name": "A secret name"}, headers=traceparent())
            assert made.status == 201
            missing = await api.get("/devices/nothing", headers=traceparent())
            assert missing.status == 404
        assert set(receiver.tokens) == {"let me in"}

        collection = "/v2/accounts/{account_id}/devices"
        span = receiver.of(f"PUT {collection}")
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, CALLER)
        assert span.kind == Span.SPAN_KIND_SERVER
        told = attributes(span)
        assert told["http.route"] == collection
        assert told["http.response.status_code"] == 201
        assert told["crossbar.request_id"] == made.envelope["request_id"]
        assert told["crossbar.account_id"] == server.master.id
        stages = receiver.below(span)
        assert [one.name for one in stages] == STAGES
        assert all(one.start_time_unix_nano <= one.end_time_unix_nano for one in stages)

        commands = receiver.below(stages[STAGES.index("execute")])
        assert "documents" in {attributes(one)["db.collection.name"] for one in commands}
        assert {(one.kind, attributes(one)["db.system.name"]) for one in commands} == {
            (Span.SPAN_KIND_CLIENT, "mongodb")
        }

        refused = receiver.of(f"GET {collection}/{{device_id}}")
        (execute,) = [one for one in receiver.below(refused) if one.name == "execute"]
        assert attributes(execute)["error.type"] == "404"
        assert refused.status.code == execute.status.code == Status.STATUS_CODE_UNSET
        said = b"".join(receiver.bodies)
        for secret in (server.master.token, "A secret name", made.id):
            assert secret.encode() not in said


async def test_dialects_are_traced_and_health_is_not(server_with: ServerWith) -> None:
    async with receiving() as receiver:
        async with server_with(telemetry__endpoint=receiver.url) as server:
            api = server.master.root
            for path in ("/1.1/infos", "/healthz", "/readyz", "/metrics"):
                assert (await api.get(f"{server.url}{path}", headers={"Accept": "*/*"})).status < 500, path
        names = {span.name for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER}
        assert len(names) == 1
        assert names.pop().startswith("GET /1.1/")


async def test_who_calls_decides_what_is_kept_and_else_the_share_does(server_with: ServerWith) -> None:
    async with receiving() as receiver:
        async with server_with(telemetry__endpoint=receiver.url, telemetry__sample_ratio="0") as server:
            api = server.master.api
            for headers in (traceparent(sampled=False), {}, {"traceparent": "nonsense"}, traceparent()):
                assert (await api.get("/users", headers=headers)).status == 200
        spans = [span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER]
        assert [(span.trace_id.hex(), span.name) for span in spans] == [(TRACE, "GET /v2/accounts/{account_id}/users")]


async def test_both_drivers_tell_of_their_commands(server_with: ServerWith) -> None:
    async with receiving() as receiver:
        async with server_with(telemetry__endpoint=receiver.url, database__driver="motor") as server:
            assert (await server.master.api.put("/devices", {"name": "One"})).status == 201
        (execute,) = [span for span in receiver.spans if span.name == "execute"]
        assert receiver.below(execute)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", ""])
async def test_a_receiver_that_is_away_or_refuses_costs_no_answer(server_with: ServerWith, url: str) -> None:
    async with (
        receiving(status=400) as receiver,
        server_with(telemetry__endpoint=url or receiver.url, log__level="error") as server,
    ):
        assert (await server.master.api.get("/users")).status == 200


async def test_an_answer_that_fails_is_a_failed_span(server_with: ServerWith, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver:
        async with server_with(telemetry__endpoint=receiver.url, log__level="error") as server:
            break_settings(monkeypatch, server)
            assert (await server.master.api.get("/users")).status == 500
            monkeypatch.undo()
        (span,) = [span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER]
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert attributes(span)["http.response.status_code"] == 500


def break_settings(monkeypatch: pytest.MonkeyPatch, server: RunningServer) -> None:
    async def broken() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(server.runtime.settings, "fresh", broken)


def test_without_traces_nothing_of_it_is_loaded() -> None:
    program = (
        "import sys, asyncio, crossbar.cli, crossbar.app as app; from crossbar.config import Config; "
        "from crossbar.shared import *; shared = Shared(BucketTable(1024), WriteMarks(), 'x'); "
        "made = asyncio.run(app.build_app(Config(), database_uri='mongodb://x', shared=shared)); "
        "loaded = [name for name in sys.modules if name.startswith(('opentelemetry', 'crossbar.telemetry'))]; "
        "print(len(made.middlewares), loaded)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0 []\n"


def test_traces_without_what_makes_them_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"telemetry.endpoint": "http://127.0.0.1:4318"}
    assert Config.load(overrides=wanted)
    for missing in ("opentelemetry.no_such_exporter", "no_such_package.exporter"):
        monkeypatch.setattr(config, "TRACES", missing)
        with pytest.raises(ConfigError, match="needs OpenTelemetry: pip install"):
            Config.load(overrides=wanted)


def test_a_header_has_a_name_and_a_value() -> None:
    for text in ("authorization", "=x", "a b=c", "authorization="):
        with pytest.raises(ConfigError, match="must be headers"):
            Config.load(overrides={"telemetry.headers": text})
