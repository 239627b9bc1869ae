# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/media` and `/media`."""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crossbar.conversion.media_types import recognised
from tests.harness import Answer, Api, RunningServer, Tenant
from tests.samples import MP3, PDF, WAV, wav

GREETING = {"name": "Greeting", "media_source": "upload"}
DEFAULTS = {"language": "en-us", "streamable": True, "tts": {"voice": "female/en-US"}}
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


async def new_media(api: Api, **fields: Any) -> Answer:
    created = await api.put("/media", {**GREETING, **fields})
    assert created.status == 201, created.envelope
    return created


async def send(api: Api, media_id: str, contents: bytes, content_type: str = "audio/mp3", **options: Any) -> Answer:
    return await api.post(f"/media/{media_id}/raw", body=contents, content_type=content_type, **options)


async def test_create_list_replace_delete(tenant: Tenant) -> None:
    created = await new_media(tenant.api)
    expected = {**GREETING, **DEFAULTS, "id": created.id}
    assert created.data == expected
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/media/{created.id}"

    listed = await tenant.api.get("/media")
    assert listed.data == [
        {"id": created.id, "name": "Greeting", "media_source": "upload", "language": "en-us", "is_prompt": False}
    ]
    read = await tenant.api.get(f"/media/{created.id}")
    assert (read.status, read.headers["Content-Type"], read.data) == (200, "application/json", expected)

    replaced = await tenant.api.post(f"/media/{created.id}", {**GREETING, "name": "Hello", "language": "DE-de"})
    assert (replaced.status, replaced.data) == (200, {**expected, "name": "Hello", "language": "DE-de"})
    patched = await tenant.api.patch(f"/media/{created.id}", {"name": "No"})
    assert patched.error() == (405, "405", "invalid_method", {"message": "method not allowed"})

    deleted = await tenant.api.delete(f"/media/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**replaced.data, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/media/{created.id}")).status == 404
    assert (await tenant.api.delete(f"/media/{created.id}/raw")).status == 405


async def test_a_sound_goes_up_and_comes_down(tenant: Tenant) -> None:
    created = await new_media(tenant.api)
    path = f"/media/{created.id}"
    missing = await tenant.api.get(f"{path}/raw")
    assert missing.error() == (404, "404", "bad identifier", [created.id])

    sent = await send(tenant.api, created.id, MP3, query={"filename": "hello.mp3"})
    facts = {"content_type": "audio/mp3", "content_length": len(MP3), "media_source": "upload"}
    assert (sent.status, sent.data) == (200, {**created.data, **facts})

    loaded = await tenant.api.get(f"{path}/raw")
    assert (loaded.status, loaded.raw) == (200, MP3)
    assert loaded.headers["Content-Type"] == "audio/mp3"
    assert loaded.headers["Content-Disposition"] == "attachment; filename=hello.mp3"
    assert loaded.headers["X-Content-Type-Options"] == "nosniff"
    accepted = await tenant.api.get(path, headers={"Accept": "audio/mpeg"})
    assert accepted.raw == MP3
    linked = await tenant.api.acting(None).get(f"{path}/raw", query={"auth_token": tenant.token})
    assert linked.raw == MP3

    again = await tenant.api.post(path, body=WAV, content_type="audio/wav")
    assert (again.status, again.data["content_type"], again.data["content_length"]) == (200, "audio/wav", len(WAV))
    loaded = await tenant.api.get(f"{path}/raw")
    assert loaded.raw == WAV
    assert loaded.headers["Content-Disposition"].startswith("attachment; filename=uploaded_file_")
    assert loaded.headers["Content-Disposition"].endswith(".wav")


async def test_a_data_url_as_browsers_send_it(tenant: Tenant) -> None:
    created = await new_media(tenant.api)
    body = b"data:audio/mp3;base64," + base64.b64encode(MP3)
    sent = await send(tenant.api, created.id, body, "application/x-base64")
    assert (sent.status, sent.data["content_type"], sent.data["content_length"]) == (200, "audio/mp3", len(MP3))
    assert (await tenant.api.get(f"/media/{created.id}/raw")).raw == MP3


@pytest.mark.parametrize("size_ms", [100, 60_000])
async def test_a_range_of_a_sound(tenant: Tenant, size_ms: int) -> None:
    contents = wav(size_ms)
    created = await new_media(tenant.api)
    await send(tenant.api, created.id, contents, "audio/wav")
    part = await tenant.api.get(f"/media/{created.id}/raw", headers={"Range": "bytes=44-1043"})
    assert (part.status, part.raw) == (206, contents[44:1044])
    assert part.headers["Content-Range"] == f"bytes 44-1043/{len(contents)}"
    assert part.headers["Accept-Ranges"] == "bytes"
    assert part.headers["Content-Length"] == "1000"
    beyond = await tenant.api.get(f"/media/{created.id}/raw", headers={"Range": f"bytes={len(contents)}-"})
    assert (beyond.status, beyond.raw) == (200, contents)


def enum_error(value: str) -> Any:
    return lambda data: (
        data["content_type"]["enum"]["message"] == "Value not found in enumerated list of values"
        and data["content_type"]["enum"]["value"] == value
    )


def file_error(code: str, message: str, **details: Any) -> Any:
    return lambda data: data == {"file": {code: {"message": message, **details}}}


LIES: list[Any] = [
    pytest.param(PDF, "audio/mp3", enum_error("application/pdf"), id="another type"),
    pytest.param(base64.b64encode(MP3), "application/base64", enum_error("application/octet-stream"), id="no type"),
    pytest.param(b"PK\3\4", "application/zip", enum_error("application/zip"), id="a type nobody plays"),
    pytest.param(
        b"data:audio/mp3;base64,no base64!",
        "application/base64",
        file_error("encoding", "failed to decode base64 data"),
        id="another encoding",
    ),
    pytest.param(b"", "audio/mp3", file_error("required", "Please provide an media file"), id="nothing"),
    pytest.param(
        bytes(8_000_001),
        "audio/mp3",
        file_error("maxSize", "Payload or Files must not be more than 8000000 bytes", target=8_000_000),
        id="too much",
    ),
    pytest.param(
        b"--b\r\nContent-Type: audio/mp3\r\n\r\n1\r\n--b\r\nContent-Type: audio/mp3\r\n\r\n2\r\n--b--\r\n",
        "multipart/mixed; boundary=b",
        file_error("maxItems", "Please provide a single media file"),
        id="two files",
    ),
]


@pytest.mark.parametrize(("contents", "content_type", "expected"), LIES)
async def test_what_lies_is_refused_and_leaves_nothing(
    tenant: Tenant, server: RunningServer, contents: bytes, content_type: str, expected: Any
) -> None:
    created = await new_media(tenant.api)
    await send(tenant.api, created.id, WAV, "audio/wav")
    before = await tenant.api.get(f"/media/{created.id}")

    refused = await send(tenant.api, created.id, contents, content_type)
    assert refused.error()[:3] == (400, "400", "validation error")
    assert expected(refused.data), refused.data

    assert (await tenant.api.get(f"/media/{created.id}")).data == before.data
    assert (await tenant.api.get(f"/media/{created.id}/raw")).raw == WAV
    stored = server.runtime.store.database["attachments.files"]
    assert await stored.count_documents({"metadata.a": tenant.id}) == 1


async def test_a_form_is_no_way_to_send_a_sound(tenant: Tenant) -> None:
    created = await new_media(tenant.api)
    body = b"--b\r\nContent-Type: audio/mp3\r\n\r\n" + MP3 + b"\r\n--b--\r\n"
    refused = await send(tenant.api, created.id, body, "multipart/mixed; boundary=b")
    assert refused.status == 415
    assert (await send(tenant.api, created.id, MP3, "application/zip")).status == 415
    assert (await tenant.api.get(f"/media/{created.id}/raw")).status == 404


async def test_the_sound_ends_with_the_document_and_the_account(tenant: Tenant, server: RunningServer) -> None:
    stored = server.runtime.store.database["attachments.files"]
    for _ in range(2):
        created = await new_media(tenant.api)
        await send(tenant.api, created.id, MP3)
    await tenant.api.delete(f"/media/{created.id}", {"hard_delete": True})
    assert await stored.count_documents({"metadata.a": tenant.id}) == 1
    assert (await server.master.root.delete(f"/accounts/{tenant.id}")).status == 200
    assert await stored.count_documents({"metadata.a": tenant.id}) == 0


async def test_languages_and_prompts(tenant: Tenant) -> None:
    assert (await tenant.api.get("/media/languages")).data == []
    assert (await tenant.api.get("/media/prompts")).data == []
    prompt = {**GREETING, "prompt_id": "vm-enter_pass"}
    english = await tenant.api.put("/media", {**prompt, "language": "en-US"})
    german = await tenant.api.put("/media", {**prompt, "language": "de-de"})
    assert (english.id, english.data["language"]) == ("en-us/vm-enter_pass", "en-us")
    location = f"/v2/accounts/{tenant.id}/media/de-de%2Fvm-enter_pass"
    assert (german.id, german.headers["Location"]) == ("de-de/vm-enter_pass", location)
    plain = await new_media(tenant.api, language="")
    await send(tenant.api, "en-us%2Fvm-enter_pass", MP3)

    counted = await tenant.api.get("/media/languages")
    assert (counted.data, counted.envelope["page_size"]) == ([{"": 1, "de-de": 1, "en-us": 1}], 1)
    assert (await tenant.api.get("/media/languages/EN-US")).data == ["en-us/vm-enter_pass"]
    assert (await tenant.api.get("/media/languages/missing")).data == [plain.id]
    counted = await tenant.api.get("/media/prompts")
    assert (counted.data, counted.envelope["page_size"]) == ([{"vm-enter_pass": 2}], 1)
    assert (await tenant.api.get("/media/prompts/vm-enter_pass")).data == [
        {"id": "en-us/vm-enter_pass", "has_attachments": True},
        {"id": "de-de/vm-enter_pass", "has_attachments": False},
    ]
    assert (await tenant.api.get("/media/prompts/other")).data == []


async def test_a_prompt_stays_in_its_place_until_it_is_gone(tenant: Tenant) -> None:
    prompt = {**GREETING, "prompt_id": "vm-hello"}
    assert (await tenant.api.put("/media", prompt)).status == 201
    taken = await tenant.api.put("/media", prompt)
    assert taken.error() == (409, "409", "datastore_conflict", {"message": "conflicting documents"})
    moved = await tenant.api.post("/media/en-us%2Fvm-hello", {**prompt, "language": "fr-fr"})
    message = "Changing the prompt_id on an existing prompt is not allowed"
    assert moved.data == {"prompt_id": {"invalid": {"message": message, "cause": "vm-hello"}}}
    assert (await tenant.api.delete("/media/en-us%2Fvm-hello")).status == 200
    assert (await tenant.api.put("/media", prompt)).status == 201


async def test_the_systems_media_are_for_all_to_read(master: Tenant, tenant: Tenant) -> None:
    prompt = {**GREETING, "prompt_id": f"prompt-{tenant.id}"}
    refused = await tenant.root.put("/media", prompt)
    assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    created = await master.root.put("/media", prompt)
    assert created.status == 201
    path = created.headers["Location"].removeprefix("/v2")
    assert (await master.root.post(f"{path}/raw", body=MP3, content_type="audio/mp3")).status == 200
    assert (await tenant.root.get(f"{path}/raw")).raw == MP3
    assert (await tenant.root.get(path)).data["prompt_id"] == prompt["prompt_id"]
    assert (await tenant.root.get(f"/media/prompts/{prompt['prompt_id']}")).data[0]["has_attachments"] is True
    assert (await tenant.root.get("/media/prompts")).data[0][prompt["prompt_id"]] == 1
    assert created.id in (await tenant.root.get("/media/languages/en-us")).data
    assert created.id in [row["id"] for row in (await tenant.root.get("/media", query={"paginate": "false"})).data]
    assert (await tenant.root.get("/media/languages")).status == 200
    for verb in ("POST", "DELETE"):
        assert (await tenant.root.request(verb, path, prompt)).status == 403
    assert (await tenant.root.post(f"{path}/raw", body=WAV, content_type="audio/wav")).status == 403
    assert (await master.root.post(path, {**prompt, "name": "Hi"})).data["name"] == "Hi"
    assert (await master.root.delete(path)).status == 200


@pytest_asyncio.fixture(loop_scope="session")
async def normalizing(master: Tenant) -> AsyncIterator[None]:
    """Every sound is to be converted."""
    path = "/system_configs/crossbar.media"
    changed = await master.root.put(path, {"default": {"normalize_media": True}})
    assert changed.status == 201, changed.envelope
    yield
    await master.root.delete(path)


@needs_ffmpeg
async def test_sounds_are_converted_where_that_is_configured(tenant: Tenant, normalizing: None) -> None:
    created = await new_media(tenant.api)
    sent = await send(tenant.api, created.id, wav(1000), "audio/wav", query={"filename": "hello.wav"})
    assert (sent.status, sent.data["content_type"]) == (200, "audio/mpeg")
    loaded = await tenant.api.get(f"/media/{created.id}/raw")
    assert (recognised(loaded.raw), len(loaded.raw)) == ("audio/mpeg", sent.data["content_length"])
    assert loaded.headers["Content-Disposition"] == "attachment; filename=hello.mp3"
    untouched = await send(tenant.api, created.id, MP3)
    assert untouched.data["content_length"] == len(MP3)

    box = await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": "1", "media_extension": "wav"})
    message = await tenant.api.put(f"/vmboxes/{box.id}/messages", body=loaded.raw, content_type="audio/mp3")
    path = f"/vmboxes/{box.id}/messages/{message.data['media_id']}/raw"
    assert recognised((await tenant.api.get(path)).raw) == "audio/x-wav"


async def test_what_cannot_be_converted_leaves_nothing(
    tenant: Tenant, normalizing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = await new_media(tenant.api)
    monkeypatch.setenv("PATH", str(tmp_path))
    without = await send(tenant.api, created.id, WAV, "audio/wav")
    assert without.error() == (500, "500", "ffmpeg is not available to convert media", {})
    converter = tmp_path / "ffmpeg"
    converter.write_text("#!/bin/sh\nexit 1\n")
    converter.chmod(0o755)
    failed = await send(tenant.api, created.id, WAV, "audio/wav")
    assert failed.error() == (500, "500", "failed to convert the media file", {})
    assert (await tenant.api.get(f"/media/{created.id}/raw")).status == 404


SPOKEN = {"name": "Welcome", "media_source": "tts", "tts": {"text": "Welcome to Acme", "voice": "female/en-GB"}}


@needs_espeak
async def test_a_text_is_spoken_when_it_changes(tenant: Tenant) -> None:
    created = await tenant.api.put("/media", SPOKEN)
    assert created.status == 201
    path = f"/media/{created.id}"
    first = await tenant.api.get(f"{path}/raw")
    assert (first.headers["Content-Type"], first.raw[:4]) == ("audio/x-wav", b"RIFF")
    assert first.headers["Content-Disposition"].startswith("attachment; filename=text_to_speech_")

    await tenant.api.post(path, {**SPOKEN, "name": "Same words"})
    assert (await tenant.api.get(f"{path}/raw")).raw == first.raw
    await tenant.api.post(path, {**SPOKEN, "tts": {"text": "We are closed"}})
    assert (await tenant.api.get(f"{path}/raw")).raw != first.raw


async def test_without_an_engine_nothing_is_kept(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = await tenant.api.put("/media", SPOKEN)
    assert refused.error() == (500, "500", "flite is not available to create TTS media", {})
    assert (await tenant.api.get("/media")).data == []

    engine = tmp_path / "espeak-ng"
    engine.write_text("#!/bin/sh\nexit 1\n")
    engine.chmod(0o755)
    failed = await tenant.api.put("/media", SPOKEN)
    assert failed.error() == (500, "500", "creating TTS failed unexpectedly", {})
    assert (await tenant.api.get("/media")).data == []
