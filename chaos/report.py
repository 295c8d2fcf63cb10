"""What a run came to, for people and for programs."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from rich.table import Table

from benchmarks.machine import description
from chaos.driver import Done
from chaos.fault_kinds import FaultKind
from chaos.findings import Finding, Trouble
from chaos.page import page_of
from chaos.scale import Scale
from chaos.session import Outcome
from chaos.timeline import picture_of

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reliability"
SHOWN = 20


def troubles_of(outcome: Outcome) -> list[Finding]:
    """Every breach, and every fault that did not mend by itself."""
    unmended = [Finding(Trouble.BY_HAND, one.words) for one in outcome.faults if not one.survived]
    return [*(finding for found in outcome.findings.values() for finding in found), *unmended]


def last_line(outcome: Outcome) -> str:
    counts = Counter(one.trouble for one in troubles_of(outcome))
    lost = counts[Trouble.LOST] + counts[Trouble.OUTDATED] + counts[Trouble.MISPLACED] + counts[Trouble.BY_HAND]
    return f"unaccounted {counts[Trouble.UNACCOUNTED]}, doubled {counts[Trouble.DOUBLED]}, lost {lost}"


def looked_at(outcome: Outcome) -> Mapping[str, int]:
    """How much the counts stand for."""
    evidence = outcome.evidence
    return {
        "posts": outcome.journal.posted,
        "acknowledged": len(outcome.journal.acknowledged_at),
        "different_deliveries": len(evidence.sent),
        "events": len(evidence.events),
        "jobs": len(evidence.jobs),
        "changes_at_vendors": len(evidence.changes) + len(evidence.wanted),
        "contact_writes": len(evidence.contact_writes),
        "contacts_compared": len(evidence.contacts),
        "records_created": sum(one.count for one in evidence.creations),
    }


def survived(faults: list[Done]) -> list[dict[str, Any]]:
    """Each kind with how often it was done and how long it was."""
    by_kind: dict[str, list[Done]] = defaultdict(list)
    for one in (one for one in faults if one.was_done):
        by_kind[one.kind.value].append(one)
    return [
        {
            "fault": kind,
            "done": len(done),
            "survived": sum(one.survived for one in done),
            "median_seconds": round(median(one.seconds for one in done), 1),
            "longest_seconds": round(max(one.seconds for one in done), 1),
            "example": done[0].words,
        }
        for kind, done in sorted(by_kind.items())
    ]


def left_out(outcome: Outcome) -> dict[str, str]:
    """Each kind that was never done, and why. A run without faults leaves out none."""
    if not outcome.plan.faults:
        return {}
    last_words = {one.kind: one.words for one in outcome.faults}
    done = {one.kind for one in outcome.faults if one.was_done}
    reasons = {kind: outcome.missing.get(kind) or last_words.get(kind, "not planned") for kind in FaultKind if kind not in done}
    return {kind.value: reason for kind, reason in reasons.items()}


def told_faults(outcome: Outcome, *, scale: Scale) -> str:
    """The line before the last: how much the last one stands for."""
    kinds, missing = len(survived(outcome.faults)), left_out(outcome)
    words = ", ".join(f"{kind} ({reason})" for kind, reason in missing.items()) or "none"
    done, deliveries = sum(one.was_done for one in outcome.faults), outcome.plan.deliveries
    return f"seed {scale.seed}: {done} faults of {kinds} kinds, {deliveries} deliveries, {scale.minutes:g} minutes; left out: {words}"


def document_of(outcome: Outcome, *, scale: Scale, now: datetime) -> dict[str, Any]:
    troubles = troubles_of(outcome)
    return {
        "result": last_line(outcome),
        "seed": scale.seed,
        "minutes": scale.minutes,
        "deliveries": outcome.plan.deliveries,
        "measured_at": now.isoformat(timespec="seconds"),
        "stream_seconds": round(outcome.stream_seconds, 1),
        "drain_seconds": round(outcome.drain_seconds, 1),
        "faults_done": sum(one.was_done for one in outcome.faults),
        "load_for_each_core": round(os.getloadavg()[2] / (os.cpu_count() or 1), 1),
        **looked_at(outcome),
        "dead_letters": sum(outcome.dead_letters.values()),
        "failed_after_replay": sum(outcome.still_failed.values()) - sum(outcome.dead_letters.values()),
        "faults": survived(outcome.faults),
        "left_out": [{"fault": kind, "why": reason} for kind, reason in left_out(outcome).items()],
        "checks": [{"check": name, "breaches": len(found)} for name, found in outcome.findings.items()],
        "breaches": [{"trouble": one.trouble.value, "what": one.text} for one in troubles[:SHOWN]],
        "answers": [{"answer": answer, "posts": posts} for answer, posts in sorted(outcome.journal.answers.items())],
        "dead_letters_by_reason": [{"reason": reason, "jobs": jobs} for reason, jobs in outcome.dead_letters.items()],
        "version": version("zixly"),
        "machine": description(),
    }


def write_report(outcome: Outcome, *, scale: Scale, folder: Path = FOLDER) -> None:
    """The JSON, the picture and the page beside it."""
    document = document_of(outcome, scale=scale, now=datetime.now(UTC))
    picture = picture_of(outcome, scale=scale)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{scale.name}.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    (folder / f"{scale.name}.svg").write_text(picture)
    (folder / f"{scale.name}.html").write_text(page_of(document, picture=picture))


def table_of(outcome: Outcome) -> Table:
    table = Table(title="What was checked", title_justify="left")
    table.add_column("check")
    table.add_column("breaches", justify="right")
    for name, found in outcome.findings.items():
        table.add_row(name, str(len(found)))
        for one in found[:SHOWN]:
            table.add_row(f"  {one.text}", "")
    for row in survived(outcome.faults):
        table.add_row(f"survived: {row['fault']}", f"{row['survived']} of {row['done']}")
    for kind, reason in left_out(outcome).items():
        table.add_row(f"left out: {kind}: {reason}", "")
    table.add_row(f"dead letters, then replayed: {outcome.dead_letters}", str(sum(outcome.dead_letters.values())))
    return table
