"""One call of the benchmarks: the stack up, every question put to ours and then to the stock instance, everything stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from benchmarks.bench_stack import BenchStack, bench_stack
from benchmarks.deliveries import send_all
from benchmarks.errors import NotMeasured
from benchmarks.findings import Findings
from benchmarks.instance import STOCK, ZIXLY, Instance
from benchmarks.ledger import ended_jobs, refuse_unfinished
from benchmarks.progress import Say
from benchmarks.questions import budget, burst, express_burst, fairness, growth, idle, ingest, latency, runs, scale_out, single
from benchmarks.sandbox import lift_limits, paid_invoices
from benchmarks.scale import Scale
from benchmarks.stock_dagster import stock_dagster
from zixly_core.errors import ZixlyError

WARM_UP_SECONDS = 120.0
# For each slot, so that every process of a worker has done something.
WARM_UP_JOBS = 3


class Measure(Protocol):
    """A question, put to an instance."""

    def __call__(self, instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]: ...


class MeasureAlone(Protocol):
    """A question that needs no stack."""

    def __call__(self, *, scale: Scale, say: Say) -> Findings: ...


@dataclass(frozen=True)
class Question:
    """`has_baseline`: it is put to the stock instance too."""

    measure: Measure
    has_baseline: bool


# In the order in which they are put. The idle stack comes first, before anything has grown, and once more after all jobs; what grows last.
QUESTIONS: Mapping[str, Question] = {
    "idle": Question(idle.measure, has_baseline=False),
    "runs": Question(runs.measure, has_baseline=True),
    "single": Question(single.measure, has_baseline=True),
    "latency": Question(latency.measure, has_baseline=True),
    "burst": Question(burst.measure, has_baseline=False),
    "fairness": Question(fairness.measure, has_baseline=False),
    "budget": Question(budget.measure, has_baseline=False),
    "idle_after": Question(idle.measure_again, has_baseline=False),
    "scale_out": Question(scale_out.measure, has_baseline=False),
    "growth": Question(growth.measure, has_baseline=False),
}


# Put before the stack starts, over servers of their own. Each says itself what it could not measure.
ALONE: Mapping[str, MeasureAlone] = {"ingest": ingest.measure, "express-burst": express_burst.measure}
NAMES = (*ALONE, *QUESTIONS)


def measured(names: Iterable[str], *, scale: Scale, say: Say) -> Findings:
    """Put the named questions. One that fails leaves its reason in `problems`, and the others are put all the same."""
    findings, asked = Findings(), set(names)
    for name in (name for name in ALONE if name in asked):
        say(name)
        attempt(name, partial(put_alone, ALONE[name], scale=scale, say=say, findings=findings), say, findings)
    questions = {name: QUESTIONS[name] for name in QUESTIONS if name in asked}
    if questions:
        put_to_a_stack(questions, scale=scale, say=say, findings=findings)
    return findings


def put_alone(question: MeasureAlone, *, scale: Scale, say: Say, findings: Findings) -> None:
    findings.add(question(scale=scale, say=say))


def put_to_a_stack(questions: Mapping[str, Question], *, scale: Scale, say: Say, findings: Findings) -> None:
    with_baseline = {name: question for name, question in questions.items() if question.has_baseline}
    say("starting the stack")
    with bench_stack() as stack:
        lift_limits(stack.plan.urls.sandbox)
        stack.limit_batches(1)
        ours = Instance(ZIXLY, stack, stack.plan.urls.dagster)
        put(questions, ours, scale=scale, say=say, findings=findings)
        if with_baseline:
            attempt("stock instance", lambda: baseline(with_baseline, stack, scale=scale, say=say, findings=findings), say, findings)
        say("stopping everything")


def baseline(questions: Mapping[str, Question], stack: BenchStack, *, scale: Scale, say: Say, findings: Findings) -> None:
    say("starting the stock instance in place of ours")
    stack.stop_running_jobs()
    with stock_dagster(stack) as url:
        put(questions, Instance(STOCK, stack, url), scale=scale, say=say, findings=findings)


def put(questions: Mapping[str, Question], instance: Instance, *, scale: Scale, say: Say, findings: Findings) -> None:
    """Put every question to a warm instance."""
    warm_up(instance, count=1 if instance.is_stock else WARM_UP_JOBS * slots_of(instance.stack), say=say)
    for name, question in questions.items():
        say(f"{instance.name}: {name}")

        def ask(question: Question = question) -> None:
            findings.figures.update(question.measure(instance, scale=scale, say=say))

        attempt(f"{instance.name}, {name}", ask, say, findings)


def attempt(what: str, act: Callable[[], None], say: Say, findings: Findings) -> None:
    """A failure is told in full as progress; the results keep its first line, since logs name places of the machine."""
    try:
        act()
    except ZixlyError as error:
        say(f"not measured: {what}: {error}")
        findings.problems.append(f"{what}: {first_line(error)}")


def first_line(error: ZixlyError) -> str:
    return str(error).partition("\n")[0].rstrip(":")


def warm_up(instance: Instance, *, count: int, say: Say) -> None:
    """A few jobs that nobody counts, so that no figure holds what happens once in a process. Raises `NotMeasured`."""
    urls = instance.stack.plan.urls
    invoices = paid_invoices(urls.sandbox, count=count)
    send_all(instance.stack, invoices)
    jobs = ended_jobs(urls.owner, invoices, patience_seconds=WARM_UP_SECONDS, progress=lambda _: None)
    try:
        refuse_unfinished(jobs, expected=count)
    except NotMeasured as error:
        raise NotMeasured(f"{instance.name} does not get its first jobs done: {error}") from error
    say(f"{instance.name} is warm")


def slots_of(stack: BenchStack) -> int:
    return stack.plan.settings.workers * stack.plan.settings.worker_slots
