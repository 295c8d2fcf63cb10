"""What the description of the API says that senders of webhooks are answered is what their systems' profiles answer."""

from __future__ import annotations

import pytest

from webhook_bridge.receive import answers_of
from zixly_core.systems import SYSTEMS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", sorted({*SYSTEMS} - {"callbacks"}))
def test_vendors_are_refused_without_a_word(name: str) -> None:
    answers = answers_of(SYSTEMS[name])
    assert "content" not in answers[401]
    assert 400 not in answers, "what is signed and cannot be read is kept"


def test_our_own_senders_are_told_why() -> None:
    answers = answers_of(SYSTEMS["callbacks"])
    assert [list(answers[status]["content"]) for status in (400, 401)] == [["application/json"]] * 2


def test_that_nothing_could_be_kept_is_a_problem_like_any_other() -> None:
    assert list(answers_of(SYSTEMS["xero"])[503]["content"]) == ["application/problem+json"]
