"""What the sensor `waiting` tells an operator."""

from __future__ import annotations

import pytest

from zixly_core.ids import new_id
from zixly_core.looks import Looked
from zixly_dagster.sensors.waiting import summary_of


@pytest.mark.parametrize(
    ("looked", "words"),
    [
        (Looked(looked_at=0, given_up=0), "No waiting job is to be looked at yet."),
        (Looked(looked_at=5, given_up=0, woken={"callbacks": [new_id(), new_id()]}), "5 waiting jobs looked at, 2 of them due now."),
        (
            Looked(looked_at=3, given_up=1, away=["sweeps"]),
            "3 waiting jobs looked at, 0 of them due now; 1 given up or cancelled; no answer from sweeps.",
        ),
    ],
)
def test_a_pass_is_told_in_words(looked: Looked, words: str) -> None:
    assert summary_of(looked) == words
