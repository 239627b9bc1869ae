# SPDX-License-Identifier: MPL-2.0
"""Identifiers."""

from __future__ import annotations

import os
import re

from crossbar.ids import new_id, next_revision


def test_no_two_are_alike_and_all_have_their_form() -> None:
    made = [new_id() for _ in range(3000)]
    assert len(set(made)) == 3000
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)


def test_a_forked_process_makes_others() -> None:
    new_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, " ".join(new_id() for _ in range(50)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        theirs = set(told.read().split())
    os.waitpid(child, 0)
    assert len(theirs) == 50
    assert not theirs & {new_id() for _ in range(300)}


def test_a_revision_follows_another() -> None:
    first = next_revision(None)
    assert first.startswith("1-")
    assert next_revision(first).startswith("2-")
