"""Read what events and deliveries said, wherever it is kept: in the row, or in the archive of its tenant and day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from zixly_core.archive_members import unpacked
from zixly_core.object_store import ObjectStore
from zixly_core.stores.archives import Where

# Opened only when an archive has to be read: a driver for S3 takes its time to load.
Objects = Callable[[], ObjectStore]


def payloads_at(places: Sequence[Where], objects: Objects) -> dict[UUID, bytes]:
    """The bytes of payloads found by `where_payloads_are`, by the row's id; each archive is read once. To be called when the transaction
    is over: the object store may be far away.

    Raises `ObjectNotFound` or `Permanent` for an archive that is lost or damaged, `Transient` when the store is away.
    """
    found = {place.id: place.data for place in places if place.data is not None}
    by_key: dict[str, list[UUID]] = {}
    for place in places:
        if place.object_key is not None:
            by_key.setdefault(place.object_key, []).append(place.id)
    for key, ids in by_key.items():
        members = unpacked(objects().get(key), key=key)
        found.update({one: members[one] for one in ids if one in members})
    return found
