"""What kind of process a name stands for. Loads nothing, since `looking_after.py` needs it and is to stay small."""

from __future__ import annotations

VIEWER_WEBSERVER = "viewer_webserver"


def kind_of(name: str) -> str:
    """`worker` for `worker-2`, `webserver` for the viewers' too; the others are their own kind."""
    if name == VIEWER_WEBSERVER:
        return "webserver"
    return "worker" if name.startswith("worker-") else name
