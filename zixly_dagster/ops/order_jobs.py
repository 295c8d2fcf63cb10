"""What the ops of `shopify-order-to-xero` share: which of the batch's jobs are their turn, and where they write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from zixly_core.connection_settings import PaidOrders, ShopifySettings, settings_in
from zixly_core.effects import TargetWrite, WriteOutcome, Written
from zixly_core.job import ClaimedJob, failure_from
from zixly_core.stores.connections import ConfiguredConnection, time_zone
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.element_results import ElementResult
from zixly_core.workflows.paid_orders import Plan
from zixly_dagster.ops.steps import Done, Outcome, first_failure, pending, plans_of, source_of, stopped, target_of
from zixly_dagster.resources.batch import BatchWork
from zixly_dagster.resources.xero import XeroResource


@dataclass(frozen=True)
class Books:
    """The shop, the organisation whose books it is in, and how the one is written into the other."""

    source: ConfiguredConnection
    target: ConfiguredConnection
    client: XeroClient
    settings: PaidOrders
    zone: ZoneInfo


def booked(work: BatchWork, *, needs: Sequence[str] = (), lacks: str) -> list[ClaimedJob]:
    """The jobs whose order is to be in the books, and that are at this step."""
    return [job for job in pending(work, needs=["plan", *needs], lacks=lacks) if job.checkpoint["plan"] == Plan.BOOK]


def books_of(work: BatchWork, job: ClaimedJob, xero: XeroResource) -> Books:
    """Raises `Permanent` for settings that cannot be used, and as `target_of`."""
    source = source_of(work, job)
    target = target_of(work, source, system="xero")
    return Books(
        source=source,
        target=target,
        client=xero.client(work, target.id),
        settings=settings_in(ShopifySettings, source.settings, connection_id=source.id).paid_orders,
        zone=time_zone(work.database, work.run),
    )


def joined(
    writes: Sequence[TargetWrite],
    outcomes: Mapping[str, WriteOutcome],
    *,
    done: Callable[[Sequence[str]], Done],
    planned: Callable[[int], Done],
) -> Outcome | None:
    """What became of a job that makes several records, in the order of its writes: the first failure, or what `done` says of
    their ids, or what `planned` says of their number where it is a dry run. None for a job that was lost to another run."""
    written = {write.effect_key: outcomes.get(write.effect_key) for write in writes}
    if (failure := first_failure(list(written.values()))) is not None:
        return stopped(failure)
    if plans := plans_of(written):
        plan = planned(len(plans))
        return replace(plan, checkpoint={**plan.checkpoint, **plans})
    records = [one for one in written.values() if isinstance(one, Written)]
    return done([str(one.result["id"]) for one in records]) if len(records) == len(writes) else None


def written_from(results: Mapping[str, ElementResult]) -> dict[str, WriteOutcome]:
    """What Xero said to each element, as the outcome of its effect."""
    return {key: failure_from(one.error) if one.error is not None else Written({"id": one.id}) for key, one in results.items()}


def count_written(outcomes: Mapping[str, WriteOutcome]) -> int:
    return sum(1 for one in outcomes.values() if isinstance(one, Written) and one.changed)
