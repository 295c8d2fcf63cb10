"""What our three storages share: the process's pooled engine instead of one of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Engine

from zixly_dagster.instance.engines import shared_engine
from zixly_dagster.instance.private_names import ConfigurableClassData


class Pooled:
    """Mixed in before a stock storage. Tables are made by `python -m zixly_dagster.instance.migrate`, so nothing is looked up or
    made when a storage is opened."""

    postgres_url: str
    _statement_timeout_ms: int | None = None

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(pg_url_from_config(config_value), should_autocreate_tables=False, inst_data=inst_data)  # type: ignore[call-arg]

    @property
    def _engine(self) -> Engine:
        return shared_engine(self.postgres_url, statement_timeout_ms=self._statement_timeout_ms)

    @_engine.setter
    def _engine(self, made: Engine) -> None:
        """What the base class made for itself has opened nothing yet, and is not needed."""

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """The pool is there already; people's queries get their timeout (milliseconds)."""
        self._statement_timeout_ms = statement_timeout
