"""One running stack for the tests that can share one: each makes its own records, and leaves alone what others made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder


@pytest.fixture(scope="session")
def running_stack() -> Iterator[StackUnderTest]:
    with stack_in_a_temporary_folder() as made:
        made.up()
        yield made
