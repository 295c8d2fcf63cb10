"""How long, how much, and which dice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """One run of the suite."""

    seed: int
    minutes: float
    deliveries: int
    has_faults: bool = True
    without: str | None = None
    """The safeguard that is taken away, to see that the suite notices."""

    @property
    def seconds(self) -> float:
        """How long deliveries are sent."""
        return self.minutes * 60

    @property
    def name(self) -> str:
        """What its report is called."""
        return f"seed-{self.seed}" if self.has_faults else "long-haul"
