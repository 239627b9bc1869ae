# SPDX-License-Identifier: MPL-2.0
"""Token buckets, in one process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.shared import BucketTable, memory_file

SLOTS = 1_024
RULE: dict[str, Any] = {"capacity": 100, "rate_per_second": 10.0}


@pytest.fixture(params=["own", "shared"])
def table(request: pytest.FixtureRequest) -> Iterator[BucketTable]:
    with memory_file(BucketTable.size(SLOTS)) as file:
        yield BucketTable(SLOTS, file.fileno() if request.param == "shared" else None)


def test_a_bucket_starts_full_and_empties(table: BucketTable) -> None:
    assert table.level("key", **RULE, now=0) == 100
    assert table.consume("key", 35, **RULE, now=0) == (True, 65)
    assert table.consume("key", 66, **RULE, now=0) == (False, 65)
    assert table.consume("key", 65, **RULE, now=0) == (True, 0)
    assert table.consume("key", 1, **RULE, now=0) == (False, 0)
    assert table.consume("key", 0, **RULE, now=0) == (True, 0)
    assert table.level("other", **RULE, now=0) == 100


def test_a_bucket_refills_steadily_up_to_its_capacity(table: BucketTable) -> None:
    table.drain("key", now=1_000)
    assert table.level("key", **RULE, now=1_000) == 0
    assert table.consume("key", 1, **RULE, now=1_000.05) == (False, 0)
    assert table.consume("key", 1, **RULE, now=1_000.15) == (True, 0)
    assert table.level("key", **RULE, now=1_002) == 19
    assert table.level("key", **RULE, now=9_999) == 100


def test_a_clock_set_back_neither_takes_tokens_nor_stops_the_flow(table: BucketTable) -> None:
    assert table.consume("key", 60, **RULE, now=5_000) == (True, 40)
    assert table.consume("key", 10, **RULE, now=1_000) == (True, 30)
    assert table.level("key", **RULE, now=1_001) == 40


def test_a_smaller_capacity_counts_at_once(table: BucketTable) -> None:
    table.consume("key", 1, **RULE, now=0)
    assert table.level("key", capacity=50, rate_per_second=1, now=0) == 50


def test_the_table_forgets_the_bucket_idle_for_longest(table: BucketTable) -> None:
    for number in range(10 * SLOTS):
        table.consume(f"key {number}", 1, **RULE | {"rate_per_second": 0}, now=number)
    known = [
        number
        for number in range(10 * SLOTS)
        if table.level(f"key {number}", **RULE | {"rate_per_second": 0}, now=10 * SLOTS) == 99
    ]
    assert len(known) == SLOTS
    assert known[-100:] == list(range(10 * SLOTS - 100, 10 * SLOTS))


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 120), st.floats(0, 30)),
        max_size=40,
    )
)
def test_the_table_does_as_a_dictionary_of_buckets_would(calls: list[tuple[str, int, float]]) -> None:
    table = BucketTable(8)
    levels: dict[str, tuple[float, float]] = {}
    now = 0.0
    for key, cost, pause in calls:
        now += pause
        tokens, refilled = levels.get(key, (100.0, now))
        tokens = min(100.0, tokens + (now - refilled) * 10.0)
        allowed = cost <= tokens
        levels[key] = (tokens - cost * allowed, now)
        assert table.consume(key, cost, **RULE, now=now) == (allowed, int(levels[key][0]))


SPENDER = """
import sys
from crossbar.shared import BucketTable

table = BucketTable({slots}, int(sys.argv[1]))
sys.stdin.readline()
spent = sum(
    table.consume(f"key {{number % 3}}", 1, capacity=5_000, rate_per_second=0, now=0)[0] for number in range(30_000)
)
print(spent)
"""


def test_processes_never_spend_a_token_twice() -> None:
    with memory_file(BucketTable.size(SLOTS)) as file:
        spenders = [
            subprocess.Popen(
                [sys.executable, "-c", SPENDER.format(slots=SLOTS), str(file.fileno())],
                pass_fds=[file.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                text=True,
            )
            for _ in range(3)
        ]
        for spender in spenders:
            assert spender.stdin is not None
            spender.stdin.write("go\n")
            spender.stdin.flush()
        spent = [int(spender.communicate()[0]) for spender in spenders]
        assert sum(spent) == 15_000
        table = BucketTable(SLOTS, file.fileno())
        assert [table.level(f"key {number}", **RULE, now=0) for number in range(3)] == [0, 0, 0]
