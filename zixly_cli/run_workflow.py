"""`zixly run`: a workflow for one record, done now or only told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_core.errors import SettingsError, Transient

ENDS = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
LOOK_SECONDS = 0.3


def run_workflow(api: BridgeApi, wanted: Mapping[str, Any], *, wait_seconds: float) -> dict[str, Any]:
    """Ask for the job and wait for its end. Raises `Transient` when it has not ended in time; it goes on all the same."""
    job_id = str(api.post("/api/jobs", {name: value for name, value in wanted.items() if value is not None})["id"])
    return ended_job(api, job_id, wait_seconds=wait_seconds)


def payload_from(text: str | None) -> dict[str, Any] | None:
    """The JSON object of an option. Raises `SettingsError` for anything else."""
    if text is None:
        return None
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"--payload is not JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise SettingsError("--payload is not a JSON object")
    return document


def ended_job(api: BridgeApi, job_id: str, *, wait_seconds: float, clock: Callable[[], float] = time.monotonic) -> dict[str, Any]:
    """The job, once it has ended."""
    deadline = clock() + wait_seconds
    while (job := api.get(f"/webhook/jobs/{job_id}"))["status"] not in ENDS:
        if clock() > deadline:
            why = f" ({job['parked_reason']})" if job.get("parked_reason") else ""
            raise Transient(
                f"Job {job_id} is still {job['status']}{why} after {wait_seconds:.0f} s and goes on; see {api.url}/webhook/jobs/{job_id}"
            )
        time.sleep(LOOK_SECONDS)
    return job


def show_job(job: Mapping[str, Any], console: Console) -> None:
    """What became of a job; of a dry run, what it would write, as differences."""
    colour = "green" if job["status"] == "COMPLETED" else "red"
    console.print(f"job {job['id']} [{colour}]{job['status']}[/] after {job['attempts']} attempt(s)")
    result = job.get("result") or {}
    if job.get("error_message"):
        console.print(Text(str(job["error_message"])))
    if "would_write" in result:
        for write in result["would_write"]:
            console.print(difference(write))
        if not result["would_write"]:
            console.print("It would write nothing.")
    if "skipped" in result:
        console.print(Text(f"Nothing to do: {result['skipped']}."))
    for record in job.get("related_records", ()):
        line = f"{record['action'].lower():>7}  {record['system']} {record['record_type']} {record['record_id']}  {record['url'] or ''}"
        console.print(Text(line), soft_wrap=True)


def difference(write: Mapping[str, Any]) -> Table:
    """One planned write: field, present value, new value."""
    table = Table(title=f"{write['operation']} {write['target']}", title_justify="left")
    for column in ("field", "before", "after"):
        table.add_column(column, overflow="fold")
    for name, change in write["changes"].items():
        table.add_row(Text(name), Text(change["before"] or ""), Text(change["after"] or ""))
    return table
