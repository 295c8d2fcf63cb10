from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from zixly_dagster.instance.interrupts import INTERRUPTS, interrupts_deferred, interrupts_raised


@pytest.fixture(autouse=True)
def as_in_a_celery_child() -> Iterator[None]:
    """SIGINT ignored, SIGTERM as the system does it."""
    before = {number: signal.getsignal(number) for number in INTERRUPTS}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", INTERRUPTS)
def test_a_run_can_be_interrupted_and_afterwards_signals_are_as_before(number: signal.Signals) -> None:
    before = {one: signal.getsignal(one) for one in INTERRUPTS}
    with pytest.raises(KeyboardInterrupt), interrupts_raised():
        signal.raise_signal(number)
    assert {one: signal.getsignal(one) for one in INTERRUPTS} == before


def test_what_dagster_leaves_behind_is_put_right() -> None:
    """It leaves SIGTERM as it found SIGINT (dagster/_utils/interrupts.py): ignored."""
    with interrupts_raised():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_a_deferred_interrupt_comes_after_the_work_is_done() -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts_deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with interrupts_raised():
        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == ["all of it"]


def test_deferring_leaves_ignored_signals_ignored() -> None:
    with interrupts_deferred():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
