"""Which process is which, and what those of a name take together."""

from __future__ import annotations

import pytest

from benchmarks.questions.idle import by_name, name_of


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["/venv/bin/python", "-m", "webhook_bridge"], "webhook_bridge"),
        (["/venv/bin/python", "-P", "-m", "zixly_cli.stack.looking_after", "--home", "x"], "zixly_cli.stack.looking_after"),
        (["postgres: zixly_runs zixly 127.0.0.1(5) idle"], "postgres: zixly_runs"),
        (["/opt/pg/bin/postgres", "-D", "data"], "postgres"),
        (["valkey-server 127.0.0.1:6379"], "valkey-server"),
        ([], "?"),
    ],
)
def test_a_process_is_named_by_what_it_runs(command: list[str], name: str) -> None:
    assert name_of(command) == name


def test_processes_of_a_name_are_added_up_and_the_largest_come_first() -> None:
    assert list(by_name([("a", 1), ("b", 5), ("a", 3)]).items()) == [("b", (1, 5)), ("a", (2, 4))]
