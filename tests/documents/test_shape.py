# SPDX-License-Identifier: MPL-2.0
"""What a document's shape makes of it when it is written."""

from __future__ import annotations

from crossbar.documents.shape import collate


def test_values_sort_as_couchdb_sorts_them() -> None:
    in_order = [None, False, True, -1e308, -(10**15), -1.5, -1, 0, 0.001, 2, 10, 10**15, 1e308, "", "A", "b", "C", [1]]
    keys = [collate(value) for value in in_order]
    assert keys == sorted(keys)
    assert collate(1e308) == collate(10**15)
    assert collate("Ada") == collate("ada")
