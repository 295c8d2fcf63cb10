"""The commands under `zixly replay`. Without one of their names it replays: `zixly replay JOB`, `zixly replay --tenant ...`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixly_cli.default_command import DEFAULT, WithDefaultCommand
from zixly_cli.deliveries_commands import bridge
from zixly_cli.options import AsJson
from zixly_cli.output import console_for_people, print_json

if TYPE_CHECKING:
    from zixly_cli.bridge_api import BridgeApi

app = typer.Typer(
    cls=WithDefaultCommand,
    help="Do ended jobs anew, one or many; nothing is written twice. `zixly replay JOB` and `zixly replay --tenant ...` begin one.",
    no_args_is_help=True,
)
console = console_for_people()


class Ended(StrEnum):
    """How jobs ended."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


Replay = Annotated[str, typer.Argument(help="A replay, as `zixly replay ls` names it.", metavar="ID")]
Tenant = Annotated[str | None, typer.Option(help="The tenant's short name.")]
Since = Annotated[str | None, typer.Option(help="Made since: 30m, 2h, 7d, or a date and time in UTC.")]
Until = Annotated[str | None, typer.Option(help="Made before.")]
Where = Annotated[str | None, typer.Option(help="A value in the event's payload: '$.line_items[*].sku=A-1'.")]


@app.command(name=DEFAULT, epilog="Example: zixly replay --tenant demo --status FAILED --reason hubspot_down --since 2h --dry-run")
def start(
    job: Annotated[str | None, typer.Argument(help="One job, as `zixly jobs ls` names it.", metavar="[JOB]")] = None,
    *,
    tenant: Tenant = None,
    workflow: Annotated[str | None, typer.Option(help="Only jobs of this workflow.")] = None,
    status: Annotated[Ended | None, typer.Option(help="Only jobs that ended so.", case_sensitive=False)] = None,
    reason: Annotated[str | None, typer.Option(help="Only jobs that failed for this reason.")] = None,
    since: Since = None,
    until: Until = None,
    issue: Annotated[str | None, typer.Option(help="Only jobs whose failures belong to this issue.")] = None,
    where: Where = None,
    search: Annotated[str | None, typer.Option(help="Only jobs of the events that `zixly replay search` found.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="From the first step, not from the last checkpoint.")] = False,
    payload: Annotated[Path | None, typer.Option(help="A file with the request to carry out instead.", exists=True, dir_okay=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be written, as differences.")] = False,
    rate: Annotated[int, typer.Option(min=1, max=60_000, help="Of many: how many begin in a minute.")] = 600,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of many: how many at most, the oldest first.")] = 10_000,
    wait: Annotated[float | None, typer.Option(min=0, help="Seconds to wait for the end: 60, and 0 for many.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before many are replayed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do ended jobs anew: one, or many that a filter chooses."""
    from zixly_cli.replay_view import given, payload_in
    from zixly_core.errors import SettingsError

    mode = "START" if from_start else "CHECKPOINT"
    questions = {"workflow": workflow, "status": status.value if status else None, "reason": reason, "issue_id": issue, "search_id": search}
    window = {"since": moment(since, option="--since"), "until": moment(until, option="--until")}
    chosen = given({**questions, **window})
    if (job is None) == (tenant is None) or (job is not None and (chosen or where)):
        raise SettingsError("name either one job, or a --tenant and which of its jobs")
    asked: dict[str, Any] = {"mode": mode, "dry_run": dry_run, "payload": payload_in(payload.read_text()) if payload else None}
    with bridge() as api:
        if tenant is not None:
            asked |= many(api, {"tenant": tenant, **chosen}, where=where, mode=mode, rate=rate, ask=not (yes or dry_run))
            asked |= {"rate_per_minute": rate, "limit": limit}
        made = api.post("/api/replays", given(asked | {"job_id": job}))
        patience = wait if wait is not None else 0 if job is None and not dry_run else 60
        replay = followed(api, made["id"], wait_seconds=patience, as_json=as_json)
    raise typer.Exit(1 if replay["counts"].get("FAILED") else 0)


@app.command(epilog="Example: zixly replay show 01a2053d-334d-7f47-92d7-5203fa2f9480 --follow")
def show(
    replay: Replay,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until its last job has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far a replay is, how long it takes yet, and of a dry run what it would write."""
    with bridge() as api:
        followed(api, replay, wait_seconds=float("inf") if follow else 0, as_json=as_json)


@app.command(name="ls", epilog="Example: zixly replay ls --tenant demo")
def list_(
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List replays, newest first."""
    from zixly_cli.replay_view import replay_table

    with bridge() as api:
        found = api.get("/api/replays", tenant=tenant, limit=limit)["replays"]
    if as_json:
        print_json(found)
    else:
        console.print(replay_table(found) if found else "no replays")


@app.command(epilog="Example: zixly replay stop 01a2053d-334d-7f47-92d7-5203fa2f9480")
def stop(replay: Replay, as_json: AsJson = False) -> None:
    """Stop a replay half-way: jobs that nobody works on yet are cancelled, running ones come to their end."""
    from zixly_cli.replay_view import one_line, replay_path

    with bridge() as api:
        stopped = api.post(f"{replay_path(replay)}/stop")
        now = api.get(replay_path(replay))
    if as_json:
        print_json(stopped)
    else:
        console.print(f"{stopped['cancelled']} jobs were cancelled; {one_line(now)}")


@app.command(epilog="Example: zixly replay search --tenant demo --where '$.email=ann@example.test'")
def search(
    tenant: Annotated[str, typer.Option(help="The tenant's short name.")],
    where: Annotated[str, typer.Option(help="A value in payloads: '$.line_items[*].sku=A-1'.")],
    since: Annotated[str | None, typer.Option(help="Received since: 30m, 2h, 7d, or a date and time in UTC.")] = None,
    until: Annotated[str | None, typer.Option(help="Received before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find events by a value in their payloads. The search's id stands for them in a replay; the value is kept nowhere."""
    from zixly_cli.replay_view import search as searched
    from zixly_cli.replay_view import search_table

    window = {"since": moment(since, option="--since"), "until": moment(until, option="--until")}
    with bridge() as api:
        found = searched(api, tenant=tenant, where=where, **window)
    if as_json:
        print_json(found)
    else:
        console.print(search_table(found))


def many(api: BridgeApi, chosen: dict[str, Any], *, where: str | None, mode: str, rate: int, ask: bool) -> dict[str, Any]:
    """The filter, counted and agreed to. A value is searched for first, in the same window."""
    from zixly_cli.replay_view import matching_words
    from zixly_cli.replay_view import search as searched

    if where is not None:
        found = searched(api, tenant=chosen["tenant"], where=where, since=chosen.get("since"), until=chosen.get("until"))
        chosen = {**chosen, "search_id": found["id"]}
    if ask:
        matching = api.post("/api/replays/matching", chosen)
        typer.confirm(f"{matching_words(matching, mode=mode, rate=rate)}. Go on?", abort=True, err=True)
    return {"filter": chosen}


def followed(api: BridgeApi, replay_id: str, *, wait_seconds: float, as_json: bool) -> dict[str, Any]:
    """The replay when its jobs ended, or the time was over, shown."""
    from zixly_cli.replay_view import looks_at, one_line, story_of

    replay: dict[str, Any] = {}
    with console.status("looking") as progress:
        for look in looks_at(api, replay_id, wait_seconds=wait_seconds):
            replay = dict(look)
            progress.update(one_line(replay))
    if as_json:
        print_json(replay)
    else:
        for line in story_of(replay):
            console.print(line, soft_wrap=not hasattr(line, "columns"))
    return replay


def moment(text: str | None, *, option: str) -> str | None:
    """A moment for the API."""
    from zixly_cli.moments import moment_from

    return moment_from(text, now=datetime.now(UTC), option=option).isoformat() if text else None
