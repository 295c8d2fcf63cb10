"""Who looked at payloads: every answer that shows some leaves a line in the audit log, in the transaction that reads them.

What counts is what an answer holds and not which route gave it. Raw bodies, searches and exports have lines of their own, which tell more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from webhook_bridge.payload_fields import hidden, holds_payloads
from webhook_bridge.signed_in import Caller
from zixly_core.stores.audit import note_once
from zixly_core.stores.database import Rows

Answer = TypeVar("Answer", bound=BaseModel)
# A page draws itself anew every other second, and a program asks until a job has ended: that is one look.
ONE_LOOK = timedelta(minutes=10)


def looked_at(rows: Rows, answer: Answer, *, caller: Caller, thing: str, subject: object, whose: Iterable[UUID]) -> Answer:
    """The answer as the caller may see it. Where it shows him payloads, a line (`thing.view`) says so to each tenant whose they are."""
    if not caller.sees_payloads:
        return hidden(answer)
    if holds_payloads(answer):
        for tenant_id in sorted(set(whose)):
            note_once(rows, within=ONE_LOOK, actor=caller.name, action=f"{thing}.view", subject=subject, tenant_id=tenant_id)
    return answer
