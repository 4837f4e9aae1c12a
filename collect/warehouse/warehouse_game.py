"""Warehouse as it is collected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from collect.environment import Rules
from collect.warehouse.warehouse_environment import RULES, WarehouseEnvironment


@dataclass(frozen=True)
class Warehouse:
    """Acme, which has no options: a rollout's seed and number decide the demand."""

    task: ClassVar[str] = "warehouse"
    rules: ClassVar[Rules] = RULES
    tools: ClassVar[tuple[str, ...]] = ()
    targets: ClassVar[tuple[str, ...]] = ("target_cash_usd",)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Options of the game: none."""
        return {}

    def environment(self, seed: int, number: int) -> WarehouseEnvironment:
        """Return the environment of a business at its start."""
        return WarehouseEnvironment(f"{seed}-{number}")
