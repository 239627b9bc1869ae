# SPDX-License-Identifier: MPL-2.0
"""Words that examples have in common."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "/v2/accounts/{account_id}"
UNIQUE: Final = "{{$randomAlphaNumeric}}{{$timestamp}}{{$randomAlphaNumeric}}{{$randomAlphaNumeric}}"
"""A word of letters and digits that no other request says."""
NUMBER: Final = "+4420{{$randomBankAccount}}"
"""A phone number, another one each time."""
PDF: Final = ("application/pdf", "%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n")
SOUND: Final = ("application/base64", "data:audio/mpeg;base64,SUQzBAAAAAAAAP/7kGQAAAAA")
PICTURE: Final = (
    "application/base64",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Erk"
    "Jggg==",
)
NO_CALL: Final = "no such call is going on, or no switch answers"
NO_PAYMENTS: Final = "no payment service is set up"
NO_PROVIDER: Final = "it needs somebody who logs in at another provider"
NO_SUCH: Final = "there is none in a new account"
NO_APP: Final = "no app is registered in a new installation"
