"""Every list that is handed out, a line each. Who may have it is in permissions.py, as for the list itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from webhook_bridge.backfills_api import document_of as backfill_document
from webhook_bridge.backfills_api import wanted_backfills
from webhook_bridge.backfills_models import Backfill
from webhook_bridge.connections_api import ConnectionFilter, ConnectionModel, connection_model, wanted_connections
from webhook_bridge.deliveries_api import summary_document, wanted_deliveries
from webhook_bridge.exports.listing import Asked, Listing, at_once, by_age
from webhook_bridge.issues_api import document_of as issue_document
from webhook_bridge.issues_api import wanted_issues
from webhook_bridge.issues_models import IssueModel
from webhook_bridge.jobs_api import job_document, wanted_jobs
from webhook_bridge.ledger_lines import LedgerLine, ledger_lines
from webhook_bridge.models import DeliverySummary, JobSummary
from webhook_bridge.notifications_api import lines_page, wanted_lines
from webhook_bridge.notifications_models import NotificationModel
from webhook_bridge.pauses_models import PauseModel, PriorityModel
from webhook_bridge.people_models import Person
from webhook_bridge.priorities_api import priority_document
from webhook_bridge.reconciliation_models import Drift, Reconciliation
from webhook_bridge.reconciliations_api import wanted_drifts, wanted_reconciliations
from webhook_bridge.replay_models import ReplaySummary
from webhook_bridge.replays_api import replay_document, wanted_replays
from webhook_bridge.tenants_models import Tenant
from webhook_bridge.tokens_models import Token
from webhook_bridge.trace_api import wanted_ledger
from webhook_bridge.watching_api import wanted_holes
from webhook_bridge.watching_models import HoleModel
from webhook_bridge.whose import wanted_tenant
from zixly_core.notifications.facts import Places
from zixly_core.stores.backfills import backfills_page
from zixly_core.stores.connections_admin import ConnectionView, connection_views
from zixly_core.stores.database import Rows
from zixly_core.stores.delivery_search import deliveries_page
from zixly_core.stores.drift_views import drifts_page, reconciliations_page
from zixly_core.stores.holes import holes_page
from zixly_core.stores.issues_view import Issue, IssueFilter, issues_page
from zixly_core.stores.jobs_view import Page, Row, jobs_page
from zixly_core.stores.ledger_view import LedgerWanted, ledger_view
from zixly_core.stores.machine_tokens import TokenView, token_views
from zixly_core.stores.pauses import Pause, pauses
from zixly_core.stores.people import PersonView, people
from zixly_core.stores.priorities import ChosenPriority, chosen
from zixly_core.stores.replay_views import replays_page
from zixly_core.stores.tenants import tenant_views

DAY = timedelta(days=1)


def listings(places: Places) -> tuple[Listing[Any], ...]:
    """The table. `places` tells where the links of an issue and of a connection lead."""
    return (
        Listing("jobs", JobSummary, wanted_jobs, by_age(jobs_page, "created_at"), exported_job),
        Listing("deliveries", DeliverySummary, wanted_deliveries, by_age(deliveries_page, "received_at"), summary_document),
        Listing("issues", IssueModel, wanted_issues, by_age(issues_in_order, "first_seen_at"), issue_at(places)),
        Listing("connections", ConnectionModel, wanted_connections, at_once(connections), connection_at(places)),
        Listing("drifts", Drift, wanted_drifts, by_age(drifts_page, "found_at")),
        Listing("replays", ReplaySummary, wanted_replays, by_age(replays_of, "created_at"), exported_replay),
        Listing("backfills", Backfill, wanted_backfills, by_age(backfills_page, "created_at"), backfill_document),
        Listing("reconciliations", Reconciliation, wanted_reconciliations, by_age(reconciliations_page, "created_at")),
        Listing("holes", HoleModel, wanted_holes, by_age(holes_page, "found_at")),
        Listing("pauses", PauseModel, nothing, at_once(pauses_now)),
        Listing("priorities", PriorityModel, nothing, at_once(priorities_now), priority_document),
        Listing("notifications", NotificationModel, wanted_lines, by_age(lines_page, "created_at")),
        Listing("tenants", Tenant, nothing, at_once(tenants_seen)),
        Listing("people", Person, wanted_tenant, at_once(people_of)),
        Listing("tokens", Token, wanted_tenant, at_once(tokens_of)),
        Listing("ledger", LedgerLine, wanted_ledger, ledger_by_day),
    )


def exported_job(row: Row) -> Row:
    return job_document(row, run_url="")


def exported_replay(row: Row) -> Row:
    return replay_document(row, now=datetime.now(UTC))


def issue_at(places: Places) -> Callable[[Issue], Row]:
    return lambda issue: issue_document(issue, places=places)


def connection_at(places: Places) -> Callable[[ConnectionView], ConnectionModel]:
    return lambda view: connection_model(view, base=places.bridge.rstrip("/"))


def issues_in_order(rows: Rows, wanted: IssueFilter, *, page: Page) -> Sequence[Issue]:
    """An issue that is seen again meanwhile moves in the list, and stays in its place here."""
    return issues_page(rows, wanted, page=page, age="first_seen_at")


def replays_of(rows: Rows, wanted: str | None, *, page: Page) -> Sequence[Row]:
    return replays_page(rows, tenant=wanted, page=page)


def connections(rows: Rows, wanted: ConnectionFilter) -> Sequence[ConnectionView]:
    return connection_views(rows, tenant=wanted.tenant, system=wanted.system)


def people_of(rows: Rows, wanted: str | None) -> Sequence[PersonView]:
    return people(rows, tenant=wanted)


def tenants_seen(rows: Rows, _wanted: None) -> Sequence[Row]:
    return tenant_views(rows)


def tokens_of(rows: Rows, wanted: str | None) -> Sequence[TokenView]:
    return token_views(rows, tenant=wanted)


def nothing() -> None:
    """A list without questions."""


def pauses_now(rows: Rows, _wanted: None) -> Sequence[Pause]:
    return pauses(rows)


def priorities_now(rows: Rows, _wanted: None) -> Sequence[ChosenPriority]:
    return chosen(rows)


def ledger_by_day(asked: Asked[LedgerWanted]) -> Iterator[Sequence[LedgerLine]]:
    """Newest day first, each counted for itself."""
    wanted, end = asked.wanted, asked.wanted.until
    while end > wanted.since:
        begin = max((end - DAY).replace(minute=0, second=0, microsecond=0), wanted.since)
        with asked.transaction() as rows:
            view = ledger_view(rows, replace(wanted, since=begin, until=end), is_staff=asked.caller.scope.is_staff)
        yield ledger_lines(view)
        end = begin
