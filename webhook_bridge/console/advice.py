"""What a person does about a job as it stands, in a sentence or two, and where the runbook says more."""

from __future__ import annotations

from dataclasses import dataclass

from webhook_bridge.models import Job
from zixly_core.runbooks import runbook_of, section_of

WAITS = {
    "budget_spent": "The account's calls are spent for now; it goes on by itself when there are new ones.",
    "vendor_down": "The account rests, because the vendor fails; it goes on by itself as soon as the vendor answers.",
    "reconnect_needed": "The account has to be connected again; then it goes on by itself.",
}


@dataclass(frozen=True)
class Advice:
    """`tone` as of a state; `runbook` is the address of a section, `section` its heading."""

    text: str
    tone: str = "plain"
    runbook: str | None = None
    section: str | None = None


def advice_for(job: Job, *, runbook: str) -> Advice | None:
    """None for a job that ended well, or that moves by itself."""
    match job.status:
        case "FAILED":
            reason = job.error_reason or "unknown"
            text = "Mend the cause, then retry it: it goes on from its checkpoint and writes nothing twice."
            return Advice(text, "bad", runbook_of(reason, page=runbook), section_of(reason))
        case "QUEUED" if job.parked_reason:
            text = WAITS.get(job.parked_reason, "It waits for what is named here, and goes on by itself.")
            return Advice(text, "wait", runbook_of(job.parked_reason, page=runbook), section_of(job.parked_reason))
        case "RUNNING" if job.waiting_for:
            return Advice(f"It waits for {job.waiting_for}, which is asked again and again; nothing is to be done.", "busy")
        case "RUNNING" if job.cancel_requested_at:
            return Advice("It was asked to stop, and does so between two steps.", "wait")
        case _:
            return None
