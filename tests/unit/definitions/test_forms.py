"""What people fill in in the Launchpad: every question is described, and stands in the form from the start."""

from __future__ import annotations

import pytest
from dagster import Config, JobDefinition

from tests.support.definitions import dagster_without_warnings, loaded_definitions
from zixly_dagster.jobs.reconcile import ReconcileConfig
from zixly_dagster.jobs.repair_drift import RepairConfig
from zixly_dagster.jobs.replay import ReplayConfig
from zixly_dagster.jobs.watch_subscriptions import WatchConfig
from zixly_dagster.ops.backfill_days import BackfillConfig

pytestmark = pytest.mark.unit
FORMS = (ReplayConfig, ReconcileConfig, RepairConfig, WatchConfig, BackfillConfig)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_question_is_described_and_shown_from_the_start(form: type[Config]) -> None:
    """The Launchpad writes down defaults, and leaves out what has none but None: nobody sees that it can be asked for."""
    for name, question in form.model_fields.items():
        assert question.description, f"{form.__name__}.{name} says nothing"
        default = question.get_default(call_default_factory=True)
        assert question.is_required() or default is not None, f"{form.__name__}.{name} is not in the form"


def test_every_schedule_and_sensor_says_what_it_does() -> None:
    """Beside the switch that an operator is about to move."""
    with dagster_without_warnings():
        definitions = loaded_definitions()
    automations = [*(definitions.schedules or ()), *(definitions.sensors or ())]
    assert automations
    assert [one.name for one in automations if not getattr(one, "description", None)] == []


def test_every_job_says_what_it_is_for_before_anything_else() -> None:
    """The first words are what the list of jobs shows."""
    with dagster_without_warnings():
        jobs = [job for job in loaded_definitions().jobs or () if isinstance(job, JobDefinition)]
    assert jobs
    silent = [job.name for job in jobs if not (job.description or "").startswith("**")]
    assert silent == []
