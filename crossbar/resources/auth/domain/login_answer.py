# SPDX-License-Identifier: MPL-2.0
"""What a client is told after a log-in.

Source: `crossbar_util.erl` (`response_auth`, `populate_resp`), `crossbar_auth.erl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crossbar.access.directory import Account, User
from crossbar.errors import JSON
from crossbar.resources.apps.domain.app_catalog import allowed_apps
from crossbar.runtime import Runtime

UI_SERVICES: Final = {
    "provisioner": ("provisioner", "provisioning_url"),
    "mobile": ("mobile", "url"),
    "kazoo_websocket": ("blackhole", "url"),
    "webrtc_websocket": ("webrtc", "url"),
    "phonebook": ("phonebook", "url"),
    "cluster_manager": ("cluster_manager", "url"),
}
"""Services that user interfaces are told of → the system setting (category, key) with their address."""


async def login_object(
    runtime: Runtime, account: Account, user: User | None, claims: Mapping[str, JSON] | None = None
) -> dict[str, Any]:
    """What a client is told after a log-in; `claims` are those of a token that is looked at."""
    language = (user.language if user else None) or account.language or runtime.config.api.default_language
    directory = runtime.access.directory
    answer: dict[str, Any] = {
        **(claims or {}),
        "account_id": account.id,
        "account_name": account.name,
        "apps": await allowed_apps(runtime, account, user, language),
        "language": language,
        "cluster_id": (await runtime.access.keys.ring()).cluster_id,
        "is_reseller": account.is_reseller,
        "is_master_account": account.id == await directory.master_id(),
        "capabilities": {"voicemail": {"transcription": {"available": False, "default": False}}},
        "ui_config": _ui_config(runtime),
    }
    if user is not None:
        answer["owner_id"] = user.id
    if (reseller_id := await directory.reseller_of(account)) is not None:
        answer["reseller_id"] = reseller_id
    return answer


def _ui_config(runtime: Runtime) -> dict[str, Any]:
    urls = {name: runtime.settings.get(*setting) for name, setting in UI_SERVICES.items()}
    known = {name: {"url": url} for name, url in urls.items() if url}
    return {"api": known} if known else {}
