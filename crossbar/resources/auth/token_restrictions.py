"""Token restrictions: what the tokens of an account may not do.

Source: KAZOO `cb_token_restrictions`. They are judged on each request (`crossbar.access.restrictions`).
"""

from __future__ import annotations

from crossbar.access.restrictions import TYPE
from crossbar.endpoint import Singleton

token_restrictions = Singleton("token_restrictions", document_type=TYPE, document_id=TYPE, schema="token_restrictions")
