"""What the ops of `shopify-order-to-xero` share: which of the batch's jobs are their turn, and where they write."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from zixly_core.connection_settings import PaidOrders, ShopifySettings, settings_in
from zixly_core.effects import WriteOutcome, Written
from zixly_core.job import ClaimedJob
from zixly_core.stores.connections import ConfiguredConnection, time_zone
from zixly_core.systems.xero.client import XeroClient
from zixly_core.workflows.paid_orders import Plan
from zixly_dagster.ops.steps import pending, source_of, target_of
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


def ids_of(outcomes: Sequence[WriteOutcome | None]) -> list[str]:
    """The ids of the records that were written."""
    return [str(one.result["id"]) for one in outcomes if isinstance(one, Written)]


def is_to_be_created(record_id: str) -> bool:
    """Whether it stands for a record that a dry run would have created."""
    try:
        UUID(record_id)
    except ValueError:
        return True
    return False
