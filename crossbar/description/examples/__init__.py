"""Examples of requests, where schemas say too little: a file a wing, keyed by verb and path."""

from __future__ import annotations

from typing import Final

from crossbar.description.example import Example

ARGUMENTS: Final[dict[str, str]] = {}
MAKERS: Final[dict[str, tuple[str, str, Example]]] = {}
EXAMPLES: Final[dict[str, Example]] = {
    "PUT /v2/user_auth": Example({"credentials": "{{credentials}}", "method": "md5", "account_name": "{{account_name}}"}),
    "PUT /v2/accounts": Example({"name": "postman-{{$guid}}"}, query={"send_email_on_creation": "false"}),
}
