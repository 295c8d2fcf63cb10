"""Changing the key: everything sealed is sealed anew under the newest one, in small transactions, while all else goes on.

It can be stopped at any moment and started again: which rows are left stands in the rows. What other processes seal meanwhile under the
key before is found by the next round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from zixly_core.errors import Permanent
from zixly_core.sealed_columns import SEALED, SealedColumn
from zixly_core.secret_box import SecretBox
from zixly_core.stores.database import Database
from zixly_core.stores.sealed import Counts, counts_by_key, note_rotation, reseal_batch

BATCH = 50
# Rounds over all columns before what is left is told of, and the pause between them: an exchange of tokens holds its row for 35 s at most.
ROUNDS = 12
PAUSE_SECONDS = 5.0
FIRST = UUID(int=0)


@dataclass(frozen=True)
class Resealing:
    """How it stands at the end."""

    newest: bytes
    resealed: dict[str, int]
    unreadable: dict[str, list[UUID]]
    counts: Counts = field(repr=False)

    def left(self, key_id: bytes | None = None) -> int:
        """Values that another key than the newest has sealed; or that this one has."""
        return sum(
            number
            for by_key in self.counts.values()
            for key, number in by_key.items()
            if (key != self.newest if key_id is None else key == key_id)
        )


def reseal_all(
    database: Database,
    box: SecretBox,
    *,
    actor: str,
    tell: Callable[[SealedColumn, int], object] = lambda _column, _done: None,
    batch: int = BATCH,
    pause: Callable[[float], object] = time.sleep,
) -> Resealing:
    """Seal anew until nothing is left that can be opened. `tell` hears of each transaction how many values it sealed.
    Raises `StoreUnavailable`; what was done until then stays done."""
    newest = box.key_ids[0]
    resealed = {sealed.name: 0 for sealed in SEALED}
    for number in range(ROUNDS):
        unreadable: dict[str, list[UUID]] = {}
        for sealed in SEALED:
            done, bad = reseal_column(database, box, sealed, newest=newest, batch=batch, tell=tell)
            resealed[sealed.name] += done
            if bad:
                unreadable[sealed.name] = bad
        result = Resealing(newest, resealed, unreadable, counts_by_key(database))
        if result.left() == sum(map(len, unreadable.values())):
            break
        if number < ROUNDS - 1:
            pause(PAUSE_SECONDS)
    if any(resealed.values()):
        note_rotation(database, actor=actor, key=newest.hex(), counts=resealed)
    return result


def reseal_column(
    database: Database, box: SecretBox, sealed: SealedColumn, *, newest: bytes, batch: int, tell: Callable[[SealedColumn, int], object]
) -> tuple[int, list[UUID]]:
    """One walk over a column: how many values were sealed anew, and the rows that cannot be opened."""

    def anew(value: bytes, context: str) -> bytes | None:
        try:
            return box.resealed(value, context=context)
        except Permanent:
            return None

    done, unreadable, after = 0, list[UUID](), FIRST
    while True:
        made = reseal_batch(database, sealed, newest=newest, after=after, limit=batch, resealed=anew)
        if made.last is None:
            return done, unreadable
        after = made.last
        done += made.done
        unreadable += made.unreadable
        tell(sealed, made.done)
