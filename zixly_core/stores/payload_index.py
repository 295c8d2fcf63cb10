"""Keep the index of payloads' values up with what is received. The SQL function does it; whoever calls it sees counts and no payload."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from zixly_core.stores.database import Database, Rows

# Events in one transaction: a second's work at most on a busy machine, and no more is done again when it is broken off.
SET = 500

STEP_SQL = "select events, entries, missed, behind, checking from zixly.index_payloads(%s)"

# The first 48 bits of an id are its moment in milliseconds. Before the first step: since the index was made.
AGE_SQL = """
select extract(epoch from now() - case when indexed_through = '00000000-0000-0000-0000-000000000000' then updated_at
  else to_timestamp(('x' || left(replace(indexed_through::text, '-', ''), 12))::bit(48)::bigint / 1000.0) end)::float8 as seconds
from zixly.payload_index"""


@dataclass(frozen=True)
class IndexStep:
    """What one step did. `missed` events had been committed too late for their turn; `behind` is the age of the oldest event that is not
    indexed; `is_checking`: there is more to look at again."""

    events: int
    entries: int
    missed: int
    behind: timedelta
    is_checking: bool

    @property
    def has_more(self) -> bool:
        return self.events == SET or self.is_checking


def index_next(database: Database) -> IndexStep | None:
    """Index the next events, as role `dispatch`; None when somebody else is at it. Raises `StoreUnavailable`."""
    with database.transaction() as connection:
        row = connection.execute(STEP_SQL, (SET,)).fetchone()
    return IndexStep(row["events"], row["entries"], row["missed"], row["behind"], row["checking"]) if row else None


def index_age(rows: Rows) -> float:
    """How many seconds ago the events came that were indexed last; a minute and a little in good order. As role `metrics`."""
    return float(next(iter(rows.execute(AGE_SQL)))["seconds"])
