# SPDX-License-Identifier: MPL-2.0
"""What is special about each endpoint, in one wing a subject.

A wing's `__init__` lists its endpoints. Outside of `domain` folders every file declares the endpoint of its name, or is
part of one; what lies in `domain` knows nothing of HTTP and can be called by whoever has plain data.
"""

from typing import Final

UNSERVED: Final = ("noauthn", "noauthz", "simple_authz", "profile", "basic_auth")
"""Endpoint names of KAZOO that have no routes of their own: known words of a path, answered 404."""
