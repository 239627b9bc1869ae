"""Apps store: the apps that are open to an account, and who of its users may open them.

Source: KAZOO `cb_apps_store`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document, public_fields
from crossbar.documents.shape import Summary
from crossbar.endpoint import ACCOUNT, BARE, Binary, Call, Reply, Resource, Who
from crossbar.errors import JSON, Forbidden, Invalid, NotFound, Plain, SystemFault
from crossbar.resources.apps.domain.app_catalog import APP, STORE, AppsStore, load_store, published_apps

SHOWN: Final = (
    "name",
    "i18n",
    "tags",
    "api_url",
    "source_url",
    "phase",
    "extends",
)
"""Fields of an app that the list shows as they are."""

apps_store = Resource("apps_store", document_type=STORE, summary=Summary("id"), operations=(), id_name="app_id")


@apps_store.get()
async def index(call: Call) -> Reply:
    """Every app open to the account, by name; who may open it where somebody decided that."""
    decided = await load_store(call.services, call.account_id)
    return Reply([_row(app, decided) for app in await published_apps(call.services, call.account, decided)])


def _row(app: Document, decided: AppsStore) -> dict[str, Any]:
    row: dict[str, Any] = {"id": app.id, **{key: app.fields[key] for key in SHOWN if app.fields.get(key) is not None}}
    row |= {"account_id": app.database, "masqueradable": app.at("masqueradable", True), "users": []}
    return row | decided.permissions(app)


@apps_store.get("/{app_id}")
async def read(call: Call) -> Reply:
    """One app, whole, with what the account decided about it."""
    app = await _published(call)
    if app is None:
        raise SystemFault("bad_identifier", details=call.path["app_id"])
    decided = await load_store(call.services, call.account_id)
    whole = {**app.public, "account_id": app.database, **decided.permissions(app)}
    return Reply(whole, revision=app.revision)


async def _published(call: Call) -> Document | None:
    """The app in the path, if it is open to the account."""
    decided = await load_store(call.services, call.account_id)
    apps = await published_apps(call.services, call.account, decided)
    return next((app for app in apps if app.id == call.path["app_id"]), None)


# Installing


@apps_store.put("/{app_id}", checks_itself=True)
async def install(call: Call) -> Reply:
    """Say for the first time who may open an app."""
    return await _decide(call, installed=False)


@apps_store.post("/{app_id}", checks_itself=True)
async def update(call: Call) -> Reply:
    """Say anew who may open an app."""
    return await _decide(call, installed=True)


@apps_store.delete("/{app_id}", checks_itself=True)
async def uninstall(call: Call) -> Reply:
    """Close an app to the account's users."""
    app_id = (await _known(call)).id

    def without(stored: dict[str, JSON]) -> dict[str, JSON]:
        apps = _installed(stored, app_id, wanted=True)
        return {**stored, "apps": {key: entry for key, entry in apps.items() if key != app_id}}

    await apps_store.life.upsert(call, STORE, without)
    return Reply({})


async def _decide(call: Call, *, installed: bool) -> Reply:
    app = await _known(call)
    entry = {**call.object, "name": app.at("name")}

    def laid_in(stored: dict[str, JSON]) -> dict[str, JSON]:
        return {**stored, "apps": {**_installed(stored, app.id, wanted=installed), app.id: entry}}

    await apps_store.life.upsert(call, STORE, laid_in)
    return Reply(entry)


async def _known(call: Call) -> Document:
    app = await _published(call)
    if app is None:
        raise Forbidden(details=call.path["app_id"])
    return app


def _installed(stored: dict[str, JSON], app_id: str, *, wanted: bool) -> dict[str, JSON]:
    """What is installed, where the app has to be among it or must not."""
    apps: dict[str, JSON] = stored.get("apps") or {}
    if (app_id in apps) is not wanted:
        raise Plain(400, f"Application {'is not' if wanted else 'already'} installed")
    return apps


# Blacklist


async def is_above(call: Call) -> bool | None:
    """Only who stands above an account may close apps to it."""
    above = call.account.within(call.identity.account_id) or call.identity.superduper
    return above and call.account_id != call.identity.account_id


@apps_store.get("/blacklist", who=is_above)
async def read_blacklist(call: Call) -> Reply:
    """The ids of the apps that are closed to the account."""
    stored = await call.store.get(call.account_id, STORE, STORE)
    return Reply({"blacklist": (stored.at("blacklist") if stored else None) or []})


@apps_store.post("/blacklist", who=is_above, checks_itself=True)
async def replace_blacklist(call: Call) -> Reply:
    """Close these apps to the account, and no others."""
    wanted = call.object.get("blacklist", [])
    if not isinstance(wanted, list):
        message = "Value did not match type(s): array"
        raise Invalid.field("blacklist", "type", message, target="array", value=wanted)

    def laid_in(stored: dict[str, JSON]) -> dict[str, JSON]:
        return {**stored, "blacklist": wanted}

    saved = await apps_store.life.upsert(call, STORE, laid_in)
    return Reply({"blacklist": public_fields(saved.fields)["blacklist"]})


# Images


@apps_store.get("/{app_id}/icon", scopes=(BARE,), who=Who.ANONYMOUS)
@apps_store.get("/{app_id}/icon", scopes=(ACCOUNT,))
async def icon(call: Call) -> Binary:
    """The app's icon."""
    app = await _app(call)
    return await _image(call, app, app.at("icon"))


@apps_store.get("/{app_id}/screenshot/{number}", scopes=(BARE,), who=Who.ANONYMOUS)
@apps_store.get("/{app_id}/screenshot/{number}", scopes=(ACCOUNT,))
async def screenshot(call: Call) -> Binary:
    """One of the app's screenshots, counted from 0."""
    app, number = await _app(call), call.path["number"]
    names = app.at("screenshots") or []
    known = number.isascii() and number.isdigit() and int(number) < len(names)
    return await _image(call, app, names[int(number)] if known else None)


async def _app(call: Call) -> Document:
    """An app of the installation: of the account in the path it must be one of the open ones."""
    app_id = call.path["app_id"]
    if call.target is not None:
        app = await _published(call)
    else:
        master_id = await call.directory.master_id()
        app = await call.store.get(master_id, APP, app_id) if master_id else None
    if app is None:
        raise NotFound(app_id)
    return app


async def _image(call: Call, app: Document, name: JSON) -> Binary:
    found = await call.services.attachments.find(app, name) if isinstance(name, str) else None
    if found is None:
        raise NotFound(app.id)
    return await Binary.attachment(call, found)
