# SPDX-License-Identifier: MPL-2.0
"""What a person's commands do with an installation: its services are opened for that, whether or not a server runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossbar.access.directory import Account
from crossbar.access.resealing import reseal
from crossbar.app import ENDPOINTS, open_runtime, open_store
from crossbar.config import Config
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.moving.export import Exported, ExportWanted, Told, export
from crossbar.moving.file_format import AccountFile
from crossbar.moving.file_import import import_file
from crossbar.moving.remote_api import RemoteAccount, remote_api
from crossbar.moving.remote_import import import_from
from crossbar.moving.report import MovingReport
from crossbar.resources.apps.domain.app_registration import Registered, register, register_each
from crossbar.resources.identity.domain import first_account, user_password
from crossbar.resources.identity.domain.user_password import KnownUser
from crossbar.resources.system.domain.outside_files import reaching_outside
from crossbar.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The master account and its administrator; `created` is False when they were there before."""

    account_id: str
    user_id: str
    api_key: str
    created: bool


async def is_initialized(config: Config, *, database_uri: str) -> bool:
    """Whether there is an account."""
    store = open_store(config, database_uri)
    try:
        await store.prepare()  # a first start may have ended before it had made the indexes
        return await store.exists(ACCOUNTS, ACCOUNT)
    finally:
        await store.close()


async def bootstrap(
    config: Config, *, database_uri: str, account: str, realm: str, user: str, password: str
) -> Bootstrap:
    """Create the master account and its administrator unless there is an account already."""
    async with open_runtime(config, database_uri) as services:
        made = await first_account.create(services, account=account, realm=realm, user=user, password=password)
        return Bootstrap(made.account_id, made.user_id, made.api_key, made.created)


async def list_users(config: Config, *, database_uri: str, account: str | None) -> tuple[Account, list[KnownUser]]:
    """An account (by name, realm or id; the master account) and its users. Raises NobodyFound."""
    async with open_runtime(config, database_uri) as services:
        found = await user_password.find_account(services, account)
        return found, await user_password.users_of(services, found)


async def set_password(
    config: Config, *, database_uri: str, account: str | None, user: str, password: str
) -> tuple[Account, KnownUser]:
    """Give a user (by user name or id) another password. Raises NobodyFound, Invalid."""
    async with open_runtime(config, database_uri) as services:
        found = await user_password.find_account(services, account)
        return found, await user_password.set_password(services, found, user, password)


async def rotate_secrets(config: Config, *, database_uri: str, told: Callable[[int], None]) -> int:
    """Seal all credentials under the current key; returns how many documents were written."""
    async with open_runtime(config, database_uri) as services:
        return await reseal(services.store, services.access.pepper, told)


async def register_interface(config: Config, *, database_uri: str, folder: Path) -> tuple[list[Registered], list[str]]:
    """Put the apps of a built interface into the apps store; returns them, and why others could not be."""
    async with open_runtime(config, database_uri) as services:
        return await register_each(services, folder / "apps")


async def register_apps(
    config: Config, *, database_uri: str, place: str, api_url: str | None, allowed_users: str | None
) -> list[Registered]:
    """Put the apps of a folder or URL into the apps store. Raises NoApp, Invalid."""
    async with open_runtime(config, database_uri) as services:
        return await register(services, place, api_url=api_url, allowed_users=allowed_users)


async def export_account(
    config: Config, *, database_uri: str, account: str | None, wanted: ExportWanted, told: Told
) -> Exported:
    """Write an account (by name, realm or id; the master account) to a new file. Raises NobodyFound, CannotMove."""
    async with open_runtime(config, database_uri) as services, reaching_outside(services):
        found = await user_password.find_account(services, account)
        return await export(services, found, wanted, told)


async def import_account(
    config: Config, *, database_uri: str, file: AccountFile, parent: str | None, dry_run: bool, told: Told
) -> MovingReport:
    """Take in the accounts of a file, below an account (by name, realm or id; the master account).

    Raises NobodyFound, CannotMove.
    """
    async with open_runtime(config, database_uri) as services, reaching_outside(services, sends=False):
        parent_id = await _parent_of_import(services, parent)
        return await import_file(services, file, parent_id=parent_id, dry_run=dry_run, told=told)


async def _parent_of_import(services: Runtime, parent: str | None) -> str | None:
    """Where the first account of an import goes; None where there is none yet, and it becomes the master account."""
    if parent is None:
        return await services.access.directory.master_id()
    return (await user_password.find_account(services, parent)).id


async def import_from_api(
    config: Config,
    *,
    database_uri: str,
    source: RemoteAccount,
    parent: str | None,
    dry_run: bool,
    told: Told,
) -> MovingReport:
    """As `import_account`, from the Crossbar API of another installation."""
    async with (
        open_runtime(config, database_uri) as services,
        reaching_outside(services, sends=False),  # the old server's stores go on with its files
        remote_api(source.url, source.credentials, source.rate) as api,
    ):
        parent_id = await _parent_of_import(services, parent)
        return await import_from(services, api, ENDPOINTS, source, parent_id=parent_id, dry_run=dry_run, told=told)
