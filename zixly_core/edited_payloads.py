"""Payloads that people put in the place of received ones. They are checked as a received one is, and only where a workflow reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zixly_core.replays import NotReplayable
from zixly_core.systems.callbacks.sweep_request import sweep_request_of

# Workflows about a request, and how theirs is read.
READERS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {"trading-sweep": sweep_request_of}
FIXED: Mapping[str, str] = {"shopify-privacy": "A request of privacy law is carried out as it came; its payload cannot be edited."}
NOT_READ = (
    "{workflow} reads its record anew whenever it runs, and nothing else of the payload: there is nothing to edit. "
    "For another record there is `zixly run {workflow} RECORD`."
)


def check_edited(workflow: str, payload: Mapping[str, Any]) -> None:
    """Raises `NotReplayable` for a workflow to which a payload means nothing, and `MalformedPayload` with the first field that is
    wrong."""
    reader = READERS.get(workflow)
    if reader is None:
        raise NotReplayable(FIXED.get(workflow, NOT_READ.format(workflow=workflow)), reason="payload_not_editable")
    reader(payload)
