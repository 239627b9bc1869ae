# SPDX-License-Identifier: MPL-2.0
"""Whether an answer may be compressed."""

from __future__ import annotations

import pytest

from crossbar.wire.content_coding import accepts_gzip
from tests.harness import Tenant

ACCEPTED = (
    "gzip",
    "x-gzip",
    "GZIP",
    "deflate, gzip;q=0.1",
    "gzip; q=1.0, identity; q=0.5",
    "br;q=1, gzip",
    "gzip;q=odd",
)
REFUSED = ("", "identity", "gzip;q=0", "gzip ; Q=0.000", "deflate, gzip; q = 0.0", "gzipped", "*;q=0")


@pytest.mark.parametrize("header", ACCEPTED)
def test_gzip_is_accepted(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", REFUSED)
def test_gzip_is_refused(header: str) -> None:
    assert not accepts_gzip(header)


@pytest.mark.parametrize(("header", "coding"), [("gzip", "gzip"), ("gzip;q=0", None)])
async def test_answers_heed_it(tenant: Tenant, header: str, coding: str | None) -> None:
    answer = await tenant.api.get("/schemas/users", headers={"Accept-Encoding": header})
    assert answer.status == 200
    assert answer.headers.get("Content-Encoding") == coding
