"""`python -m zixly_dagster.register`: write the rows of table `workflows`, from which the bridge knows what wants which event."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from zixly_core.errors import ZixlyError
from zixly_core.settings import read_settings
from zixly_core.stores.database import Database
from zixly_core.stores.rows import columns_of
from zixly_dagster.workflow import Workflow
from zixly_dagster.workflows import WORKFLOWS

# What people changed (paused_at) stays; a workflow that this version does not have is switched off, not forgotten.
UPSERT_SQL = """
insert into zixly.workflows (name, system, title, triggers, priority, max_batch, needs_source, record_form)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (name) do update set system = excluded.system, title = excluded.title, triggers = excluded.triggers,
  priority = excluded.priority, max_batch = excluded.max_batch, needs_source = excluded.needs_source, record_form = excluded.record_form,
  enabled = true"""
RETIRE_SQL = "update zixly.workflows set enabled = false where name <> all(%s)"


def register(database: Database, workflows: Iterable[Workflow]) -> int:
    """Write a row for each workflow; how many there are. As the role that dispatches."""
    rows = [
        (one.name, one.system, one.title, list(one.triggers), one.priority, one.max_batch, one.needs_source, one.record_form)
        for one in workflows
    ]
    with database.transaction() as connection:
        for row in rows:
            connection.execute(UPSERT_SQL, row)
        connection.execute(RETIRE_SQL, columns_of([(row[0],) for row in rows]))
    return len(rows)


def main() -> int:
    try:
        count = register(Database(read_settings().required("database_url_dispatch"), name="register"), WORKFLOWS.values())
    except ZixlyError as error:
        sys.stderr.write(f"register: {error}\n")
        return 2
    sys.stdout.write(f"{count} workflows registered\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
