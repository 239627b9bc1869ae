# SPDX-License-Identifier: MPL-2.0
"""Putting apps of user interfaces into the apps store: what KAZOO does by maintenance commands.

Source: `crossbar_maintenance:init_apps`, `init_app`. An app brings `metadata/app.json`, its icon in `metadata/icon/`
and its screenshots in `metadata/screenshots/`, in a folder or below a URL.
"""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from crossbar import clock
from crossbar.documents.document import Document, public_fields
from crossbar.documents.document_types import APPS_STORE
from crossbar.documents.listing import Listing
from crossbar.errors import Invalid
from crossbar.ids import new_id
from crossbar.resources.apps.domain.app_catalog import APP
from crossbar.runtime import Runtime

METADATA: Final = PurePosixPath("metadata/app.json")
FOLDERS: Final = {"icon": PurePosixPath("metadata/icon"), "screenshots": PurePosixPath("metadata/screenshots")}
LARGEST: Final = 8_000_000
"""Bytes of the largest file that is taken."""
STAND_IN_URL: Final = "http://localhost/"
"""The schema wants an `api_url`, which an app served beside the interface has none of."""


class NoApp(Exception):
    """There is no app to register, or it cannot be read; the text tells a person why."""


class Source(Protocol):
    """Where the files of an app are."""

    async def read(self, path: PurePosixPath) -> bytes | None:
        """The contents of a file, None if there is none. Raises NoApp where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An app in a folder."""

    path: Path

    async def read(self, path: PurePosixPath) -> bytes | None:
        """As `Source.read`."""
        file = self.path / path
        return file.read_bytes() if file.is_file() and file.stat().st_size <= LARGEST else None


@dataclass(frozen=True, slots=True)
class Site:
    """An app below a URL."""

    session: ClientSession
    url: URL

    async def read(self, path: PurePosixPath) -> bytes | None:
        """As `Source.read`."""
        try:
            async with self.session.get(self.url / str(path)) as response:
                if response.status != 200:
                    return None
                body = await response.content.read(LARGEST + 1)
                while len(body) <= LARGEST and (chunk := await response.content.read(LARGEST)):
                    body += chunk
        except (ClientError, TimeoutError) as error:
            raise NoApp(f"{self.url} cannot be read: {error}") from error
        return body if len(body) <= LARGEST else None


@dataclass(frozen=True, slots=True)
class Registered:
    """An app that is in the store now; `created` is False when one of its name was there before.

    `changed` is False when it was there just as it is now.
    """

    id: str
    name: str
    created: bool
    changed: bool = True


async def register(
    runtime: Runtime, place: str, *, api_url: str | None = None, allowed_users: str | None = None
) -> list[Registered]:
    """Register the app in a folder or below a URL, or each app in the folders of a folder.

    What is known by name already keeps its id. `api_url` becomes the API that the apps talk to; without it they use
    the interface's own. `allowed_users` (`all`, `admins`) opens them to accounts that decided nothing of their own; in
    the master account they are installed for all. Raises NoApp and, for metadata that the schema refuses, Invalid.
    """
    master_id = await runtime.access.directory.master_id()
    if master_id is None:
        raise NoApp("there is no master account yet; `crossbar init` creates it")
    given = {"api_url": api_url, "allowed_users": allowed_users}
    registrar = _Registrar(runtime, master_id, {key: value for key, value in given.items() if value is not None})
    if URL(place).scheme in ("http", "https"):
        async with ClientSession(timeout=ClientTimeout(total=60)) as session:
            return [await registrar.register(Site(session, URL(place)), place)]
    return [await registrar.register(Folder(path), str(path)) for path in _folders(Path(place))]


async def register_each(runtime: Runtime, place: Path) -> tuple[list[Registered], list[str]]:
    """Register the apps in the folders of a folder, each by itself, unless they are there just as they are.

    Returns those that are in the store, and for each of the others a sentence that tells a person why it is not. A
    folder without apps is no mistake.
    """
    master_id = await runtime.access.directory.master_id()
    found = _apps_in(place)
    if master_id is None:
        return [], ["there is no master account yet; start again when there is one"] if found else []
    registrar = _Registrar(runtime, master_id, {})
    registered: list[Registered] = []
    problems: list[str] = []
    for folder in found:
        try:
            registered.append(await registrar.register(Folder(folder), str(folder), again=False))
        except NoApp as error:
            problems.append(str(error))
        except Invalid as error:
            details = ((field, detail) for field, codes in error.fields.items() for detail in codes.values())
            problems.append("; ".join(f"{field}: {detail['message']}" for field, detail in details))
    return registered, problems


def _apps_in(path: Path) -> list[Path]:
    """The folders of apps in a folder."""
    return sorted(file.parent.parent for file in path.glob(f"*/{METADATA}"))


def _folders(path: Path) -> Iterator[Path]:
    found = [path] if (path / METADATA).is_file() else _apps_in(path)
    if not found:
        raise NoApp(f"{path} has no {METADATA}, neither has a folder in it")
    yield from found


@dataclass(frozen=True, slots=True)
class _Registrar:
    services: Runtime
    master_id: str
    given: dict[str, str]

    async def register(self, source: Source, place: str, *, again: bool = True) -> Registered:
        """Put an app into the store; without `again` only where it is not there just as it is."""
        metadata = await self._metadata(source, place)
        known = await self._known(metadata["name"])
        if known is not None and not again and await self._is_there(known, metadata, source):
            return Registered(known.id, metadata["name"], created=False, changed=False)
        fields = {**(known.fields if known else {}), **metadata, **self.given, "pvt_modified": clock.now()}
        if known is None:
            fields |= {"pvt_type": APP, "pvt_account_id": self.master_id, "pvt_created": clock.now()}
        app = await self.services.store.upsert(Document(self.master_id, APP, known.id if known else new_id(), fields))
        await self._keep_images(app, source)
        await self._install(app)
        return Registered(app.id, metadata["name"], known is None)

    async def _metadata(self, source: Source, place: str) -> dict[str, Any]:
        """`app.json` without what depends on the place it came from. Raises NoApp, Invalid."""
        text = await source.read(METADATA)
        if text is None:
            raise NoApp(f"{place} has no {METADATA}")
        try:
            metadata = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise NoApp(f"{METADATA} of {place} is no JSON: {error}") from error
        if not isinstance(metadata, dict):
            raise NoApp(f"{METADATA} of {place} is no JSON object")
        own = {
            key: value for key, value in public_fields(metadata).items() if key not in ("id", "api_url", "source_url")
        }
        valid, errors = self.services.schemas.errors(APP, {**own, "api_url": STAND_IN_URL})
        if errors:
            raise Invalid({f"{place}: {field}": error for field, error in errors.items()})
        del valid["api_url"]
        return valid

    async def _is_there(self, known: Document, metadata: dict[str, Any], source: Source) -> bool:
        """Whether everything of an app is in the store: its words, its images, and that it is installed."""
        if any(known.at(key) != value for key, value in {**metadata, **self.given}.items()):
            return False
        stored = await self.services.store.get(self.master_id, APPS_STORE, APPS_STORE)
        if known.id not in ((stored.at("apps") if stored else None) or {}):
            return False
        kept = {image.name: image.size for image in await self.services.attachments.all(known)}
        return all([len(image) == kept.get(name) async for name, image in self._images(known, source)])

    async def _known(self, name: str) -> Document | None:
        apps = await self.services.store.all(Listing(self.master_id, APP))
        return next((app for app in apps if app.at("name") == name), None)

    async def _keep_images(self, app: Document, source: Source) -> None:
        async for name, image in self._images(app, source):
            content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            await self.services.attachments.put(app, name, content_type, image)

    @staticmethod
    async def _images(app: Document, source: Source) -> AsyncIterator[tuple[str, bytes]]:
        """The images of an app that there are, by the names that it gives them."""
        for key, folder in FOLDERS.items():
            names = app.at(key) or []
            for name in [names] if isinstance(names, str) else names:
                # The name is the app's word: nothing outside its own folder is read.
                image = await source.read(folder / PurePosixPath(name).name)
                if image is not None:
                    yield name, image

    async def _install(self, app: Document) -> None:
        """The master account opens an app to all its users, unless it decided otherwise before."""
        stored = await self.services.store.get(self.master_id, APPS_STORE, APPS_STORE)
        fields: dict[str, Any] = {"pvt_type": APPS_STORE, "pvt_account_id": self.master_id}
        fields |= stored.fields if stored else {}
        entry = {"allowed_users": "all", "users": [], "name": app.at("name")}
        fields["apps"] = {app.id: entry, **(fields.get("apps") or {})}
        await self.services.store.upsert(Document(self.master_id, APPS_STORE, APPS_STORE, fields))
