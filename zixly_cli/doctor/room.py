"""Whether there is room: where the embedded stack's Postgres writes, and where objects go."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zixly_cli.doctor.findings import Check, Problem
from zixly_cli.doctor.platform import Platform
from zixly_core.objects import open_object_store

# Postgres' write-ahead log alone grows to 2 GB (`max_wal_size`) while much is written.
LEAST_FREE_BYTES = 2_000_000_000
NEVER_PUT = "doctor/nothing"
MAKE_ROOM = "Free some; what waits goes on by itself. Jobs that failed of it: `zixly issues`, and `zixly issues replay ID`."
MEND_STORE = "See ZIXLY_OBJECTS_URL, and whether the store is up. Jobs that failed of it: `zixly issues`, and `zixly issues replay ID`."


def room_checks(platform: Platform) -> list[Check]:
    checks = []
    if platform.postgres_folder is not None:
        checks.append(Check("disk of Postgres", partial(room_at, platform.postgres_folder), MAKE_ROOM))
    url = platform.settings.objects_url
    if url is not None:
        checks.append(Check("objects", partial(store_answers, url), MEND_STORE))
    return checks


def store_answers(url: str) -> str:
    """The store can be asked; one in a folder of this machine has room, too."""
    open_object_store(url).exists(NEVER_PUT)
    parts = urlsplit(url)
    return room_at(Path(unquote(parts.path))) if parts.scheme == "file" else "can be asked"


def room_at(folder: Path) -> str:
    """What is free on the disk that holds the folder, or will once it is made."""
    free = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free
    if free < LEAST_FREE_BYTES:
        raise Problem(f"The disk fills: {in_words(free)} are free at {folder}.", remedy=MAKE_ROOM)
    return f"{in_words(free)} are free"


def in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
