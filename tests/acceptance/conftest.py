"""One running stack for the tests that can share one: each makes its own records, and leaves alone what others made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dagster_ui import stop_schedules
from tests.support.otlp import Collector, collector
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder

# For the test alone: what brings the stack up has its own deadline (`READY_SECONDS`), and the first test must not pay for it.
TEST_SECONDS = 300
LAST = "test_security_dagster_stores"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with stacks of their own come first: two stacks at once are more than two cores are for. What looks at all that the shared
    one wrote comes last."""
    items.sort(key=lambda item: ("running_stack" in getattr(item, "fixturenames", ()), item.path.stem == LAST))
    for item in items:
        if "acceptance" in item.path.parts:
            own = item.get_closest_marker("timeout")
            item.add_marker(pytest.mark.timeout(own.args[0] if own else TEST_SECONDS, func_only=True), append=False)


@pytest.fixture(scope="session")
def told() -> Iterator[Collector]:
    """What the shared stack tells its collector of spans."""
    with collector() as found:
        yield found


@pytest.fixture(scope="session")
def running_stack(told: Collector) -> Iterator[StackUnderTest]:
    with stack_in_a_temporary_folder() as made:
        made.variables["ZIXLY_OTLP_URL"] = told.url
        made.variables["ZIXLY_WATCH_PATIENCE_SECONDS"] = "10"  # in earnest an event may be nine minutes late
        made.up()
        stop_schedules(made)
        yield made
