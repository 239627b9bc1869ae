# SPDX-License-Identifier: MPL-2.0
"""Secrets that are stored are of no use without the pepper."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from crossbar.access.passwords import credential_fields, hashed, password_fields
from crossbar.access.pepper import Pepper, Unsealable

PEPPER, OTHER = Pepper("0123456789abcdef"), Pepper("fedcba9876543210")


def test_a_short_pepper_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Pepper("short")


def test_a_sealed_value_comes_back_under_its_own_pepper_alone() -> None:
    sealed = PEPPER.seal("a key")
    assert "a key" not in sealed
    assert PEPPER.unseal(sealed) == "a key"
    with pytest.raises(Unsealable):
        OTHER.unseal(sealed)


@pytest.mark.parametrize(("method", "function"), [("md5", hashlib.md5), ("sha", hashlib.sha1)])
def test_a_client_hashes_its_lower_case_user_name_and_password(method: str, function: type) -> None:
    assert hashed(method, "Ann", "Gänse:füß") == function("ann:Gänse:füß".encode()).hexdigest()  # type: ignore[arg-type]
    assert hashed(method, "ann", b"raw") == function(b"ann:raw").hexdigest()  # type: ignore[arg-type]


def test_what_is_stored_of_a_password() -> None:
    md5 = hashlib.md5(b"ann:secret").hexdigest()
    stored = password_fields(PEPPER, "ann", "secret")
    assert stored == {
        "pvt_md5_auth": hmac.new(b"0123456789abcdef", md5.encode(), "sha256").hexdigest(),
        "pvt_sha1_auth": PEPPER.digest(hashlib.sha1(b"ann:secret").hexdigest()),
    }
    assert credential_fields(PEPPER, md5.upper()) == {"pvt_md5_auth": stored["pvt_md5_auth"]}
    assert not set(stored.values()) & set(password_fields(OTHER, "ann", "secret").values())
