"""What tests of reconciliations do: compare as the nightly job does, plant drifts, repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from dagster import DagsterRun, DagsterRunStatus, execute_job, reconstructable

from tests.integration.workflows.conftest import ONE_BATCH, Stage
from tests.integration.workflows.job_functions import reconcile
from tests.support.definitions import dagster_without_warnings
from zixly_core.reconciling.planning import Ask, plan
from zixly_core.stores.drifts import repair
from zixly_core.stores.handover import HandoverLimits, hand_over
from zixly_dagster.instance.interrupts import interrupts_raised

WORKFLOW = "xero-invoice-to-hubspot"
KINDS = ("missing_event", "field_drift", "missing_target")
ALL = timedelta(days=400)


@dataclass
class Comparing:
    """A stage and its comparisons."""

    stage: Stage
    workflow: str = WORKFLOW
    ahead: timedelta = timedelta(minutes=1)
    """How far the sandbox's clock may be ahead of ours."""

    def run(self, *, is_full: bool = True, is_dry: bool = False, settling: timedelta = timedelta()) -> dict[str, int]:
        """One reconciliation from asking to its end; its counts."""
        return self.counts(self.asked(is_full=is_full, is_dry=is_dry, settling=settling))

    def asked(
        self, *, is_full: bool = True, is_dry: bool = False, settling: timedelta = timedelta(), ends: str = "DONE", fails: bool = False
    ) -> UUID:
        tenant = self.stage.ledger.tenant.id
        ask = Ask(tenant, workflow=self.workflow, is_full=is_full, is_dry=is_dry, days=ALL.days, settling=settling)
        with self.stage.ledger.runs.transaction(tenant_id=tenant) as connection:
            (one,) = plan(connection, ask, now=datetime.now(UTC) + self.ahead)
        run = self.go_on(one)
        while ends == "DONE" and self.row(one)["status"] == "PARKED":
            self.stage.sandbox.admin("POST", "/clock", {"seconds": 5})
            self.stage.make_due()
            run = self.go_on(one)
        assert (run.status is DagsterRunStatus.SUCCESS) is not fails
        assert self.row(one)["status"] == ends, self.row(one)
        return one

    def go_on(self, reconciliation_id: UUID) -> DagsterRun:
        """What the sensor launches."""
        return self.execute({"reconciliation_id": str(reconciliation_id)})

    def execute(self, config: Mapping[str, Any]) -> DagsterRun:
        """The Dagster job, as the sensor and the schedules launch it."""
        with dagster_without_warnings(), interrupts_raised():
            result = execute_job(
                reconstructable(reconcile),
                instance=self.stage.instance,
                run_config={"ops": {"compare_records": {"config": {"tenant": "demo", **config}}}},
                raise_on_error=False,
            )
        run = self.stage.instance.get_run_by_id(result.run_id)
        assert run is not None
        return run

    def row(self, reconciliation_id: UUID) -> dict[str, Any]:
        (row,) = self.stage.rows("select * from zixly.reconciliations where id = %s", reconciliation_id)
        return row

    def counts(self, reconciliation_id: UUID) -> dict[str, int]:
        row = self.row(reconciliation_id)
        assert row["status"] == "DONE", row
        counts: dict[str, int] = row["counts"]
        return counts

    def drifts(self) -> list[dict[str, Any]]:
        return self.stage.rows("select * from zixly.drifts where workflow = %s order by found_at, id", self.workflow)

    def statuses(self) -> dict[str, int]:
        return dict(Counter(one["status"] for one in self.drifts()))

    def repair(self, *drifts: UUID) -> int:
        with self.stage.ledger.runs.transaction(tenant_id=self.stage.ledger.tenant.id) as connection:
            return repair(connection, now=datetime.now(UTC) + timedelta(hours=1), ids=drifts).count

    def work_off(self, *, limits: HandoverLimits = ONE_BATCH) -> None:
        """Have every waiting job done."""
        system = {"shopify": "shopify", "hubspot": "hubspot", "asana": "asana"}.get(self.workflow.partition("-")[0], "xero")
        self.stage.make_due()
        while batches := hand_over(self.stage.ledger.dispatch, system=system, limits=limits):
            for batch in batches:
                self.stage.run(batch)

    def synced(self) -> None:
        """Everything is told, and nothing is left to find."""
        self.run()
        self.work_off()
        assert sum(self.run().get(kind, 0) for kind in ("missing_event", "field_drift", "missing_target")) == 0

    def open_drifts(self) -> list[dict[str, Any]]:
        return [one for one in self.drifts() if one["status"] == "OPEN"]

    def connected_now(self) -> None:
        """What the sandbox has is from before the accounts were connected; its clock is a little ahead."""
        self.stage.ledger.owner.execute("update zixly.connections set created_at = now() + interval '30 seconds'")

    def connected_long_ago(self) -> None:
        """The first reconciliation has nothing to do with the day of the consent."""
        self.stage.ledger.owner.execute("update zixly.connections set created_at = now() - interval '30 days'")

    def pay(self, invoice: str) -> None:
        """The customer pays, and no webhook tells."""
        self.stage.sandbox.admin("POST", "/clock", {"seconds": 2})
        self.stage.sandbox.pay(self.stage.sandbox.books.invoices[invoice])

    def remove_contact(self, contact: str) -> None:
        portal = self.stage.sandbox.portal
        portal.remove(portal.contacts, portal.contacts.records[contact])

    def add_contact(self, email: str) -> str:
        portal = self.stage.sandbox.portal
        record = portal.new_record(portal.contacts, {"email": email}, now=self.stage.sandbox.sandbox.clock.milliseconds(), lag_ms=0)
        return str(record.id)

    def edit_contact(self, contact: str, values: Mapping[str, str]) -> None:
        """What a person types over at HubSpot."""
        self.stage.sandbox.portal.contacts.records[contact].properties.update(values)
