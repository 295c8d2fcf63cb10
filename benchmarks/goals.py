"""What was aimed for (DESIGN.md, section 8), and by how much it was missed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A bound that a figure must reach, or one that it must not pass."""

    value: float
    is_upper: bool

    @classmethod
    def least(cls, value: float) -> Goal:
        return cls(value, is_upper=False)

    @classmethod
    def most(cls, value: float) -> Goal:
        return cls(value, is_upper=True)

    @property
    def word(self) -> str:
        return "at most" if self.is_upper else "at least"

    def is_met(self, value: float) -> bool:
        return value <= self.value if self.is_upper else value >= self.value

    def verdict(self, value: float | None) -> str:
        """Empty for a figure that was not measured."""
        if value is None:
            return ""
        return "met" if self.is_met(value) else f"missed by {abs(value / self.value - 1):.0%}".replace("%", " %")
