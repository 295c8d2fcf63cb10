"""`replay`: do ended jobs anew, from the Dagster UI. The form asks for ids and words of ours only: values are searched for elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID, uuid5

from dagster import Config, DagsterRun, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.errors import QueueUnavailable, ZixlyError
from zixly_core.replays import DEFAULT_RATE_PER_MINUTE, MAX_JOBS, MAX_RATE_PER_MINUTE, JobChoice, ReplayMode, WantedReplay
from zixly_core.settings import settings_now
from zixly_core.stores.backfill_days import tenant_slugs
from zixly_core.stores.database import Rows
from zixly_core.stores.replays import MadeReplay, make_replay, origin_of
from zixly_dagster.instance.gateway_user import USER_TAG
from zixly_dagster.ops.story import counted, show
from zixly_dagster.resources.dispatchers import DispatchersResource

NAME = "replay"
NOT_AN_ID = "{name} is not an id: it has {length} characters and is no UUID."


class Start(Enum):
    """Where the new jobs begin."""

    CHECKPOINT = "CHECKPOINT"
    START = "START"


class Ended(Enum):
    """How jobs ended."""

    ANY = "ANY"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class ReplayConfig(Config):
    """Which jobs, and how. Answer `tenant`, and either `job_id` or at least one of the other questions; an empty answer asks nothing.

    Nothing is `None` by default: the Launchpad shows the questions that have an answer already, and no others.
    """

    tenant: str = Field(description="The tenant's short name, such as demo.")
    job_id: str = Field(default="", description="The id of one job. Leave the other questions empty then.")
    workflow: str = Field(default="", description="Only jobs of this workflow, such as xero-invoice-to-hubspot.")
    status: Ended = Field(default=Ended.ANY, description="Only jobs that ended so: COMPLETED, FAILED or CANCELLED.")
    reason: str = Field(default="", description="Only jobs that failed for this reason, such as record_gone.")
    since: str = Field(default="", description="Only jobs made then or later: 2026-11-22 or 2026-11-22T10:00, in UTC.")
    until: str = Field(default="", description="Only jobs made before then.")
    issue_id: str = Field(default="", description="Only jobs whose failures belong to this issue.")
    search_id: str = Field(
        default="", description="Only jobs of the events that a search found; `zixly replay search` makes one and prints its id."
    )
    begin_at: Start = Field(
        default=Start.CHECKPOINT,
        description="CHECKPOINT: after the last step that a job kept. START: from its first step. Neither writes anything twice.",
    )
    dry_run: bool = Field(default=True, description="Write nothing, only tell what would be written. Set it to false to replay.")
    rate_per_minute: int = Field(
        default=DEFAULT_RATE_PER_MINUTE, ge=1, le=MAX_RATE_PER_MINUTE, description="Of many: how many begin in a minute."
    )
    limit: int = Field(default=MAX_JOBS, ge=1, le=MAX_JOBS, description="How many jobs at most, the oldest first.")


@op(tags={"kind": "postgres"})
def make_new_jobs(context: OpExecutionContext, config: ReplayConfig, dispatchers: DispatchersResource) -> None:
    """Make the new jobs, which the sensors then hand over as they become due. Re-executing this makes none twice."""
    tenant_id = tenant_slugs(dispatchers.dispatch()).get(config.tenant)
    if tenant_id is None:
        raise refused(f"There is no tenant {config.tenant}.")
    wanted = wanted_from(config, tenant_id=tenant_id, replay_id=replay_id_of(context.run, config))
    with dispatchers.runs().transaction(tenant_id=tenant_id) as connection:
        refuse_what_cannot_be(connection, wanted)
        made = make_replay(connection, wanted, actor=context.run.tags.get(USER_TAG, "dagster"))
    announce(dispatchers, made.to_wake)
    show(
        context,
        summary=words_of(made, is_dry_run=wanted.is_dry_run),
        links={"replay": f"{settings_now().bridge_public_url.rstrip('/')}/api/replays/{made.id}"},
        matched=made.matching.matched,
        left_out=made.matching.left_out,
        made=made.made,
    )


def replay_id_of(run: DagsterRun, config: ReplayConfig) -> UUID:
    """The same for a run and its re-executions; a dry run is another replay than the real one."""
    return uuid5(UUID(run.root_run_id or run.run_id), f"dry_run={config.dry_run}")


def wanted_from(config: ReplayConfig, *, tenant_id: UUID, replay_id: UUID) -> WantedReplay:
    """What the form asks for. Raises `Failure` in words."""
    choice = JobChoice(
        job_ids=[id_in("job_id", config.job_id)] if config.job_id else None,
        workflow=config.workflow or None,
        status=None if config.status is Ended.ANY else config.status.value,
        reason=config.reason or None,
        since=moment_in("since", config.since),
        until=moment_in("until", config.until),
        issue_id=id_in("issue_id", config.issue_id) if config.issue_id else None,
        search_id=id_in("search_id", config.search_id) if config.search_id else None,
    )
    if not choice.as_json():
        raise refused("Say which jobs: a job_id, or a workflow, status, reason, window, issue or search.")
    return WantedReplay(
        replay_id,
        tenant_id,
        choice,
        mode=ReplayMode(config.begin_at.value),
        is_dry_run=config.dry_run,
        rate_per_minute=None if choice.names_one else config.rate_per_minute,
        limit=config.limit,
    )


def refuse_what_cannot_be(connection: Rows, wanted: WantedReplay) -> None:
    """A job that somebody names and that cannot be replayed fails the run, saying why."""
    if not wanted.choice.names_one or wanted.choice.job_ids is None:
        return
    job_id = wanted.choice.job_ids[0]
    try:
        origin = origin_of(connection, job_id, replay_id=wanted.id)
    except ZixlyError as error:
        raise refused(str(error)) from None
    if origin is None:
        raise refused(f"The tenant has no job {job_id}.")


def announce(dispatchers: DispatchersResource, to_wake: Mapping[str, Sequence[UUID]]) -> None:
    """A queue that is away is told by the next sweep."""
    for system, job_ids in to_wake.items():
        try:
            dispatchers.queue_of(system).send(job_ids)
        except QueueUnavailable:
            continue


def words_of(made: MadeReplay, *, is_dry_run: bool) -> str:
    kind = "dry run" if is_dry_run else "job"
    told = f"Made {counted(made.made, kind)} from {counted(made.matching.matched, 'job')} that match"
    if made.matching.left_out:
        told += f"; {made.matching.left_out} were left out, a replay has taken them up already"
    return f"{told}. `zixly replay show {made.id}` tells how far it is."


def id_in(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise refused(NOT_AN_ID.format(name=name, length=len(text))) from None


def moment_in(name: str, text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise refused(f"{name} is no date or time such as 2026-11-22T10:00.") from None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def refused(words: str) -> Failure:
    return Failure(words, allow_retries=False)


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Do ended jobs anew**: one, or many by a filter, from their last checkpoint or from the start.\n\n"
        "Each becomes a new job that leads back to its origin; nothing that was written already is written twice. Begin with `dry_run: "
        "true`, look at what would be written (`zixly replay show ID`), then launch it with `dry_run: false`. `zixly replay stop ID` stops "
        "it half-way. For one more attempt of the same job there is `zixly jobs retry`; for an edited payload `zixly replay JOB --payload "
        "FILE`, and for a value in payloads `zixly replay search`: neither may stand in a run's config."
    ),
)
def replay() -> None:
    make_new_jobs()


def replay_job() -> JobDefinition:
    definition: JobDefinition = replay
    return definition
