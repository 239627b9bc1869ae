# SPDX-License-Identifier: MPL-2.0
"""What a person is told of a failure that a person can mend."""

from __future__ import annotations

from crossbar.config import ConfigError
from crossbar.documents.mongod_binary import EmbeddedMongoError
from crossbar.documents.store import DatabaseUnusable
from crossbar.errors import CrossbarError, Invalid
from crossbar.logs import scrubbed


def told(error: Exception) -> str | None:
    """What is wrong and what to do, a problem a line; None for a failure that is nobody's but the program's."""
    match error:
        case ConfigError() | EmbeddedMongoError():
            return scrubbed(str(error))
        case DatabaseUnusable():
            return scrubbed(f"the database (database.uri) cannot be used: {error}")
        case Invalid():
            details = ((field, detail) for field, codes in error.fields.items() for detail in codes.values())
            return "\n".join(f"{field}: {detail['message']}" for field, detail in details)
        case CrossbarError(status=503):
            return scrubbed(f"the database (database.uri) cannot be used: {error.__cause__ or error}")
        case OSError():
            return scrubbed(f"{error.filename or 'a file'}: {error.strerror or error}")
    return None
