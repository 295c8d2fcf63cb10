"""What a call of the benchmarks has found so far: figures by name, and why others are missing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """A question that could be answered in part gives what it has, and says in `problems` why the rest is missing."""

    figures: dict[str, float | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        self.figures.update(other.figures)
        self.problems += other.problems
