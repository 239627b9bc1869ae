# SPDX-License-Identifier: MPL-2.0
"""Counting requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crossbar import metrics
from crossbar.metrics import CONNECTIONS_OPEN, FOLDER_VARIABLE, Metrics

USERS = "/v2/accounts/{account_id}/users"


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Name and labels → value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_requests_are_counted_and_timed() -> None:
    counted = Metrics()
    for seconds, status in ((0.0005, 200), (0.003, 200), (0.003, 404), (60, 200)):
        counted.observe(USERS, "GET", status, seconds)
    counted.observe(USERS, "PUT", 201, 0.001)
    found = samples(counted.render())
    assert found["crossbar_requests_total", "GET", USERS, "200"] == 3
    assert found["crossbar_requests_total", "GET", USERS, "404"] == 1
    assert found["crossbar_request_seconds_bucket", "0.001", "PUT", USERS] == 1
    buckets = [found["crossbar_request_seconds_bucket", bound, "GET", USERS] for bound in ("0.001", "0.005", "10.0")]
    assert [*buckets, found["crossbar_request_seconds_bucket", "+Inf", "GET", USERS]] == [1, 3, 3, 4]
    assert found["crossbar_request_seconds_sum", "GET", USERS] == pytest.approx(60.0065)
    assert found["crossbar_request_seconds_count", "GET", USERS] == 4


def test_each_worker_tells_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    counted = Metrics()
    counted.observe(USERS, "GET", 200, 0.001)
    program = f"from crossbar.metrics import Metrics; Metrics().observe({USERS!r}, 'GET', 200, 0.001)"
    subprocess.run([sys.executable, "-c", program], check=True)  # and it has ended
    assert samples(counted.render())["crossbar_requests_total", "GET", USERS, "200"] == 2


def test_calls_of_the_database_are_no_requests() -> None:
    counted = Metrics()
    counted.database_call(0.002)
    counted.database_call(20)
    found = samples(counted.render())
    assert found["crossbar_database_seconds_bucket", "0.0025"] == 1
    assert found["crossbar_database_seconds_count",] == 2
    assert not [key for key in found if key[0].startswith("crossbar_request")]


def test_what_is_open_now_is_told_of_those_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    counted = Metrics()
    counted.set(CONNECTIONS_OPEN, 5)
    counted.set(CONNECTIONS_OPEN, 3)
    program = (
        "from crossbar.metrics import *; m = Metrics(); m.set(CONNECTIONS_OPEN, 40); m.add(EVENTS_WRITTEN, 2);"
        "m.database_call(1)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # and it has ended
    found = samples(counted.render())
    assert found["crossbar_connections_open",] == 3
    assert found["crossbar_events_written_total",] == 2
    assert found["crossbar_database_seconds_count",] == 1
    assert sorted((one.is_alive, one.figures["crossbar_connections_open", ""]) for one in counted.workers()) == [
        (False, 40),
        (True, 3),
    ]


def test_what_there_is_no_place_for_is_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_MOST_SERIES", 4)
    counted = Metrics()
    for number in range(10):
        counted.observe(f"/v2/{number}", "GET", 200, 0.001)
        counted.observe("x" * 1000, "GET", 200, 0.001)
    found = samples(counted.render())
    totals = {key: value for key, value in found.items() if key[0] == "crossbar_requests_total"}
    assert sum(totals.values()) == 20
    assert totals["crossbar_requests_total", "OTHER", "other", "0"] >= 17
