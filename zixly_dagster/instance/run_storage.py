"""Runs. Does not ask Postgres again and again what cannot change: the columns of a migrated table, and a snapshot named by its hash.

Stock looks the columns up in the catalogue on each read of a run, six times in a five-op run, which cost more than the reads.
"""

from __future__ import annotations

from collections import OrderedDict

from dagster_postgres.run_storage import PostgresRunStorage

from zixly_dagster.instance.pooled import Pooled
from zixly_dagster.instance.private_names import ExecutionPlanSnapshot

# One for each job, and one more for each version of it that was deployed while the process lived.
SNAPSHOTS_KEPT = 256


class PooledRunStorage(Pooled, PostgresRunStorage):
    """Made by dagster.yaml; see `PooledPostgresStorage`."""

    def has_run_stats_index_cols(self) -> bool:
        return True

    def has_bulk_actions_selector_cols(self) -> bool:
        return True

    def has_backfill_id_column(self) -> bool:
        return True

    def has_bulk_action_job_name_column(self) -> bool:
        return True

    def has_backfill_tags_table(self) -> bool:
        return True

    def has_job_snapshot(self, job_snapshot_id: str) -> bool:
        if job_snapshot_id in self._snapshots:
            return True
        found = bool(super().has_job_snapshot(job_snapshot_id))
        if found:
            self._keep(job_snapshot_id, None)
        return found

    def get_execution_plan_snapshot(self, execution_plan_snapshot_id: str) -> ExecutionPlanSnapshot:
        kept = self._snapshots.get(execution_plan_snapshot_id)
        if kept is not None:
            return kept
        snapshot: ExecutionPlanSnapshot = super().get_execution_plan_snapshot(execution_plan_snapshot_id)
        if snapshot is not None:
            self._keep(execution_plan_snapshot_id, snapshot)
        return snapshot

    @property
    def _snapshots(self) -> OrderedDict[str, ExecutionPlanSnapshot | None]:
        return _kept_of.setdefault(self.postgres_url, OrderedDict())

    def _keep(self, snapshot_id: str, snapshot: ExecutionPlanSnapshot | None) -> None:
        self._snapshots[snapshot_id] = snapshot
        if len(self._snapshots) > SNAPSHOTS_KEPT:
            self._snapshots.popitem(last=False)


# By database, not by storage: the code server makes a storage for each evaluation of a sensor. Snapshots are named by their content.
_kept_of: dict[str, OrderedDict[str, ExecutionPlanSnapshot | None]] = {}
