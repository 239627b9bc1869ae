# SPDX-License-Identifier: MPL-2.0
"""Schemas and validation.

`Schemas` is all the other layers need; `ClientUrls` configures which URLs of clients are acceptable.
"""

from crossbar.documents.schemas.client_urls import ClientUrls
from crossbar.documents.schemas.pipeline import Schemas

__all__ = ["ClientUrls", "Schemas"]
