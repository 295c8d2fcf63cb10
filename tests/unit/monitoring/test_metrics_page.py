"""The questions that docs/metrics.md asks in PromQL could be asked: of names and labels that there are, and of shared figures once."""

from __future__ import annotations

import re

import pytest

from tests.support.promql import faults_of
from zixly_cli.settings import ROOT

pytestmark = pytest.mark.unit
QUESTIONS = re.findall(r"^```promql\n(.+?)\n```$", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_the_page_asks_for_what_there_is(question: str) -> None:
    assert faults_of(question) == []


def test_there_are_questions() -> None:
    assert len(QUESTIONS) > 10
