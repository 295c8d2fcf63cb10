"""What a PromQL expression asks for: names, labels, and whether figures that every bridge shows are taken once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql
from prometheus_client import CollectorRegistry

from zixly_core.metrics import METRICS, WORKER_BUSY, WORKER_BUSY_SECONDS, WORKER_RUNS, WORKER_SLOTS, Kind, ProcessMetrics

# What Prometheus adds to every series, and what a histogram's buckets have.
ADDED = frozenset({"job", "instance"})
BUCKET = "le"
# Metrics that others export: Prometheus about its targets and its rules, Alertmanager about what it sends.
FOREIGN = {
    "up": frozenset[str](),
    "prometheus_rule_evaluation_failures_total": frozenset({"rule_group"}),
    "alertmanager_notifications_failed_total": frozenset({"integration"}),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
}


def exported() -> dict[str, frozenset[str]]:
    """Every series that may be asked for, with its labels."""
    found = {name: labels | ADDED for name, labels in FOREIGN.items()}
    for metric in METRICS:
        labels = frozenset(metric.labels) | ADDED
        if metric.kind is Kind.HISTOGRAM:
            found |= {f"{metric.name}_sum": labels, f"{metric.name}_count": labels, f"{metric.name}_bucket": labels | {BUCKET}}
        else:
            found[metric.name] = labels
    return found


def counted_by_each() -> frozenset[str]:
    """Series that belong to one process, so that several are added up: those of bridges and workers."""
    registry = CollectorRegistry()
    ProcessMetrics(registry)
    bridges = {sample for family in registry.collect() for sample in (family.name, f"{family.name}_total")}
    own = bridges | {metric.name for metric in (WORKER_SLOTS, WORKER_BUSY, WORKER_BUSY_SECONDS, WORKER_RUNS)}
    return frozenset(name for name in exported() if re.sub("_(bucket|count|sum)$", "", name) in own)


@dataclass(frozen=True)
class Asked:
    """One series in an expression. `above` are the aggregations around it, the innermost first."""

    name: str
    labels: frozenset[str]
    above: tuple[promql.AggregateExpr, ...]

    @property
    def is_taken_once(self) -> bool:
        """Whether copies of it at several bridges count as one."""
        return any(keeps_one_of_each(aggregation) for aggregation in self.above)


def keeps_one_of_each(aggregation: promql.AggregateExpr) -> bool:
    modifier = aggregation.modifier
    if str(aggregation.op) not in {"max", "min", "group"} or modifier is None:
        return False
    is_by = modifier.type == promql.AggModifierType.By
    return ("instance" not in modifier.labels) if is_by else ("instance" in modifier.labels)


def asked_in(expression: str) -> tuple[Asked, ...]:
    """Every series that the expression asks for. Raises `ValueError` for what is no PromQL."""
    return tuple(found(promql.parse(expression), ()))


def found(node: promql.Expr, above: tuple[promql.AggregateExpr, ...]) -> Iterator[Asked]:
    match node:
        case promql.VectorSelector():
            yield Asked(node.name or "", frozenset(one.name for one in node.matchers.matchers) - {"__name__"}, above)
        case promql.MatrixSelector():
            yield from found(node.vector_selector, above)
        case promql.AggregateExpr():
            yield from found(node.expr, (node, *above))
        case promql.BinaryExpr():
            yield from found(node.lhs, above)
            yield from found(node.rhs, above)
        case promql.Call():
            for argument in node.args:
                yield from found(argument, above)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from found(node.expr, above)
        case _:
            pass  # numbers and texts


def grouped_in(expression: str) -> frozenset[str]:
    """Every label by which the expression groups."""
    labels: set[str] = set()

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            labels.update(node.modifier.labels)

    promql.walk(promql.parse(expression), visit)
    return frozenset(labels)


def faults_of(expression: str) -> list[str]:
    """What is wrong with an expression over our metrics, in words; empty if nothing is."""
    known, own = exported(), counted_by_each()
    faults = []
    for one in asked_in(expression):
        if one.name not in known:
            faults.append(f"{one.name} is not exported")
            continue
        faults += [f"{one.name} has no label {label}" for label in sorted(one.labels - known[one.name])]
        if one.name not in own and one.name not in FOREIGN and not one.is_taken_once:
            faults.append(f"{one.name} is shown by every bridge and must be taken once")
    labels = frozenset[str]().union(*(known.get(one.name, frozenset()) for one in asked_in(expression)))
    return faults + [f"nothing has the label {label}" for label in sorted(grouped_in(expression) - labels)]
