# SPDX-License-Identifier: MPL-2.0
"""KAZOO's API Primer, command by command: the installed server, plain `curl`, whole answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from crossbar import __version__, clock
from tests.e2e.installed import Answer, Installation, Shell
from tests.samples import DEVICE_DEFAULTS

PASSWORD = "a-good-password"


@pytest.fixture(scope="module")
def shell(
    tmp_path_factory: pytest.TempPathFactory, mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Shell]:
    """A shell with the Primer's variables, beside a server of its own."""
    folder = tmp_path_factory.mktemp("primer")
    database = {"CROSSBAR_DATABASE__URI": mongo_uri, "CROSSBAR_DATABASE__NAME": f"test-{uuid.uuid4().hex}"}
    installation = Installation(folder / "data")
    first = installation.init(PASSWORD, **database)
    with installation.serving("--create-admin", **database) as server:
        variables = {"SERVER": server.url, "PASSWORD": PASSWORD, "ACCOUNT_ID": first["account_id"]}
        yield Shell(folder, variables | {"USER_ID": first["user_id"], "API_KEY": first["api_key"]})
        assert server.printed == ""
        assert server.terminate() == 0
    mongo_client.drop_database(database["CROSSBAR_DATABASE__NAME"])


@pytest.fixture(scope="module")
def token(shell: Shell) -> str:
    """A token as the Primer gets it; also `$AUTH_TOKEN`."""
    answer = shell("""curl -X PUT $SERVER/v2/api_auth -d '{"data":{"api_key":"'$API_KEY'"}}'""")
    shell.variables["AUTH_TOKEN"] = answer.envelope["auth_token"]
    return shell.variables["AUTH_TOKEN"]


@pytest.fixture(scope="module")
def said(token: str) -> Any:
    """What a success says to the caller of the Primer."""

    def of(data: Any, **more: Any) -> dict[str, Any]:
        return {"data": data, "status": "success", "auth_token": token, "version": __version__, **more}

    return of


def error(status: int, message: str) -> dict[str, str]:
    """What the envelope of an error says in other words than a success, beside its `data`."""
    return {"status": "error", "error": str(status), "message": message}


def log_in(shell: Shell, **more: Any) -> dict[str, Any]:
    """The `data` of a log-in to the first account."""
    return {
        "account_id": shell.variables["ACCOUNT_ID"],
        "account_name": "Acme",
        "owner_id": shell.variables["USER_ID"],
        "apps": [],
        "language": "en-US",
        "is_master_account": True,
        "is_reseller": True,
        "capabilities": {"voicemail": {"transcription": {"available": False, "default": False}}},
        "ui_config": {},
        **more,
    }


def check_log_in(shell: Shell, answer: Answer) -> None:
    """The whole answer to a log-in to the first account."""
    assert answer.status == 201
    envelope = answer.said
    token, cluster_id = envelope.pop("auth_token"), envelope["data"].pop("cluster_id")
    assert (token.count("."), len(cluster_id)) == (2, 32)
    assert envelope == {
        "data": log_in(shell, reseller_id=shell.variables["ACCOUNT_ID"]),
        "status": "success",
        "revision": "automatic",
        "page_size": 1,
    }


def revision(answer: Answer) -> str:
    found: str = answer.envelope["revision"]
    return found


def test_basic_authentication_gives_the_api_key(shell: Shell) -> None:
    answer = shell("curl --user $ACCOUNT_ID:$PASSWORD $SERVER/v2/accounts/$ACCOUNT_ID/api_key")
    assert answer.status == 200
    assert answer.said == {
        "data": {"api_key": shell.variables["API_KEY"]},
        "status": "success",
        "version": __version__,
    }


def test_the_api_key_gives_a_token(shell: Shell) -> None:
    answer = shell("""curl -X PUT $SERVER/v2/api_auth -d '{"data":{"api_key":"'$API_KEY'"}}'""")
    check_log_in(shell, answer)


def test_a_user_s_name_and_password_give_a_token(shell: Shell) -> None:
    answer = shell(
        """CREDENTIALS=$(printf %s admin:$PASSWORD | md5sum | cut -d ' ' -f 1)
        curl -X PUT $SERVER/v2/user_auth -H "Content-Type: application/json" \
             -d '{"data":{"credentials":"'$CREDENTIALS'","account_name":"Acme","method":"md5"}}'"""
    )
    check_log_in(shell, answer)


def test_the_account(shell: Shell, said: Any) -> None:
    answer = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID')
    account_id, created = shell.variables["ACCOUNT_ID"], answer.envelope["data"]["created"]
    assert abs(created - clock.now()) < 3600
    account = {
        "id": account_id,
        "name": "Acme",
        "realm": "acme.example.com",
        "language": "en-US",
        "timezone": "America/Los_Angeles",
        "enabled": True,
        "created": created,
        "superduper_admin": True,
        "is_reseller": True,
        "reseller_id": account_id,
        "descendants_count": 0,
        "billing_mode": "limits_only",
        "wnm_allow_additions": True,
        "knm_allow_additions": True,
        "available_apps": [],
        "blacklists": [],
        "call_restriction": {},
        "caller_id": {},
        "dial_plan": {},
        "music_on_hold": {},
        "preflow": {},
        "ringtones": {},
    }
    computed = ("enabled", "created", "superduper_admin", "is_reseller", "reseller_id", "billing_mode")
    metadata = {key: account[key] for key in (*computed, "wnm_allow_additions")}
    assert answer.status == 200
    assert answer.said == said(account, revision=revision(answer), metadata=metadata)


def test_devices_from_the_first_to_the_last_breath(shell: Shell, said: Any) -> None:
    empty = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/devices')
    assert (empty.status, empty.said) == (200, said([], page_size=0))

    created = shell(
        """curl -X PUT -H "X-Auth-Token: $AUTH_TOKEN" -H "Content-Type: application/json" \
             -d '{"data":{"name":"Desk phone","sip":{"username":"desk"}}}' \
             $SERVER/v2/accounts/$ACCOUNT_ID/devices"""
    )
    shell.variables["DEVICE_ID"] = created.envelope["data"]["id"]
    device = {
        "id": shell.variables["DEVICE_ID"],
        "name": "Desk phone",
        "sip": {"username": "desk", "method": "password", "invite_format": "contact", "expire_seconds": 300},
        **DEVICE_DEFAULTS,
    }
    assert (created.status, created.said) == (201, said(device, revision=revision(created)))

    read = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/devices/$DEVICE_ID')
    assert (read.status, read.said) == (200, said(device, revision=revision(created)))

    listed = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/devices')
    row = {
        "id": device["id"],
        "name": "Desk phone",
        "username": "desk",
        "mac_address": "",
        "enabled": True,
        "device_type": "sip_device",
        "flags": [],
    }
    assert (listed.status, listed.said) == (200, said([row], page_size=1, revision=revision(listed)))

    device["name"] = "Front desk"
    replaced = shell(
        """curl -X POST -H "X-Auth-Token: $AUTH_TOKEN" -H "Content-Type: application/json" \
             -d '{"data":{"name":"Front desk","sip":{"username":"desk"}}}' \
             $SERVER/v2/accounts/$ACCOUNT_ID/devices/$DEVICE_ID"""
    )
    assert (replaced.status, replaced.said) == (200, said(device, revision=revision(replaced)))
    assert revision(replaced).startswith("2-")

    device["enabled"] = False
    patched = shell(
        """curl -X PATCH -H "X-Auth-Token: $AUTH_TOKEN" -d '{"data":{"enabled":false}}' \
             $SERVER/v2/accounts/$ACCOUNT_ID/devices/$DEVICE_ID"""
    )
    assert (patched.status, patched.said) == (200, said(device, revision=revision(patched)))
    assert revision(patched).startswith("3-")

    deleted = shell('curl -X DELETE -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/devices/$DEVICE_ID')
    gone = {**device, "_read_only": {"deleted": True}}
    assert (deleted.status, deleted.said) == (200, said(gone, revision=revision(patched)))

    missing = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/devices/$DEVICE_ID')
    told = {"cause": device["id"], "message": "bad identifier"}
    assert (missing.status, missing.said) == (404, said(told, **error(404, "bad_identifier")))


def user_row(user_id: str, username: str, name: str, level: str) -> dict[str, Any]:
    """A user as lists show it."""
    first_name, _, last_name = name.partition(" ")
    names = {"id": user_id, "username": username, "first_name": first_name, "last_name": last_name}
    return {**names, "priv_level": level, "features": ["vm_to_email"], "flags": []}


def test_a_user_is_created_patched_and_deleted_by_a_verb_in_the_envelope(shell: Shell, said: Any) -> None:
    created = shell(
        """curl -X PUT -H "X-Auth-Token: $AUTH_TOKEN" -H "Content-Type: application/json" \
             -d '{"data":{"first_name":"Ada","last_name":"Lovelace","username":"Ada","password":"analytical"}}' \
             $SERVER/v2/accounts/$ACCOUNT_ID/users"""
    )
    user = {
        "id": created.envelope["data"]["id"],
        "first_name": "Ada",
        "last_name": "Lovelace",
        "username": "ada",
        "enabled": True,
        "priv_level": "user",
        "call_restriction": {},
        "contact_list": {},
        "hotdesk": {"enabled": False, "keep_logged_in_elsewhere": False, "require_pin": False},
        "music_on_hold": {},
        "require_password_update": False,
        "ringtones": {},
        "verified": False,
        "vm_to_email_enabled": True,
    }
    shell.variables["ADA"] = user["id"]
    assert (created.status, created.said) == (201, said(user, revision=revision(created)))

    user["first_name"] = "Augusta"
    patched = shell(
        """curl -X PATCH -H "X-Auth-Token: $AUTH_TOKEN" -d '{"data":{"first_name":"Augusta"}}' \
             $SERVER/v2/accounts/$ACCOUNT_ID/users/$ADA"""
    )
    assert (patched.status, patched.said) == (200, said(user, revision=revision(patched)))

    listed = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/users')
    augusta = user_row(user["id"], "ada", "Augusta Lovelace", "user")
    admin = user_row(shell.variables["USER_ID"], "admin", "Account Admin", "admin")
    assert (listed.status, listed.said) == (200, said([augusta, admin], page_size=2, revision=revision(listed)))

    deleted = shell(
        """curl -X POST -H "X-Auth-Token: $AUTH_TOKEN" -H "Content-Type: application/json" \
             -d '{"data":{},"verb":"DELETE"}' $SERVER/v2/accounts/$ACCOUNT_ID/users/$ADA"""
    )
    gone = {**user, "_read_only": {"deleted": True}}
    assert (deleted.status, deleted.said) == (200, said(gone, revision=revision(patched)))

    left = shell('curl -H "X-Auth-Token: $AUTH_TOKEN" $SERVER/v2/accounts/$ACCOUNT_ID/users')
    assert (left.status, left.said) == (200, said([admin], page_size=1, revision=revision(left)))


def test_patch_where_it_is_not_offered(shell: Shell, said: Any) -> None:
    for path in ("api_key", "devices", "token_restrictions"):
        refused = shell(
            """curl -X PATCH -H "X-Auth-Token: $AUTH_TOKEN" -H "Content-Type: application/json" \
                 -d '{"data":{"name":"x"}}' $SERVER/v2/accounts/$ACCOUNT_ID/"""
            + path
        )
        told = {"message": "method not allowed"}
        assert (refused.status, refused.said) == (405, said(told, **error(405, "invalid_method")))


def test_a_mistake_is_told_by_field(shell: Shell, said: Any) -> None:
    refused = shell(
        """curl -X PUT -H "X-Auth-Token: $AUTH_TOKEN" -d '{"data":{"first_name":"Grace","email":"grace"}}' \
             $SERVER/v2/accounts/$ACCOUNT_ID/users"""
    )
    mistakes = {
        "last_name": {"required": {"message": "Field is required but missing", "value": "last_name"}},
        "email": {
            "wrong_format": {"message": "Field is not in the correct format", "value": "grace", "format": "email"}
        },
    }
    assert (refused.status, refused.said) == (400, said(mistakes, **error(400, "validation error")))


def test_without_a_token(shell: Shell) -> None:
    refused = shell("curl $SERVER/v2/accounts/$ACCOUNT_ID/devices")
    assert refused.status == 401
    assert refused.said == {"data": {"message": "invalid credentials"}, **error(401, "invalid_credentials")}
