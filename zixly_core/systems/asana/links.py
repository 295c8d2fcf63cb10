"""Where a person opens a record in Asana; a short form that leads to the one in `permalink_url`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

AsanaRecord = Literal["task", "project"]

PATHS: dict[AsanaRecord, str] = {"task": "/0/0/{gid}", "project": "/0/{gid}/list"}


def record_url(record_type: AsanaRecord, record_id: str) -> str:
    """Deep link to a record."""
    return "https://app.asana.com" + PATHS[record_type].format(gid=quote(record_id, safe=""))
