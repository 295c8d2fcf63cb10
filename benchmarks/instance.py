"""The Dagster instance that a question is put to: ours or the stock one. Both share ledger, bridge and sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.bench_stack import BenchStack


@dataclass(frozen=True)
class Instance:
    """`name` is `zixly` or `stock`; `dagster_url` is where its runs are recorded."""

    name: str
    stack: BenchStack
    dagster_url: str

    @property
    def is_stock(self) -> bool:
        return self.name == STOCK


ZIXLY = "zixly"
STOCK = "stock"
