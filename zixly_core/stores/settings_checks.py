"""Which connections' settings were saved and not compared yet with what the vendors have, and what the comparison came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zixly_core.stores.database import Database
from zixly_core.stores.issues import raise_issue, resolve_issue
from zixly_core.token_store import Connection

OPERATION, REASON = "settings", "settings_do_not_fit"
DUE_SQL = """
select id, tenant_id, settings_saved_at from zixly.connections
where status = 'ACTIVE' and settings_saved_at is not null and (settings_checked_at is null or settings_checked_at < settings_saved_at)
order by settings_saved_at limit %s"""
CHECKED_SQL = "update zixly.connections set settings_checked_at = %s where id = %s"
RETITLE_SQL = "update zixly.issues set title = %s where id = %s"


def due_checks(database: Database, *, limit: int = 20) -> list[Mapping[str, Any]]:
    """Connections to look at, across tenants, as role `dispatch`: `id`, `tenant_id`, `settings_saved_at`."""
    with database.transaction() as connection:
        return list(connection.execute(DUE_SQL, (limit,)))


def note_checked(database: Database, checked: Connection, *, saved_at: datetime, problems: Sequence[str]) -> None:
    """Keep that the settings of this time were looked at; an issue tells what does not fit, and is resolved when all does."""
    tenant_id, system = checked.tenant_id, checked.system
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(CHECKED_SQL, (saved_at, checked.id))
        if not problems:
            resolve_issue(connection, tenant_id=tenant_id, system=system, operation=OPERATION, reason=REASON, connection_id=checked.id)
            return
        title = " ".join(problems)
        raised = raise_issue(
            connection,
            tenant_id=tenant_id,
            system=system,
            operation=OPERATION,
            reason=REASON,
            connection_id=checked.id,
            title=title,
            link=f"/api/connections/{checked.id}/settings",
        )
        connection.execute(RETITLE_SQL, (title, raised))
