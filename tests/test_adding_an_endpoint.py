# SPDX-License-Identifier: MPL-2.0
"""The walk-through `docs/adding-an-endpoint.md`, carried out: its files are made, its requests sent."""

from __future__ import annotations

import importlib.util
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from crossbar import app as application
from crossbar.config import Config
from crossbar.documents.schemas import library, pipeline
from crossbar.endpoint import Collection
from tests.harness import running_server

TEXT = (Path(__file__).parent.parent / "docs" / "adding-an-endpoint.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))
EXCHANGES = re.findall(r"<!-- exchange -->\n```\n(\w+) (\S+)\n(?:(\{.*?\})\n)?\n(\d+) (.*?)\n```", TEXT, re.DOTALL)


@pytest.fixture
def schema_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped schemas and the new one."""
    folder = tmp_path / "schemas"
    folder.mkdir()
    for file in library.shipped_folder().glob("*.json"):
        (folder / file.name).symlink_to(file.resolve())
    (folder / "speed_dials.json").write_text(FILES["schemas/speed_dials.json"])
    monkeypatch.setattr(pipeline, "shipped_folder", lambda: folder)
    return folder


def declared(tmp_path: Path) -> Collection:
    """The endpoint, from its file."""
    file = tmp_path / "speed_dials.py"
    file.write_text(FILES["crossbar/resources/calls/flows/speed_dials.py"])
    spec = importlib.util.spec_from_file_location("speed_dials", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    endpoint: Collection = module.speed_dials
    return endpoint


def without_id(answer: Any) -> Any:
    """An answer without what no page can know: ids, and what the life cycle adds to errors."""
    if isinstance(answer, list):
        return [without_id(item) for item in answer]
    return {key: value for key, value in answer.items() if key != "id"} if isinstance(answer, dict) else answer


@pytest.mark.usefixtures("schema_folder")
async def test_what_the_page_says(
    tmp_path: Path, mongo_uri: str, mongo_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "ENDPOINTS", (*application.ENDPOINTS, declared(tmp_path)))
    name = f"test-{uuid.uuid4().hex}"
    config = Config.load(None, {}, {"server.data": str(tmp_path / "data"), "database.name": name})
    assert len(EXCHANGES) == 5
    async with running_server(config, mongo_uri) as server:
        for verb, path, body, status, expected in EXCHANGES:
            sent = {"body": body.encode()} if body else {}
            answer = await server.master.root.request(verb, path.format(account_id=server.master.id), **sent)
            assert (answer.status, without_id(answer.data)) == (int(status), json.loads(expected))
    mongo_client.drop_database(name)
