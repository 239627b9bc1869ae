# SPDX-License-Identifier: MPL-2.0
"""What only the server's own secrets can read, on its way to another server.

Sealed values leave a server opened, and are sealed again under the other one's keys. Keyed digests (of passwords,
of ingest tokens, of recovery codes) are good where the pepper is the same, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crossbar.access.api_keys import api_key_fields
from crossbar.access.authenticators import TYPE as AUTHENTICATOR
from crossbar.access.ingest_token import TYPE as INGEST_TOKEN
from crossbar.access.passwords import MD5_FIELD, SHA1_FIELD
from crossbar.access.pepper import Pepper
from crossbar.access.resealing import SEALED
from crossbar.access.secret_token import DIGEST_FIELD
from crossbar.documents.document import is_private
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.sealing import Unsealable, removed, with_texts
from crossbar.errors import JSON
from crossbar.ids import new_secret

OPENED: Final = "opened:"
"""What a private value begins with that was sealed before it left."""
API_KEY: Final = "pvt_api_key"
API_KEY_DIGEST: Final = "pvt_api_key_digest"
SIGNATURE: Final = "pvt_signature_secret"
DIGESTS: Final[Mapping[str, tuple[str, ...]]] = {
    USER: (MD5_FIELD, SHA1_FIELD),
    INGEST_TOKEN: (DIGEST_FIELD,),
    AUTHENTICATOR: ("pvt_recovery",),
}
"""Fields that are good under the pepper they were made with alone, by type."""
OWN: Final[Mapping[str, tuple[str, ...]]] = {
    **DIGESTS,
    USER: (*DIGESTS[USER], SIGNATURE),
    ACCOUNT: (API_KEY, SIGNATURE, "pvt_cpaas_token"),
}
"""Fields that a document here keeps where what comes in has none."""
_USELESS_WITHOUT: Final[Mapping[str, str]] = {INGEST_TOKEN: DIGEST_FIELD, AUTHENTICATOR: "pvt_secret"}
"""Fields without which a document of a type is none."""


def fingerprint(pepper: Pepper) -> str:
    """What two servers of the same pepper have in common, and tells nothing of it."""
    return pepper.digest("crossbar:moving")[:16]


def opened(document_type: str, fields: Mapping[str, JSON], pepper: Pepper) -> dict[str, JSON]:
    """The fields with all that is sealed opened, as far as a key opens it, and without what follows from others."""
    found = {key: _opened(value, pepper) if is_private(key) else value for key, value in fields.items()}
    if document_type == ACCOUNT:
        found.pop(API_KEY_DIGEST, None)
    return found


def closed(document_type: str, fields: Mapping[str, JSON], pepper: Pepper) -> dict[str, JSON]:
    """What `opened` gave, sealed under this server's keys."""
    found = {key: _closed(value, pepper) if is_private(key) else value for key, value in fields.items()}
    key = fields.get(API_KEY)
    if document_type == ACCOUNT and isinstance(key, str):
        found |= api_key_fields(pepper, key.removeprefix(OPENED))
    return found


def without_secrets(document_type: str, fields: Mapping[str, JSON], sealed: tuple[str, ...]) -> dict[str, JSON]:
    """The fields (as `opened` gives them) without credentials: those that lie sealed, keyed digests, signing keys."""
    dropped = OWN.get(document_type, ())
    kept = {key: value for key, value in removed(dict(fields), sealed).items() if key not in dropped}
    return {key: value for key, value in kept.items() if not (is_private(key) and _holds_opened(value))}


def without_digests(document_type: str, fields: Mapping[str, JSON]) -> dict[str, JSON]:
    """The fields without what is good under the other server's pepper alone."""
    return {key: value for key, value in fields.items() if key not in DIGESTS.get(document_type, ())}


def completed(document_type: str, fields: Mapping[str, JSON], before: Mapping[str, JSON] | None) -> dict[str, JSON]:
    """The fields (opened), with the credentials that the document has here already, or new ones, where they have none.

    A user's password is not made up.
    """
    own = {name: before[name] for name in OWN.get(document_type, ()) if before is not None and name in before}
    fresh: dict[str, JSON] = {}
    if document_type == ACCOUNT:
        fresh = {API_KEY: OPENED + new_secret(), "pvt_cpaas_token": new_secret(), SIGNATURE: new_secret(16)}
    elif document_type == USER:
        fresh = {SIGNATURE: new_secret(16)}
    return {**fresh, **own, **fields}


def lacks_what_it_needs(document_type: str, fields: Mapping[str, JSON]) -> bool:
    """Whether a document would be of no use without what did not come along."""
    needed = _USELESS_WITHOUT.get(document_type)
    return needed is not None and needed not in fields


def _opened(value: JSON, pepper: Pepper) -> JSON:
    def change(text: str) -> str:
        if not text.startswith(SEALED):
            return text
        try:
            return OPENED + pepper.unseal(text)
        except Unsealable:  # whoever has the key may read it there
            return text

    return with_texts(value, change)


def _closed(value: JSON, pepper: Pepper) -> JSON:
    return with_texts(value, lambda text: pepper.seal(text[len(OPENED) :]) if text.startswith(OPENED) else text)


def _holds_opened(value: JSON) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_opened, value.values()))
    if isinstance(value, list):
        return any(map(_holds_opened, value))
    return isinstance(value, str) and value.startswith(OPENED)
