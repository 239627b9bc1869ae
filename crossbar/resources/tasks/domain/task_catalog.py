# SPDX-License-Identifier: MPL-2.0
"""The actions there are, by category and name.

Source: `applications/tasks/src/kz_tasks_help.erl`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crossbar.errors import JSON
from crossbar.resources.tasks.domain import cdr_export, skel_actions
from crossbar.resources.tasks.domain.action import Action


class Catalog:
    """Actions, and what clients are told of them."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._actions: dict[tuple[str, str], Action] = {}
        self.offer(*actions)

    def offer(self, *actions: Action) -> None:
        """Have further actions; a wing above this one says so in its list."""
        self._actions |= {(action.category, action.name): action for action in actions}

    def find(self, category: str, name: str) -> Action | None:
        """The action of this category and name; None if there is none."""
        return self._actions.get((category, name))

    def help(self, category: str | None, name: str | None) -> dict[str, dict[str, JSON]]:
        """Category → action → what it does and takes; of one category, or one action, where they are named."""
        told: dict[str, dict[str, JSON]] = {}
        for action in self._actions.values():
            if category in (None, action.category) and name in (None, action.name):
                told.setdefault(action.category, {})[action.name] = action.help
        return told


CATALOG: Final = Catalog((*cdr_export.ACTIONS, *skel_actions.ACTIONS))
