"""The code location: jobs, sensors and resources, put together in one place."""

from __future__ import annotations

import warnings

from dagster import Definitions, EnvVar
from dagster_shared.utils.warnings import BetaWarning

from zixly_dagster.jobs.archive_payloads import archive_payloads_job
from zixly_dagster.jobs.backfill import backfill_jobs
from zixly_dagster.jobs.delete_old import delete_old_job
from zixly_dagster.jobs.probe_account import probe_account_job
from zixly_dagster.jobs.reconcile import reconcile_job
from zixly_dagster.jobs.repair_drift import repair_drift_job
from zixly_dagster.jobs.replay import replay_job
from zixly_dagster.jobs.send_notifications import send_notifications_job
from zixly_dagster.jobs.settings_check import settings_check_job
from zixly_dagster.jobs.tenant_requests import tenant_erase_job, tenant_export_job
from zixly_dagster.jobs.vendor_webhooks import webhooks_job
from zixly_dagster.jobs.watch_subscriptions import watch_job
from zixly_dagster.resources.asana import AsanaResource
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.hubspot import HubSpotResource
from zixly_dagster.resources.notifications import NotificationsResource
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.shopify import ShopifyResource
from zixly_dagster.resources.sweeps import SweepsResource
from zixly_dagster.resources.xero import XeroResource
from zixly_dagster.schedules.connection_upkeep import connection_upkeep, connection_upkeep_schedule
from zixly_dagster.schedules.reconciliations import reconciliation_schedules
from zixly_dagster.schedules.retention import retention_schedules
from zixly_dagster.schedules.watch_subscriptions import watch_schedule
from zixly_dagster.sensors.account_probes import account_probes_sensor
from zixly_dagster.sensors.backfills import backfills_sensor
from zixly_dagster.sensors.dispatch import dispatch_sensor
from zixly_dagster.sensors.issues import issues_sensor
from zixly_dagster.sensors.ledger import ledger_sensor
from zixly_dagster.sensors.notifications import notifications_sensor
from zixly_dagster.sensors.payload_index import payload_index_sensor
from zixly_dagster.sensors.reconciliations import reconciliations_sensor
from zixly_dagster.sensors.settings_check import settings_check_sensor
from zixly_dagster.sensors.sweep import sweep_sensor
from zixly_dagster.sensors.tenant_requests import tenant_requests_sensor
from zixly_dagster.sensors.vendor_webhooks import vendor_webhooks_sensor
from zixly_dagster.sensors.waiting import waiting_sensor
from zixly_dagster.sensors.watch_subscriptions import watch_sensor
from zixly_dagster.workflows import WORKFLOWS, workflows_by_system

# Dagster's own @sensor passes a parameter of which Dagster then warns.
warnings.filterwarnings("ignore", category=BetaWarning, message="Parameter `owners`")

dispatchers = DispatchersResource()

defs = Definitions(
    jobs=[
        *(workflow.job for workflow in WORKFLOWS.values()),
        connection_upkeep,
        webhooks_job(),
        settings_check_job(),
        watch_job(),
        probe_account_job(),
        *backfill_jobs(),
        reconcile_job(),
        repair_drift_job(),
        archive_payloads_job(),
        delete_old_job(),
        tenant_export_job(),
        tenant_erase_job(),
        send_notifications_job(),
        replay_job(),
    ],
    schedules=[
        connection_upkeep_schedule(),
        *retention_schedules(),
        watch_schedule(),
        *reconciliation_schedules(),
    ],
    sensors=[
        *(dispatch_sensor(system, workflows, dispatchers) for system, workflows in sorted(workflows_by_system().items())),
        sweep_sensor(),
        ledger_sensor(),
        reconciliations_sensor(),
        waiting_sensor(),
        vendor_webhooks_sensor(),
        settings_check_sensor(),
        tenant_requests_sensor(),
        backfills_sensor(),
        issues_sensor(),
        account_probes_sensor(),
        notifications_sensor(),
        payload_index_sensor(),
        watch_sensor(),
    ],
    resources={
        "postgres": PostgresResource(),
        "secrets": SecretsResource(),
        "batch": BatchResource.configure_at_launch(),
        "dispatchers": dispatchers,
        "xero": XeroResource(),
        "hubspot": HubSpotResource(),
        "shopify": ShopifyResource(),
        "asana": AsanaResource(),
        "sweeps": SweepsResource(),
        "objects": ObjectsResource(url=EnvVar("ZIXLY_OBJECTS_URL")),
        "notifications": NotificationsResource(),
    },
)
