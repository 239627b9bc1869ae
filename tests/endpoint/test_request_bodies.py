# SPDX-License-Identifier: MPL-2.0
"""Bodies of requests: types, limits, what is none."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.harness import RunningServer, Tenant


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"[1]", {"json": {"invalid": {"message": "All JSON must be valid", "target": "body"}}}),
        (
            b'{"a": 1}',
            {"data": {"required": {"message": "Field is required but missing", "value": {"a": 1}}}},
        ),
        (b'{"data": null}', {"data": {"required": {"message": "Field is required but missing", "value": {}}}}),
        (
            b'{"data": 5}',
            {
                "data": {
                    "type": {
                        "message": "Value did not match type(s): object, array",
                        "target": "object, array",
                        "value": 5,
                    }
                }
            },
        ),
    ],
)
async def test_bodies_without_data(body: bytes, errors: Any, tenant: Tenant) -> None:
    assert (await tenant.api.put("/skels", body=body)).error() == (400, "400", "validation error", errors)


async def test_a_body_that_is_too_large(tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = server.runtime.settings
    limits = dataclasses.replace(settings.config.limits, max_upload_size=1000)
    monkeypatch.setattr(settings, "config", dataclasses.replace(settings.config, limits=limits))
    detail = {"message": "Payload or Files must not be more than 1000 bytes", "target": 1000}

    async def in_chunks() -> Any:
        for _ in range(3):
            yield b" " * 500

    for body in (b" " * 1001, in_chunks()):
        refused = await tenant.api.put("/skels", body=body)
        assert refused.invalid() == {"file": {"maxSize": detail}}
    assert (await tenant.api.put("/skels", body=b'{"data": {}}' + b" " * 988)).status == 201


async def test_a_body_that_is_too_deep(tenant: Tenant) -> None:
    for depth, status in ((90, 201), (150, 400), (45_000, 400)):
        body = b'{"data": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
        answer = await tenant.api.put("/skels", body=body)
        assert answer.status == status
        if status == 400:
            assert answer.data["json"]["invalid"]["message"].endswith("nested levels")
        else:
            assert (await tenant.api.get(f"/skels/{answer.id}")).data == answer.data


@pytest.mark.parametrize("content_type", ["application/x-json", "application/json; charset=utf-8", "", "text/json"])
async def test_content_types(content_type: str, tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", body=b'{"data": {"a": 1}}', content_type=content_type)
    assert created.status == (415 if content_type == "text/json" else 201)


async def test_what_curl_sends_by_itself(tenant: Tenant) -> None:
    form = "application/x-www-form-urlencoded"
    created = await tenant.api.put("/skels", body=b'{"data": {"a": "x=1&y"}}', content_type=form)
    assert (created.status, created.data["a"]) == (201, "x=1&y")
    refused = await tenant.api.put("/skels", body=b"a=1", content_type=form)
    assert list(refused.data) == ["data"]
