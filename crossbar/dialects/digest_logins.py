# SPDX-License-Identifier: MPL-2.0
"""HTTP Digest, by which clients of XiVO's time log in without a token (RFC 7616: MD5, `qop=auth`).

What Digest proves is the MD5 of user name, realm and password together. KAZOO's digests do not tell it, so that where
`dialects.digest` is on it is kept beside them, sealed, when a dialect sets a password: for the user name alone, and
with the account's realm behind it. It counts for as long as those digests are the same.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.request import parse_http_list, parse_keqv_list

from aiohttp import hdrs, web

from crossbar import clock
from crossbar.access.identity import Identity
from crossbar.access.passwords import MD5_FIELD
from crossbar.access.pepper import Pepper
from crossbar.dialects.homes import ASIDE
from crossbar.dialects.named_logins import identity_proved
from crossbar.dialects.user_homes import USERNAME
from crossbar.documents.document import Document, as_object
from crossbar.documents.sealing import Unsealable
from crossbar.errors import JSON
from crossbar.ids import new_id
from crossbar.runtime import Runtime
from crossbar.wire.text import clean

REALM: Final = "XivoRealm"
SCHEME: Final = "digest "
NONCE_SECONDS: Final = 60
NEEDED: Final = ("username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce")


def keep(runtime: Runtime, user: Document, password: JSON, realm: str) -> None:
    """Keep what Digest needs of a password that `user`, about to be saved, is given."""
    name, digests = USERNAME.read(user.fields), user.fields.get(MD5_FIELD)
    if not runtime.config.dialects.digest or not password or not name or not digests:
        return
    sealed = {one: runtime.access.pepper.seal(_md5(one, REALM, password)) for one in (str(name), f"{name}@{realm}")}
    kept = {"of": digests, "sealed": [[one, text] for one, text in sealed.items()]}
    user.fields[ASIDE] = {**as_object(user.fields.get(ASIDE)), "digest": kept}


async def identity_of(runtime: Runtime, request: web.Request, address: str) -> Identity | None:
    """Who answers a challenge; None for a wrong answer. Raises 429 where too many of a user's were wrong."""
    sent = _sent(request)
    if sent is None or not _is_fresh(runtime.access.pepper, sent["nonce"]):
        return None

    def proves(user: Document) -> bool:
        known = _known(runtime.access.pepper, user, sent["username"])
        return known is not None and hmac.compare_digest(
            _answer(known, request.method, sent), sent["response"].encode()
        )

    return await identity_proved(runtime, sent["username"], address, proves)


def challenge(runtime: Runtime, request: web.Request) -> str:
    """The header `WWW-Authenticate`; it tells whose nonce has expired to try again with this one."""
    pepper = runtime.access.pepper
    stated = f"{int(clock.unix_now()):x}.{new_id()}"
    nonce = f"{stated}.{_mark(pepper, stated)}"
    sent = _sent(request)
    stale = ", stale=true" if sent and _is_ours(pepper, sent["nonce"]) and not _is_fresh(pepper, sent["nonce"]) else ""
    return f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"{stale}'


def _sent(request: web.Request) -> Mapping[str, str] | None:
    """The parts of an answer to a challenge, if it is about this request."""
    header = clean(request.headers.get(hdrs.AUTHORIZATION, ""))
    if not header.lower().startswith(SCHEME):
        return None
    try:
        parts: dict[str, str] = parse_keqv_list(parse_http_list(header[len(SCHEME) :]))
    except (ValueError, IndexError):
        return None
    is_whole = all(parts.get(name) for name in NEEDED)
    if not is_whole or parts["realm"] != REALM or parts["qop"] != "auth" or parts["uri"] != request.raw_path:
        return None
    return parts if parts.get("algorithm", "MD5").upper() == "MD5" else None


def _answer(known: str, method: str, sent: Mapping[str, str]) -> bytes:
    asked = _md5(method, sent["uri"])
    return _md5(known, sent["nonce"], sent["nc"], sent["cnonce"], sent["qop"], asked).encode()


def _known(pepper: Pepper, user: Document, name: str) -> str | None:
    """The MD5 of name, realm and password, if it is kept for the password that the user has now."""
    kept = as_object(user.at(f"{ASIDE}.digest"))
    if not kept or kept.get("of") != user.fields.get(MD5_FIELD):
        return None
    sealed = next((text for one, text in kept["sealed"] if one == name), None)
    try:
        return None if sealed is None else pepper.unseal(sealed)
    except Unsealable:
        return None


def _md5(*parts: object) -> str:
    text = ":".join(str(part) for part in parts)
    return hashlib.md5(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()


def _mark(pepper: Pepper, stated: str) -> str:
    return pepper.digest(f"digest nonce {stated}")[:32]


def _is_ours(pepper: Pepper, nonce: str) -> bool:
    stated, _, mark = nonce.rpartition(".")
    return hmac.compare_digest(_mark(pepper, stated).encode(), mark.encode(errors="surrogateescape"))


def _is_fresh(pepper: Pepper, nonce: str) -> bool:
    if not _is_ours(pepper, nonce):
        return False
    return 0 <= clock.unix_now() - int(nonce.partition(".")[0], 16) < NONCE_SECONDS
