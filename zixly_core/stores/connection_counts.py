"""How authorisations stand, for metrics: connections by status, and how soon the vendor would end what lies unused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.stores.database import Rows

CONNECTIONS_SQL = "select system, lower(status) as status, count(*) as connections from zixly.connections group by 1, 2"
ISSUES_SQL = "select system, count(*) as issues from zixly.issues where status = 'OPEN' group by 1"
UNUSED_SQL = """
select g.system, extract(epoch from now() - min(g.refreshed_at))::float as seconds
from zixly.grants g
where exists (select from zixly.connections c where c.grant_id = g.id and c.status = 'ACTIVE')
group by 1"""

# Of active connections; a grant that never ends, such as a Shopify app's, has no moment.
ACCESS_SQL = """
select g.system, extract(epoch from min(g.expires_at) - now())::float as seconds
from zixly.grants g
where g.expires_at is not null and exists (select from zixly.connections c where c.grant_id = g.id and c.status = 'ACTIVE')
group by 1"""


@dataclass(frozen=True)
class ConnectionCounts:
    """By system: connections (and status), open issues, since how many seconds the longest unused grant was not exchanged, and in how
    many seconds the access token that ends first does."""

    connections: Mapping[tuple[str, str], int]
    open_issues: Mapping[str, int]
    unused_seconds: Mapping[str, float]
    access_left_seconds: Mapping[str, float]


def connection_counts(rows: Rows) -> ConnectionCounts:
    """As the role `metrics`."""
    return ConnectionCounts(
        connections={(row["system"], row["status"]): row["connections"] for row in rows.execute(CONNECTIONS_SQL)},
        open_issues={row["system"]: row["issues"] for row in rows.execute(ISSUES_SQL)},
        unused_seconds={row["system"]: row["seconds"] for row in rows.execute(UNUSED_SQL)},
        access_left_seconds={row["system"]: row["seconds"] for row in rows.execute(ACCESS_SQL)},
    )
