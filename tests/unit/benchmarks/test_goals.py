"""What the report says about a goal."""

from __future__ import annotations

import pytest

from benchmarks.goals import Goal


@pytest.mark.parametrize(
    ("goal", "value", "said"),
    [
        (Goal.least(4), 4.0, "met"),
        (Goal.least(4), 3.0, "missed by 25 %"),
        (Goal.most(250), 250.0, "met"),
        (Goal.most(250), 300.0, "missed by 20 %"),
        (Goal.most(250), None, ""),
    ],
)
def test_a_goal_is_met_or_missed_by_a_part_of_itself(goal: Goal, value: float | None, said: str) -> None:
    assert goal.verdict(value) == said
