# SPDX-License-Identifier: MPL-2.0
"""Apps store: the apps that are open to an account, and who of its users may open them.

Source: KAZOO `cb_apps_store`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document, as_list, as_object, public_fields
from crossbar.documents.document_types import APPS_STORE
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Binary, Collection, Context, Reply, Who
from crossbar.errors import JSON, Forbidden, Invalid, NotFound, Plain, SystemFault
from crossbar.resources.apps.domain.app_catalog import APP, AppsStore, load_store, published_apps
from crossbar.resources.billing.services import charge_for

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

apps_store = Collection(
    "apps_store", "/accounts/{account_id}/apps_store/{app_id}", Shape(APPS_STORE, summary=Summary("id")), operations=()
)
charge_for(apps_store)


@apps_store.get("/accounts/{account_id}/apps_store")
async def index(context: Context) -> Reply:
    """Every app open to the account, by name; who may open it where somebody decided that."""
    decided = await load_store(context.runtime, context.account_id)
    return Reply([_row(app, decided) for app in await published_apps(context.runtime, context.account, decided)])


def _row(app: Document, decided: AppsStore) -> dict[str, Any]:
    row: dict[str, Any] = {"id": app.id, **{key: app.fields[key] for key in SHOWN if app.fields.get(key) is not None}}
    row |= {"account_id": app.partition, "masqueradable": app.at("masqueradable", True), "users": []}
    return row | decided.permissions(app)


@apps_store.get("/accounts/{account_id}/apps_store/{app_id}")
async def read(context: Context) -> Reply:
    """One app, whole, with what the account decided about it."""
    app = await _published(context)
    if app is None:
        raise SystemFault("bad_identifier", details=context.path["app_id"])
    decided = await load_store(context.runtime, context.account_id)
    whole = {**app.public, "account_id": app.partition, **decided.permissions(app)}
    return Reply(whole, revision=app.revision)


async def _published(context: Context) -> Document | None:
    """The app in the path, if it is open to the account."""
    decided = await load_store(context.runtime, context.account_id)
    apps = await published_apps(context.runtime, context.account, decided)
    return next((app for app in apps if app.id == context.path["app_id"]), None)


# Installing


@apps_store.put("/accounts/{account_id}/apps_store/{app_id}", checks_itself=True, options=apps_store.options["replace"])
async def install(context: Context) -> Reply:
    """Say for the first time who may open an app."""
    return await _decide(context, installed=False)


@apps_store.post(
    "/accounts/{account_id}/apps_store/{app_id}", checks_itself=True, options=apps_store.options["replace"]
)
async def update(context: Context) -> Reply:
    """Say anew who may open an app."""
    return await _decide(context, installed=True)


@apps_store.delete("/accounts/{account_id}/apps_store/{app_id}", checks_itself=True)
async def uninstall(context: Context) -> Reply:
    """Close an app to the account's users."""
    app_id = (await _known(context)).id

    def without(stored: dict[str, JSON]) -> dict[str, JSON]:
        apps = _installed(stored, app_id, wanted=True)
        return {**stored, "apps": {key: entry for key, entry in apps.items() if key != app_id}}

    await apps_store.life.upsert(context, APPS_STORE, without)
    return Reply({})


async def _decide(context: Context, *, installed: bool) -> Reply:
    app = await _known(context)
    said = {key: value for key, value in context.object.items() if key != "accept_charges"}
    entry = {**said, "name": app.at("name")}

    def laid_in(stored: dict[str, JSON]) -> dict[str, JSON]:
        return {**stored, "apps": {**_installed(stored, app.id, wanted=installed), app.id: entry}}

    await apps_store.life.upsert(context, APPS_STORE, laid_in)
    return Reply(entry)


async def _known(context: Context) -> Document:
    app = await _published(context)
    if app is None:
        raise Forbidden(details=context.path["app_id"])
    return app


def _installed(stored: dict[str, JSON], app_id: str, *, wanted: bool) -> dict[str, JSON]:
    """What is installed, where the app has to be among it or must not."""
    apps = as_object(stored.get("apps"))
    if (app_id in apps) is not wanted:
        raise Plain(400, f"Application {'is not' if wanted else 'already'} installed")
    return apps


# Blacklist


async def is_above(context: Context) -> bool | None:
    """Only who stands above an account may close apps to it."""
    above = context.account.within(context.identity.account_id) or context.identity.superduper
    return above and context.account_id != context.identity.account_id


@apps_store.get("/accounts/{account_id}/apps_store/blacklist", who=is_above)
async def read_blacklist(context: Context) -> Reply:
    """The ids of the apps that are closed to the account."""
    stored = await context.store.get(context.account_id, APPS_STORE, APPS_STORE)
    return Reply({"blacklist": as_list(stored.at("blacklist") if stored else None)})


@apps_store.post(
    "/accounts/{account_id}/apps_store/blacklist",
    who=is_above,
    checks_itself=True,
    options={"blacklist": "The ids of the apps"},
)
async def replace_blacklist(context: Context) -> Reply:
    """Close these apps to the account, and no others."""
    wanted = context.object.get("blacklist", [])
    if not isinstance(wanted, list):
        message = "Value did not match type(s): array"
        raise Invalid.field("blacklist", "type", message, target="array", value=wanted)

    def laid_in(stored: dict[str, JSON]) -> dict[str, JSON]:
        return {**stored, "blacklist": wanted}

    saved = await apps_store.life.upsert(context, APPS_STORE, laid_in)
    return Reply({"blacklist": public_fields(saved.fields)["blacklist"]})


# Images


@apps_store.get("/apps_store/{app_id}/icon", who=Who.ANONYMOUS)
@apps_store.get("/accounts/{account_id}/apps_store/{app_id}/icon")
async def icon(context: Context) -> Binary:
    """The app's icon."""
    app = await _app(context)
    return await _image(context, app, app.at("icon"))


@apps_store.get("/apps_store/{app_id}/screenshot/{number}", who=Who.ANONYMOUS)
@apps_store.get("/accounts/{account_id}/apps_store/{app_id}/screenshot/{number}")
async def screenshot(context: Context) -> Binary:
    """One of the app's screenshots, counted from 0."""
    app, number = await _app(context), context.path["number"]
    names = as_list(app.at("screenshots"))
    known = number.isascii() and number.isdigit() and len(number) < 10 and int(number) < len(names)
    return await _image(context, app, names[int(number)] if known else None)


async def _app(context: Context) -> Document:
    """An app of the installation: of the account in the path it must be one of the open ones."""
    app_id = context.path["app_id"]
    if context.target is not None:
        app = await _published(context)
    else:
        master_id = await context.directory.master_id()
        app = await context.store.get(master_id, APP, app_id) if master_id else None
    if app is None:
        raise NotFound(app_id)
    return app


async def _image(context: Context, app: Document, name: JSON) -> Binary:
    found = await context.runtime.attachments.find(app, name) if isinstance(name, str) else None
    if found is None:
        raise NotFound(app.id)
    return await Binary.attachment(context, found)
