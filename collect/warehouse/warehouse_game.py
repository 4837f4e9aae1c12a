"""Warehouse as it is collected."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from collect.agents import Script
from collect.environment import Rules
from collect.warehouse.policies import POLICIES, script
from collect.warehouse.warehouse_environment import RULES, WarehouseEnvironment


@dataclass(frozen=True)
class Warehouse:
    """Acme, which has no options: a rollout's seed and number decide the demand."""

    task: ClassVar[str] = "warehouse"
    rules: ClassVar[Rules] = RULES
    scripts: ClassVar[tuple[str, ...]] = POLICIES

    @property
    def told(self) -> Mapping[str, Any]:
        """No options."""
        return {}

    def environment(self, seed: int, number: int) -> WarehouseEnvironment:
        """A business at its start."""
        return WarehouseEnvironment(f"{seed}-{number}")

    def script(
        self, name: str | None, environment: WarehouseEnvironment, rng: random.Random
    ) -> Script:
        """A manager by rules."""
        return script(name, environment, rng)
