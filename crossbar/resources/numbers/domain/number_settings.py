# SPDX-License-Identifier: MPL-2.0
"""The installation's rules for numbers: the system settings `number_manager`, as they are at the moment.

Source: KAZOO `knm_carriers.erl`, `knm_number_states.erl`, `knm_providers.erl`, `knm_converters.erl`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson

from crossbar.documents.document import merge
from crossbar.documents.schemas.patterns import matches
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.number import CARRIERS, LOCAL, MODULE_PREFIX, UNASSIGNED, State
from crossbar.runtime import Runtime

CATEGORY: Final = "number_manager"
FIRST_CLASSES: Final = ("tollfree_us", "toll_us", "emergency", "caribbean", "did_us", "international", "unknown")
"""The usual classifiers in the order in which they are tried; those of the operator go before them."""


@dataclass(frozen=True)
class NumberSettings:
    """What the settings say; make one at each use."""

    services: Runtime

    def _get(self, key: str, default: JSON) -> JSON:
        return self.services.settings.get(CATEGORY, key, default)

    @property
    def carrier(self) -> str:
        """The carrier of numbers that are added without one."""
        return self._known("available_module_name")

    @property
    def port_in_carrier(self) -> str:
        """The carrier of numbers that are ported in."""
        return self._known("port_in_module_name")

    @property
    def import_carrier(self) -> str:
        """The carrier of numbers that tasks import without one."""
        return _carrier(self.services.settings.get("tasks.numbers", "import_defaults_to_carrier", LOCAL))

    def _known(self, key: str) -> str:
        return _carrier(self._get(key, LOCAL))

    @property
    def local_features(self) -> bool:
        """Whether local numbers may have features that need a carrier."""
        return self._get("local_feature_override", False) is True

    @property
    def allowed(self) -> list[str]:
        """Features that accounts may use; empty for all."""
        return _texts(self._get("features.allow", []))

    @property
    def denied(self) -> list[str]:
        """Features that accounts may not use."""
        return _texts(self._get("features.deny", []))

    @property
    def released(self) -> State:
        """Where a number goes that nobody has any more."""
        if self._get("should_permanently_delete", False) is True:
            return State.DELETED
        if self._get("should_age", False) is True:
            return State.AGING
        wanted = self._get("released_state", State.AVAILABLE)
        return State(wanted) if isinstance(wanted, str) and wanted in UNASSIGNED else State.AVAILABLE

    @property
    def largest_search(self) -> int:
        """Numbers that a search finds at most."""
        return int(self._get("maximum_search_quantity", 500))

    @property
    def open_search(self) -> bool:
        """Whether who has no token may look for numbers."""
        return self._get("unauthorized_numbers_lookup", False) is True

    @cached_property
    def classifiers(self) -> dict[str, dict[str, Any]]:
        """Name → classifier, in the order in which they are tried, each with its `name`."""
        defaults, _ = self.services.schemas.errors(f"system_config.{CATEGORY}", {})
        table = merge(defaults["classifiers"], self._get("classifiers", {}))
        own = [name for name in table if name not in FIRST_CLASSES]
        known = {name: table[name] for name in (*own, *FIRST_CLASSES)}
        return {name: {**entry, "name": name} for name, entry in known.items() if isinstance(entry, Mapping)}

    @cached_property
    def edition(self) -> str:
        """Tells the classifiers from others that there were before."""
        return hashlib.md5(orjson.dumps(self.classifiers), usedforsecurity=False).hexdigest()[:12]

    def kind(self, number: str) -> str:
        """The name of a number's classifier after the edition by which it has it; nothing where it has none."""
        classifier = self.classify(number)
        return f"{self.edition}/{classifier['name']}" if classifier else ""

    def classify(self, number: str) -> dict[str, Any] | None:
        """The classifier of a normalized number."""
        for classifier in self.classifiers.values():
            if matches(str(classifier.get("regex", "")), number):
                return classifier
        return None


def _carrier(name: JSON) -> str:
    plain = str(name).removeprefix(MODULE_PREFIX)
    return plain if plain in CARRIERS else LOCAL


def _texts(value: JSON) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
