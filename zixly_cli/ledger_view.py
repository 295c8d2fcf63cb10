"""`zixly ledger`: what came and what became of it, what was made and how it ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from zixly_cli.moments import shown

EVENTS = ("with_jobs", "filtered", "duplicate", "unroutable")
JOBS = ("made", "completed", "failed", "cancelled", "open")
# Of hours that are named one by one.
MAX_PLACES = 5
Document = Mapping[str, Any]


def totals(rows: Iterable[Document], names: Sequence[str], *, by_hour: bool) -> dict[tuple[str, ...], dict[str, int]]:
    """Counts by tenant and system, or by hour too, in order."""
    found: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    for row in rows:
        key = (shown(row["hour"])[:16] if by_hour else "", row["tenant"] or "(nobody's)", row["system"])
        for name in names:
            found[key][name] += row[name]
    return dict(sorted(found.items()))


def ledger_tables(ledger: Document, *, by_hour: bool) -> list[Table]:
    """Events and jobs; each line adds up."""
    return [
        count_table("events", totals(ledger["events"], EVENTS, by_hour=by_hour), ("received", *EVENTS), by_hour=by_hour),
        count_table("jobs", totals(ledger["jobs"], JOBS, by_hour=by_hour), JOBS, by_hour=by_hour),
    ]


def count_table(title: str, rows: Mapping[tuple[str, ...], Mapping[str, int]], names: Sequence[str], *, by_hour: bool) -> Table:
    table = Table(title=title, title_justify="left")
    for column in (*(["hour (UTC)"] if by_hour else []), "tenant", "system"):
        table.add_column(column, overflow="fold")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for key, counts in rows.items():
        full = {"received": sum(counts.values()), **counts}
        table.add_row(*(Text(one) for one in key[0 if by_hour else 1 :]), *(str(full[name]) for name in names))
    return table


def missing_in(received: Sequence[Document]) -> list[str]:
    """In which hour of which system deliveries and their events differ, the newest first, and by how much in all."""
    rows = sorted((row for row in received if row["difference"]), key=lambda row: str(row["hour"]), reverse=True)
    if not rows:
        return []
    places = [f"{row['system']} {shown(row['hour'])[:16]}: {row['received']} received, {row['events']} found" for row in rows]
    more = [f"and {len(places) - MAX_PLACES} hours more"] if len(places) > MAX_PLACES else []
    lost = sum(abs(row["difference"]) for row in rows)
    return [f"deliveries and their events differ by {lost} ({', '.join([*places[:MAX_PLACES], *more])})"]


def balance_of(ledger: Document) -> tuple[bool, str]:
    """Whether it balances, and that in one sentence."""
    wrong = [
        f"{row['tenant']} {row['system']} {shown(row['hour'])}: {row['made']} jobs made, others found"
        for row in ledger["jobs"]
        if row["made"] != row["completed"] + row["failed"] + row["cancelled"] + row["open"]
    ]
    wrong += missing_in(ledger["received"] or ())
    if ledger["unaccounted"]:
        wrong.append(f"{ledger['unaccounted']} open jobs are unaccounted for; the sweep takes them back within two minutes")
    if wrong:
        return False, "It does not balance: " + "; ".join(wrong) + "."
    return True, "It balances: nothing is unaccounted for."
