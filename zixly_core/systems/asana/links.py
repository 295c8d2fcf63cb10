"""Where a person opens a record in Asana.

The short form of the older links, which Asana leads on to the one that `permalink_url` tells (developers.asana.com/reference/tasks); the
newer `/1/{workspace}/...` needs a workspace, and record keys of ours have none, as Asana's ids are unique across them.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

PATHS: Mapping[str, str] = {"task": "/0/0/{gid}", "project": "/0/{gid}/list"}


def record_url(kind: str, record_id: str, *, account: str, base: str) -> str | None:
    """Deep link to a record; None for a kind that has no page of its own."""
    path = PATHS.get(kind)
    return base + path.format(gid=quote(record_id, safe="")) if path else None
