"""What `zixly replay` asks the bridge for, and how it tells what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.moments import shown
from zixly_cli.output import HIDDEN
from zixly_cli.run_workflow import difference
from zixly_core.errors import SettingsError

Document = Mapping[str, Any]
LOOK_SECONDS = 0.5
MODES = {"CHECKPOINT": "from its last checkpoint", "START": "from the start", "EDITED": "with another payload"}


def where_from(text: str) -> tuple[str, str]:
    """`$.path=value` in its two parts. Raises `SettingsError`."""
    path, sign, value = text.partition("=")
    if not sign or not path.startswith("$"):
        raise SettingsError("--where is written as '$.path=value', in quotes")
    return path, value


def payload_in(text: str) -> dict[str, Any]:
    """The JSON object of a file. Raises `SettingsError`."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"the file of --payload is not JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise SettingsError("the file of --payload holds no JSON object")
    return document


def search(api: BridgeApi, *, tenant: str, where: str, since: str | None, until: str | None) -> Document:
    """Search for a value, and keep what was found."""
    path, value = where_from(where)
    wanted = {"tenant": tenant, "path": path, "value": value, "since": since, "until": until}
    return api.post("/api/searches", given(wanted))


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that somebody gave."""
    return {name: value for name, value in options.items() if value is not None}


def replay_path(replay_id: str) -> str:
    return f"/api/replays/{quote(replay_id, safe='')}"


def looks_at(api: BridgeApi, replay_id: str, *, wait_seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[Document]:
    """The replay as it goes on, until all its jobs ended or the time is over; at least once."""
    until = clock() + wait_seconds
    while True:
        replay = api.get(replay_path(replay_id))
        yield replay
        if not open_jobs(replay) or clock() >= until:
            return
        time.sleep(LOOK_SECONDS)


def open_jobs(replay: Document) -> int:
    counts: Mapping[str, int] = replay["counts"]
    return counts.get("QUEUED", 0) + counts.get("RUNNING", 0)


def matching_words(matching: Document, *, mode: str, rate: int | None) -> str:
    """What many a replay would be about."""
    taken = f", {matching['left_out']} of them a replay has taken up already" if matching["left_out"] else ""
    pace = f", {rate} a minute" if rate else ""
    return f"{matching['matched']} jobs match{taken}; {matching['to_make']} would be done anew, each {MODES[mode]}{pace}"


def one_line(replay: Document) -> str:
    """How far it is, in one line."""
    counts = ", ".join(f"{number} {status.lower()}" for status, number in sorted(replay["counts"].items())) or "no jobs"
    return f"{replay['status'].lower()}: {counts} of {replay['made']}{remaining_words(replay)}"


def remaining_words(replay: Document) -> str:
    seconds = replay["remaining_seconds"]
    if not open_jobs(replay) or seconds is None:
        return ""
    return f", about {duration(seconds)} to go"


def duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def story_of(replay: Document) -> Iterator[RenderableType]:
    """A replay for people: what was asked, how far it is, what failed and why, and what a dry run would write."""
    kind = "dry run" if replay["dry_run"] else "replay"
    yield Text.assemble((f"{kind} ", "bold"), (f"{replay['id']}  ", "cyan"), one_line(replay))
    chosen = ", ".join(f"{name} {value}" for name, value in replay["chosen"].items())
    pace = f", {replay['rate_per_minute']} a minute" if replay["rate_per_minute"] else ""
    yield Text(f"{chosen} of {replay['tenant']}, each {MODES[replay['mode']]}{pace}; by {replay['actor']}, {shown(replay['created_at'])}")
    if replay["left_out"]:
        yield Text(f"{replay['left_out']} of {replay['matched']} were left out: a replay has taken them up already")
    if replay["stopped_at"]:
        yield Text(f"stopped by {replay['stopped_by']}, {shown(replay['stopped_at'])}")
    for reason, number in replay["reasons"].items():
        yield Text.assemble((f"failed {number} times: ", "red"), reason)
    yield jobs_table(replay)
    if replay["preview"] is not None:
        yield from preview_of(replay["preview"])


def jobs_table(replay: Document) -> Table:
    table = Table(title=None if len(replay["jobs"]) == replay["made"] else f"{len(replay['jobs'])} of {replay['made']} jobs")
    for column in ("job", "replays job", "workflow", "record", "status", "why"):
        table.add_column(column, overflow="fold")
    for job in replay["jobs"]:
        cells = (job["id"], job["origin_job_id"], job["workflow"], job["record_id"], job["status"], job["error_reason"] or "")
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table


def preview_of(preview: Document) -> Iterator[RenderableType]:
    counts = f"{preview['would_write']} would write, {preview['nothing']} nothing, {preview['fail']} would fail"
    waiting = f"; {preview['open']} have not told yet" if preview["open"] else ""
    yield Text(f"{counts}{waiting}; {preview['writes']} writes in all")
    for job in preview["first"]:
        yield Text(f"job {job['origin_job_id']} ({job['workflow']})", style="bold")
        yield from [Text(HIDDEN)] if job["would_write"] is None else (difference(write) for write in job["would_write"])
    if preview["would_write"] > len(preview["first"]):
        yield Text(f"... and {preview['would_write'] - len(preview['first'])} more jobs that would write")


def replay_table(replays: list[dict[str, Any]]) -> Table:
    table = Table()
    for column in ("made (UTC)", "replay", "tenant", "by", "kind", "how far"):
        table.add_column(column, overflow="fold")
    for one in replays:
        kind = "dry run" if one["dry_run"] else one["mode"].lower()
        table.add_row(
            *(Text(str(cell)) for cell in (shown(one["created_at"]), one["id"], one["tenant"], one["actor"], kind, one_line(one)))
        )
    return table


def search_table(found: Document) -> Table:
    more = "" if found["is_complete"] else ", and there are more"
    table = Table(title=f"{found['found']} events{more}; search {found['id']}", title_justify="left")
    for column in ("received (UTC)", "event", "kind", "record", "jobs"):
        table.add_column(column, overflow="fold")
    for event in found["events"]:
        jobs = "\n".join(f"{job['id']} {job['workflow']} {job['status']}" for job in event["jobs"])
        cells = (shown(event["received_at"]), event["id"], event["kind"], event["record_id"], jobs)
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table
