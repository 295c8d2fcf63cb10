"""Jobs as `zixly jobs` and `zixly trace` show them: a table, and one with its story from receipt to effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import distance, shown
from zixly_cli.output import HIDDEN

COLOURS = {"COMPLETED": "green", "FAILED": "red", "CANCELLED": "dim"}
PAGE = 200
SLOW_STEP_MILLISECONDS = 100
Document = Mapping[str, Any]


def listed(api: BridgeApi, *, limit: int, **wanted: Any) -> list[dict[str, Any]]:
    """Jobs, newest first, as many as are wanted."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < limit:
        page = api.get("/api/jobs", **wanted, limit=min(limit - len(found), PAGE), cursor=cursor)
        found += page["jobs"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return found


def job_path(job_id: str) -> str:
    return f"/webhook/jobs/{quote(job_id, safe='')}"


def job_table(jobs: Sequence[Document], *, now: datetime) -> Table:
    """A row for each."""
    table = Table()
    for column in ("made", "tenant", "workflow", "record", "status", "tries", "took", "by", "why", "job"):
        table.add_column(column, overflow="fold", no_wrap=column in {"made", "status", "took", "job"})
    for job in jobs:
        table.add_row(
            *(distance(job["created_at"], now=now), Text(job["tenant"]), Text(job["workflow_type"]), Text(job["record_id"])),
            *(coloured(job["status"]), str(job["attempts"]), took(job, now=now), job["origin"], Text(why_of(job))),
            job["id"],
        )
    return table


def took(job: Document, *, now: datetime) -> str:
    """How long the last try at it took, or has been going on."""
    if job["started_at"] is None or job["status"] == "QUEUED":
        return "-"
    return seconds_between(job["started_at"], job["completed_at"] or now.isoformat())


def coloured(status: str) -> Text:
    return Text(status, style=COLOURS.get(status, "yellow"))


def why_of(job: Document) -> str:
    """Why a job failed or waits, in a word."""
    if job["status"] in {"QUEUED", "RUNNING"} and job["parked_reason"]:
        return f"parked: {job['parked_reason']}"
    return str(job["error_reason"] or "") if job["status"] != "COMPLETED" else ""


def show_trace(trace: Document, console: Console) -> None:
    """The whole way on one screen: deliveries, their events, the jobs of each with attempts, runs, records and effects."""
    for tree in trees_of(trace):
        console.print(tree, soft_wrap=True)
    hidden = trace["job_count"] - len(trace["jobs"])
    if hidden > 0:
        console.print(f"... and {hidden} more jobs; `zixly jobs ls` lists them.")


def trees_of(trace: Document) -> list[Tree]:
    """One tree for each delivery, and one for each event or job that no delivery leads to here."""
    deliveries = {delivery["id"]: Tree(delivery_line(delivery)) for delivery in trace["deliveries"]}
    events: dict[str, Tree] = {}
    roots = list(deliveries.values())
    for event in trace["events"]:
        events[event["id"]] = below(deliveries.get(event["delivery_id"]), event_line(event), roots)
    for job in trace["jobs"]:
        branch = below(events.get(job["event_id"]), job_line(job), roots)
        for line in story_of(job):
            branch.add(line)
    return roots


def below(parent: Tree | None, line: Text, roots: list[Tree]) -> Tree:
    """A new branch, or a new root where there is nothing that it could hang on."""
    if parent is not None:
        return parent.add(line)
    roots.append(Tree(line))
    return roots[-1]


def delivery_line(delivery: Document) -> Text:
    verdict = delivery["verdict"] + (f" ({delivery['reason']})" if delivery["reason"] else "")
    answered = f"{verdict}, answered {delivery['status']}  trace {delivery['trace_id']}"
    return line_of("delivery", delivery["id"], f"{shown(delivery['received_at'])}  {delivery['system']}  {answered}")


def event_line(event: Document) -> Text:
    again = f" of event {event['duplicate_of']}" if event["duplicate_of"] else ""
    return line_of("event", event["id"], f"{event['kind']}  {event['record_id']}  {event['outcome']}{again}")


def job_line(job: Document) -> Text:
    took = "" if job["completed_at"] is None else f" after {seconds_between(job['created_at'], job['completed_at'])}"
    line = line_of("job", job["id"], f"{job['workflow_type']}  {job['tenant']}  {job['record_id']}  ")
    return line.append_text(coloured(job["status"])).append(f"{took}  {why_of(job)}".rstrip())


def story_of(job: Document) -> Iterator[Text]:
    """What happened to a job in the order in which it did: made, tried, read, written, replayed."""
    made = f"{shown(job['created_at'])}  by {job['origin']}"
    for name, word in (("origin_job_id", "of job"), ("made_by", "by operation")):
        made += f", {word} {job[name]}" if job[name] else ""
    yield line_of("made", "", f"{made}  trace {job['trace_id']}")
    if job["status"] in {"QUEUED", "RUNNING"}:
        yield line_of("waits", "", f"due {shown(job['due_at'])}  {why_of(job)}".rstrip())
    for attempt in job["attempt_log"]:
        why = f"  {attempt['error_reason']}: {attempt['error_message']}" if attempt["error_reason"] else ""
        yield line_of(
            "attempt", str(attempt["attempt"]), f"{shown(attempt['ended_at'])}  {attempt['outcome']}  run {attempt['run_id']}{why}"
        )
    for step in job["steps"]:
        yield line_of("step", "", f"{shown(step['at'])}  {step['step']}: {step['message'] or HIDDEN}{duration_of(step)}")
    for record in job["related_records"]:
        named = f"{record['system']} {record['record_type']} {record['record_id']}"
        yield line_of(record["action"].lower(), "", f"{named}  {record['url'] or ''}".rstrip())
    for effect in job["effects"]:
        yield line_of("effect", "", f"{effect['system']} {effect['operation']}  {effect['target'] or HIDDEN}  {effect['state']}")
    if job["links"]["run"]:
        yield line_of("run", "", job["links"]["run"])
    for later in job.get("later_jobs", ()):
        yield line_of("later", later["id"], f"{later['origin']}  {later['workflow_type']}  {later['status']}")


def duration_of(step: Document) -> str:
    """Of a step that took a moment."""
    milliseconds = step.get("duration_ms") or 0
    return f"  ({milliseconds / 1000:.1f} s)" if milliseconds >= SLOW_STEP_MILLISECONDS else ""


def line_of(word: str, identifier: str, rest: str) -> Text:
    return Text.assemble((f"{word} ", "bold"), (f"{identifier}  " if identifier else " ", "cyan"), rest)


def seconds_between(begin: str, end: str) -> str:
    return f"{(datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds():.2f} s"
