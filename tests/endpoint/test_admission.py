# SPDX-License-Identifier: MPL-2.0
"""How many requests are worked on at a time."""

from __future__ import annotations

import pytest

from crossbar.endpoint.admission import Admission
from crossbar.errors import Plain


def test_beyond_the_largest_number_requests_are_refused() -> None:
    admission = Admission(lambda: 1)
    with admission.counted:
        admission.require()
        with admission.counted, pytest.raises(Plain) as refused:
            admission.require()
        admission.require()
    assert refused.value.status == 503


def test_who_waits_for_a_client_is_not_counted() -> None:
    admission = Admission(lambda: 1)
    with admission.counted, admission.not_counted, admission.counted:
        admission.require()


def test_the_count_is_right_after_an_error() -> None:
    admission = Admission(lambda: 0)
    for enter in (admission.counted, admission.not_counted):
        with pytest.raises(KeyError), enter:
            raise KeyError
    admission.require()
