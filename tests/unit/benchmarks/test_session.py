"""How one call of the benchmarks deals with a question that fails."""

from __future__ import annotations

import pytest

from benchmarks.errors import NotMeasured
from benchmarks.findings import Findings
from benchmarks.session import attempt


def test_a_failed_question_leaves_one_line_and_the_log_goes_to_the_progress_alone() -> None:
    def fail() -> None:
        raise NotMeasured("It did not come up:\nTraceback of /some/place")

    told: list[str] = []
    findings = Findings()
    attempt("stock", fail, told.append, findings)
    assert findings.problems == ["stock: It did not come up"]
    assert "/some/place" in told[0]


def test_an_error_of_ours_is_not_taken_for_a_missing_figure() -> None:
    def fail() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        attempt("runs", fail, lambda _: None, Findings())
