"""A database whose user dies in the middle: right before a commit, of which nothing is left then, or right after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from tests.integration.model.vendor import Crash
from zixly_core.stores.database import Database, Rows


@dataclass(frozen=True)
class Death:
    """In which transaction from now on, counted from 0, and on which side of its commit."""

    transaction: int
    after_commit: bool


class MortalDatabase(Database):
    """Real, until the death that it was given comes."""

    def __init__(self, url: str, *, name: str) -> None:
        super().__init__(url, name=name)
        self._death: Death | None = None
        self._begun = 0

    def dies(self, death: Death | None) -> None:
        self._death, self._begun = death, 0

    @contextmanager
    def transaction(self, *, tenant_id: UUID | None = None) -> Iterator[Rows]:
        is_last = self._death is not None and self._begun == self._death.transaction
        self._begun += 1
        with super().transaction(tenant_id=tenant_id) as connection:
            yield connection
            if is_last and not self._death_is_late():
                raise Crash  # rolled back at once; of a closed connection the server would notice some time later
        if is_last:
            raise Crash

    def _death_is_late(self) -> bool:
        return self._death is not None and self._death.after_commit
