"""Keep the index of payloads' values up with what is received. The SQL function does it; whoever calls it sees counts and no payload."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from zixly_core.stores.database import Database

# Events in one transaction: a second's work at most on a busy machine, and no more is done again when it is broken off.
SET = 500

STEP_SQL = "select events, entries, missed, behind, checking from zixly.index_payloads(%s)"


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
