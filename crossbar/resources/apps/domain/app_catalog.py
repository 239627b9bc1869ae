# SPDX-License-Identifier: MPL-2.0
"""Apps of user interfaces: what an installation offers, and which of it an account's users may open.

Source: KAZOO `cb_apps_util.erl`, `kzd_app.erl`, `kzd_apps_store.erl`. App documents live in the master account; what
an account does with them is one document of its own, `apps_store`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crossbar.access.directory import Account, User
from crossbar.documents.document import Document
from crossbar.documents.document_types import APPS_STORE, WHITELABEL
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.errors import JSON
from crossbar.resources.billing.domain.service_plan import load_plans
from crossbar.runtime import Runtime

APP: Final = "app"
PORT_APP: Final = "port"
"""Name of the app that a whitelabel's `hide_port` hides."""
FALLBACK_LANGUAGE: Final = "en-US"


def claims(app: Document) -> Iterator[Unique]:
    """Its name."""
    if name := app.text("name"):
        yield Unique("app.name", name, "name", "An app of this name exists", cause=name)


APP_SHAPE: Final = Shape(APP, summary=Summary("id", "name"), sort="name", unique=claims)


@dataclass(frozen=True, slots=True)
class AppsStore:
    """What an account decided: `apps` by id has who may open an app, `blacklist` the ids that nobody may."""

    apps: Mapping[str, dict[str, JSON]]
    blacklist: frozenset[str]

    @classmethod
    def of(cls, document: Document | None) -> AppsStore:
        """The decisions in an account's document; none without one."""
        apps = document.at("apps") if document else None
        blacklist = document.at("blacklist") if document else None
        return cls(
            {key: entry for key, entry in apps.items() if isinstance(entry, dict)} if isinstance(apps, dict) else {},
            frozenset(item for item in blacklist if isinstance(item, str))
            if isinstance(blacklist, list)
            else frozenset(),
        )

    def permissions(self, app: Document) -> dict[str, JSON]:
        """`allowed_users` and `users` of an app: the account's own words, else those of the app itself."""
        entry = self.apps.get(app.id)
        source = app.fields if entry is None else entry
        return {key: source[key] for key in ("allowed_users", "users") if source.get(key) is not None}

    def allows(self, app: Document, user: User) -> bool:
        """Whether a user of the account may open an app. One that nobody installed is closed."""
        permissions = self.permissions(app)
        match permissions.get("allowed_users"):
            case "all":
                return True
            case "admins":
                return user.is_admin
            case "specific":
                return user.id in user_ids(permissions.get("users"))
            case _:
                return False


def user_ids(users: JSON) -> set[str]:
    """The ids in a list of users; interfaces write them as text or as objects with an `id`."""
    entries = users if isinstance(users, list) else []
    ids = (entry.get("id") if isinstance(entry, dict) else entry for entry in entries)
    return {user_id for user_id in ids if isinstance(user_id, str)}


async def load_apps(runtime: Runtime) -> list[Document]:
    """Every app of the installation, by name."""
    master_id = await runtime.access.directory.master_id()
    if master_id is None:
        return []
    return await runtime.store.all(Listing(master_id, APP, descending=False))


async def load_store(runtime: Runtime, account_id: str) -> AppsStore:
    """What the account decided about apps."""
    return AppsStore.of(await runtime.store.get(account_id, APPS_STORE, APPS_STORE))


async def published_apps(runtime: Runtime, account: Account, decided: AppsStore) -> list[Document]:
    """The apps that are open to an account, whoever its users are.

    An app's own `published` comes first, service plans overrule it, the blacklist overrules both; the master account
    has every app.
    """
    apps = await load_apps(runtime)
    if account.id == await runtime.access.directory.master_id():
        return apps
    sold = await _sold(runtime, account)
    hides_port = await _hides_port(runtime, account)
    return [
        app
        for app in apps
        if sold.get(app.id, app.at("published") is not False)
        and app.id not in decided.blacklist
        and not (hides_port and app.at("name") == PORT_APP)
    ]


async def _sold(runtime: Runtime, account: Account) -> dict[str, bool]:
    """Which apps the account's service plans, or else its reseller's, switch on or off."""
    plans = await load_plans(runtime, account)
    reseller_id = await runtime.access.directory.reseller_of(account)
    if not plans and reseller_id is not None and reseller_id != account.id:
        reseller = await runtime.access.directory.account(reseller_id)
        plans = await load_plans(runtime, reseller) if reseller else []
    return switched(plan.get("applications") for plan in plans)


def switched(applications: Iterable[JSON]) -> dict[str, bool]:
    """App id → whether it is on, from the `applications` of plans; a later plan wins."""
    return {
        app_id: not (isinstance(entry, dict) and entry.get("enabled") is False)
        for entries in applications
        if isinstance(entries, dict)
        for app_id, entry in entries.items()
    }


async def _hides_port(runtime: Runtime, account: Account) -> bool:
    if account.is_reseller:
        return False
    reseller_id = await runtime.access.directory.reseller_of(account)
    whitelabel = await runtime.store.get(reseller_id, WHITELABEL, WHITELABEL) if reseller_id else None
    return whitelabel is not None and whitelabel.at("hide_port") is True


async def allowed_apps(runtime: Runtime, account: Account, user: User | None, language: str) -> list[dict[str, Any]]:
    """The apps that a user may open, as the log-in shows them: `id, name, api_url, source_url, label`.

    Without a user (an API key) what is open to the account counts. `label` is in `language` (`xx-XX`) where the app
    has it.
    """
    decided = await load_store(runtime, account.id)
    apps = await published_apps(runtime, account, decided)
    if user is not None and account.id != await runtime.access.directory.master_id():
        apps = [app for app in apps if decided.allows(app, user)]
    languages = (language, runtime.config.api.default_language, FALLBACK_LANGUAGE)
    return [_brief(app, languages) for app in apps]


def _brief(app: Document, languages: tuple[str, ...]) -> dict[str, Any]:
    known = {
        "id": app.id,
        "name": app.at("name"),
        "api_url": app.at("api_url"),
        "source_url": app.at("source_url"),
        "label": _label(app, languages),
    }
    return {key: value for key, value in known.items() if value is not None}


def _label(app: Document, languages: tuple[str, ...]) -> JSON:
    texts = app.at("i18n")
    entries = [texts.get(language) for language in languages] if isinstance(texts, dict) else []
    return next((entry["label"] for entry in entries if isinstance(entry, dict) and "label" in entry), None)
