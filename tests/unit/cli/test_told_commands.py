"""What people are told to type exists: in pages, help texts and messages, with the options that are named."""

from __future__ import annotations

import pytest

from tests.support.told_commands import Told, problems_of, told_by_code, told_by_pages

pytestmark = pytest.mark.unit


def test_every_command_in_the_pages_exists_with_its_options() -> None:
    told = list(told_by_pages())
    assert sum(one.where == "docs/operations.md" for one in told) > 100
    assert [problem for one in told for problem in problems_of(one)] == []


def test_every_command_in_messages_and_examples_exists_with_its_options() -> None:
    told = list(told_by_code())
    assert len(told) > 100
    assert [problem for one in told for problem in problems_of(one)] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("jobs lst", "there is no command 'lst'"),
        ("jobs show|shw ID", "there is no command 'shw'"),
        ("issues ack ID [--ownr NAME]", "there is no option --ownr"),
        ("replay JOB --from-the-start", "there is no option --from-the-start"),
        ("restart NAME OTHER", "too many words"),
    ],
)
def test_what_does_not_exist_is_named(text: str, problem: str) -> None:
    assert problems_of(Told("here", text)) == [f"here: zixly {text}: {problem}"]
