"""What is asked of one, two and three worker hosts, with nothing running: the stack is told of, the rates are made up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.errors import NotMeasured
from benchmarks.instance import ZIXLY, Instance
from benchmarks.ledger import JobRow
from benchmarks.questions import latency, scale_out
from benchmarks.scale import QUICK, WHOLE

URLS = SimpleNamespace(sandbox="http://sandbox", owner="postgresql://owner")
RATES = {1: 60.0, 2: 118.0, 3: 171.0}


class TestStack:
    """What the questions ask of a stack, written down."""

    __test__ = False

    def __init__(self) -> None:
        self.told: list[object] = []
        self.plan = SimpleNamespace(worker_names=("worker-1", "worker-2"), settings=None, urls=URLS)

    def limit_batches(self, jobs: int) -> None:
        self.told.append(jobs)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> TestStack:
    made = TestStack()
    monkeypatch.setattr(scale_out, "stop_process", lambda _settings, name: made.told.append(f"stop {name}"))
    monkeypatch.setattr(scale_out, "start_process", lambda _settings, name: made.told.append(f"start {name}"))
    monkeypatch.setattr(scale_out, "slow_down", lambda _url, *, seconds: made.told.append(f"answers take {seconds}"))
    monkeypatch.setattr(scale_out, "lift_limits", lambda _url: made.told.append("lift"))
    monkeypatch.setattr(scale_out, "started_host", lambda _stack, *, number: f"host-{number}")
    monkeypatch.setattr(scale_out, "end", lambda host: made.told.append(f"end {host}"))
    return made


def instance_of(stack: TestStack) -> Instance:
    return Instance(ZIXLY, cast("scale_out.BenchStack", stack), "postgresql://dagster")


def test_rates_are_told_as_multiples_of_one_hosts_and_everything_is_put_back(stack: TestStack, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def rate(_stack: object, *, hosts: int, count: int, say: object) -> float:
        asked.append((hosts, count))
        return RATES[hosts]

    monkeypatch.setattr(scale_out, "rate", rate)
    figures = scale_out.measure(instance_of(stack), scale=replace(WHOLE, scale_out_jobs=20), say=stack.told.append)
    assert figures == {"scale_out_jobs_per_minute": 60.0, "scale_out_2": 118 / 60, "scale_out_3": 171 / 60}
    assert asked == [(1, 20), (2, 40), (3, 60)]
    assert stack.told[:3] == ["stop worker-1", "stop worker-2", f"answers take {scale_out.VENDOR_SECONDS}"]
    assert stack.told[3:] == ["end host-1", "end host-2", "end host-3", "lift", "start worker-1", "start worker-2"]


def test_the_short_form_asks_nothing(stack: TestStack) -> None:
    assert scale_out.measure(instance_of(stack), scale=QUICK, say=stack.told.append) == {}
    assert stack.told == []


def test_hosts_are_ended_when_a_rate_could_not_be_measured(stack: TestStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def rate(*_: object, **__: object) -> float:
        raise NotMeasured("it was not")

    monkeypatch.setattr(scale_out, "rate", rate)
    with pytest.raises(NotMeasured):
        scale_out.measure(instance_of(stack), scale=WHOLE, say=stack.told.append)
    assert stack.told[-4:] == ["end host-1", "lift", "start worker-1", "start worker-2"]


def test_a_jobs_time_counts_from_its_first_op() -> None:
    jobs = [JobRow("a", "COMPLETED", 1, "r", 10.0, 12.0), JobRow("b", "QUEUED", 0, None, None, None)]
    assert [(span.created, span.ended) for span in scale_out.spans_of(jobs)] == [(10.0, 12.0)]


def test_ten_a_second_is_asked_with_batches_as_workflows_have_them_and_of_ours_alone(
    stack: TestStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, float]] = []

    def send_all(_stack: object, invoices: list[str], *, per_second: float) -> dict[str, float]:
        sent.append((len(invoices), per_second))
        return dict.fromkeys(invoices, 100.0)

    monkeypatch.setattr(latency, "paid_invoices", lambda _url, *, count: [str(number) for number in range(count)])
    monkeypatch.setattr(latency, "send_all", send_all)
    monkeypatch.setattr(
        latency, "ended_jobs", lambda _url, invoices, **_: [JobRow(one, "COMPLETED", 1, "r", 100.5, 101.0) for one in invoices]
    )
    figures = latency.measure(instance_of(stack), scale=WHOLE, say=lambda _: None)
    assert sent == [(60, 1.0), (300, 10.0)]
    assert stack.told == [latency.JOBS_A_BATCH, 1]
    assert figures["first_op_p95_s"] == figures["first_op_10_p95_s"] == 0.5
