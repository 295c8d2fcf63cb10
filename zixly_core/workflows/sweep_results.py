"""What the workflow `trading-sweep` keeps of a sweep: documents, and a summary for the job's result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson

from zixly_core.job import ClaimedJob
from zixly_core.systems.sweeps.results import Pair, SweepResult

COLUMNS = tuple(field.name for field in fields(Pair))


@dataclass(frozen=True)
class Document:
    """A document to be kept."""

    key: str
    data: bytes
    content_type: str


def documents_of(job: ClaimedJob, result: SweepResult) -> tuple[Document, Document]:
    """The result as CSV (one line for each pair, best return first) and as JSON, under the job's own keys."""
    folder = f"{job.tenant_id}/{job.id}"
    return (
        Document(f"{folder}/sweep.csv", csv_of(result), "text/csv; charset=utf-8"),
        Document(f"{folder}/sweep.json", orjson.dumps(asdict(result), option=orjson.OPT_INDENT_2), "application/json"),
    )


def csv_of(result: SweepResult) -> bytes:
    """By RFC 4180, with a line of names. All values are numbers, so nothing needs quoting."""
    rows = (",".join(str(getattr(pair, name)) for name in COLUMNS) for pair in result.pairs)
    return ("\r\n".join([",".join(COLUMNS), *rows]) + "\r\n").encode()


def summary_of(result: SweepResult, *, documents: tuple[Document, Document], url: str) -> Mapping[str, Any]:
    """The job's result: the best pair, and where everything is."""
    best = result.best
    return {
        "sweep_id": result.job_id,
        "ticker": result.ticker,
        "strategy_type": result.strategy_type,
        "pairs": len(result.pairs),
        "best": {"fast": best.fast, "slow": best.slow, "total_return": best.total_return, "sharpe": best.sharpe},
        "buy_and_hold": result.buy_and_hold,
        "csv": documents[0].key,
        "json": documents[1].key,
        "url": url,
    }
