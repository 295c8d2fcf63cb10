"""Which messages must not be handed out again, the same rule for every back end."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from zixly_core.queue import Message, Queue

UNREADABLE = "unreadable"
TAKEN_TOO_OFTEN = "taken_too_often"

log = structlog.get_logger()


def worth_handing_out(queue: Queue, messages: Sequence[Message], *, name: str, max_takes: int) -> list[Message]:
    """The messages a taker should see; the others become dead letters of `queue`, and a warning says which jobs they named."""
    reasons = [reason_to_give_up(message, max_takes=max_takes) for message in messages]
    for reason in (UNREADABLE, TAKEN_TOO_OFTEN):
        hopeless = [message for message, its_reason in zip(messages, reasons, strict=True) if its_reason == reason]
        if hopeless:
            queue.dead_letter(hopeless, reason=reason)
            job_ids = [str(job_id) for message in hopeless for job_id in message.job_ids]
            log.warning("messages_dead_lettered", queue=name, reason=reason, messages=len(hopeless), job_ids=job_ids)
    return [message for message, reason in zip(messages, reasons, strict=True) if reason is None]


def reason_to_give_up(message: Message, *, max_takes: int) -> str | None:
    if not message.job_ids:
        return UNREADABLE
    return TAKEN_TOO_OFTEN if message.takes > max_takes else None
