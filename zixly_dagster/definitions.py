"""The code location: jobs, sensors and resources, put together in one place."""

from __future__ import annotations

import warnings

from dagster import Definitions, EnvVar
from dagster_shared.utils.warnings import BetaWarning

from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.hubspot import HubSpotResource
from zixly_dagster.resources.notifications import NotificationsResource
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.xero import XeroResource
from zixly_dagster.sensors.dispatch import dispatch_sensor
from zixly_dagster.sensors.sweep import sweep_sensor
from zixly_dagster.workflows import WORKFLOWS, workflows_by_system

# Dagster's own @sensor passes a parameter of which Dagster then warns.
warnings.filterwarnings("ignore", category=BetaWarning, message="Parameter `owners`")

defs = Definitions(
    jobs=[workflow.job for workflow in WORKFLOWS.values()],
    sensors=[
        *(dispatch_sensor(system, workflows) for system, workflows in sorted(workflows_by_system().items())),
        sweep_sensor(),
    ],
    resources={
        "postgres": PostgresResource(),
        "secrets": SecretsResource(),
        "batch": BatchResource.configure_at_launch(),
        "dispatchers": DispatchersResource(),
        "xero": XeroResource(),
        "hubspot": HubSpotResource(),
        "objects": ObjectsResource(url=EnvVar("ZIXLY_OBJECTS_URL")),
        "notifications": NotificationsResource(),
    },
)
