"""The op that reads deals from HubSpot with everything that an invoice is made from."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from dagster import OpExecutionContext, op

from zixly_core.connection_settings import HubSpotSettings, WonDeals, settings_in
from zixly_core.errors import RecordGone, ZixlyError
from zixly_core.job import ClaimedJob, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.connections import has_partner, time_zone
from zixly_core.systems.hubspot.client import MAX_INPUTS, HubSpotClient
from zixly_core.systems.hubspot.pipelines import Stage
from zixly_core.workflows.customers import party_to_json
from zixly_core.workflows.drafts import draft_to_json
from zixly_core.workflows.won_deals import (
    CONTACT_PROPERTIES,
    DEAL_PROPERTIES,
    NotWon,
    WonDeal,
    closed_on,
    draft_of,
    is_won,
    party_of,
    project_of,
    project_to_json,
)
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, Outcome, each_of, keep_outcomes, pending, skipped, source_of, stopped
from zixly_dagster.ops.story import Step, counted, first_few, job_row, show
from zixly_dagster.ops.vendor_calls import calling, end_all
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.hubspot import HubSpotResource


@op(ins=AFTER, out=DONE, tags={"kind": "hubspot"})
def fetch_deals(context: OpExecutionContext, batch: BatchResource, hubspot: HubSpotResource) -> None:
    """Read the batch's deals as they are now, with company, contact and line items, 100 a call, and go on with those that are won."""
    step = Step("fetch")
    work = batch.work(context)
    jobs = pending(work, lacks="deal")
    if not jobs:
        show(context, summary="No deal is left to fetch.", fetched=0, won=0)
        return
    try:
        source = source_of(work, jobs[0])
        settings = settings_in(HubSpotSettings, source.settings, connection_id=source.id).won_deals
        with_project = settings.project is not None and has_partner(work.database, source, system="asana")
        rules = Rules(settings, zone=time_zone(work.database, work.run), with_project=with_project)
        outcomes: list[tuple[ClaimedJob, Outcome]] = []
        for start in range(0, len(jobs), MAX_INPUTS):
            group = jobs[start : start + MAX_INPUTS]
            with calling(work, source.id):
                deals = deals_of(hubspot.client(work, source.id), [job.record_id for job in group], account=source.external_id)
            outcomes += each_of(group, partial(judged, deals=deals, rules=rules))
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No deal was fetched ({error.reason}).", fetched=0, won=0)
        return
    won = keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Read {counted(len(jobs), 'deal')}; {won} are won.",
        links={
            f"deal {job.record_id}": record_url("hubspot", "deal", job.record_id, account=source.external_id) for job in first_few(jobs)
        },
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        fetched=len(jobs),
        won=won,
    )


class Rules:
    """What a batch's deals are judged by."""

    def __init__(self, settings: WonDeals, *, zone: ZoneInfo, with_project: bool) -> None:
        self.settings = settings
        self.zone = zone
        self.with_project = with_project


class Deals:
    """Deals by id, and the stages of the portal's pipelines."""

    def __init__(self, won: Mapping[str, WonDeal], stages: Mapping[str, Stage]) -> None:
        self.by_id = won
        self.stages = stages


def deals_of(client: HubSpotClient, ids: Sequence[str], *, account: str) -> Deals:
    """The deals with these ids and what belongs to them; those that are gone are missing."""
    deals = {deal.id: deal for deal in client.deals_by_ids(ids, properties=DEAL_PROPERTIES)}
    companies, contacts, lines = (client.associated("deals", to, list(deals)) for to in ("companies", "contacts", "line_items"))
    company_of = {one.id: one for one in client.companies_by_ids(firsts(companies))}
    contact_of = client.contacts_by_ids(firsts(contacts), properties=CONTACT_PROPERTIES)
    line_of = {one.id: one for one in client.line_items_by_ids(sorted({line for some in lines.values() for line in some}))}
    won = {
        deal.id: WonDeal(
            deal=deal,
            company=next((company_of[one] for one in companies.get(deal.id, ())[:1] if one in company_of), None),
            contact=next((contact_of[one] for one in contacts.get(deal.id, ())[:1] if one in contact_of), None),
            lines=[line_of[one] for one in lines.get(deal.id, ()) if one in line_of],
            account=account,
        )
        for deal in deals.values()
    }
    return Deals(won, client.deal_stages())


def firsts(associated: Mapping[str, Sequence[str]]) -> list[str]:
    """The first associated record of each deal: the primary one."""
    return sorted({some[0] for some in associated.values() if some})


def judged(job: ClaimedJob, *, deals: Deals, rules: Rules) -> Outcome:
    """What is to be made of a job's deal, or why nothing."""
    won = deals.by_id.get(job.record_id)
    if won is None:
        return stopped(RecordGone(f"Deal {job.record_id} is not in HubSpot any more; nothing was written."))
    if not is_won(won.deal, stages=deals.stages, settings=rules.settings):
        return skipped(NotWon.OPEN.value)
    today = job.occurred_at.astimezone(rules.zone).date()
    checkpoint = {
        "deal": {"id": won.deal.id, "updated_at": won.deal.updated_at.isoformat()},
        "party": party_to_json(party_of(won)),
        "draft": draft_to_json(draft_of(won, rules.settings, zone=rules.zone, today=today)),
        "project_plan": project_json(won, rules, today=today),
    }
    url = record_url("hubspot", "deal", won.deal.id, account=won.account)
    return Done(
        f"deal {won.deal.id} is won", checkpoint=checkpoint, related=[RelatedRecord("hubspot", "deal", won.deal.id, "READ", url=url)]
    )


def project_json(won: WonDeal, rules: Rules, *, today: date) -> dict[str, object] | None:
    if rules.settings.project is None or not rules.with_project:
        return None
    return project_to_json(project_of(won, rules.settings.project, start=closed_on(won.deal, zone=rules.zone) or today))
