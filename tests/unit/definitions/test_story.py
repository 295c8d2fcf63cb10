"""What people read in the list of runs and on a run's page."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from dagster import RunRequest

from tests.support.definitions import dagster_without_warnings
from zixly_core.errors import StoreUnavailable
from zixly_dagster.ops.batch import failure_text
from zixly_dagster.ops.story import LINKS_SHOWN, job_links, link_values
from zixly_dagster.resources import dispatchers
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import TENANT_ID_TAG, TENANT_TAG

pytestmark = pytest.mark.unit
TENANT = uuid4()


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatchers, "SLUGS", {})
    monkeypatch.setattr(DispatchersResource, "dispatch", lambda _: None)


@pytest.fixture
def resource() -> DispatchersResource:
    with dagster_without_warnings():
        return DispatchersResource()


def asked(tenant: UUID = TENANT) -> RunRequest:
    return RunRequest(run_key="once", tags={TENANT_ID_TAG: str(tenant)})


def test_a_run_bears_its_tenants_short_name_and_the_names_are_read_once(
    resource: DispatchersResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[object] = []
    monkeypatch.setattr(dispatchers, "tenant_slugs", lambda database: reads.append(database) or {"demo": TENANT})
    named = [resource.named(asked()) for _ in range(3)]
    assert {one.tags[TENANT_TAG] for one in named} == {"demo"}
    assert named[0].tags[TENANT_ID_TAG] == str(TENANT)
    assert named[0].run_key == "once"
    assert len(reads) == 1
    assert TENANT_TAG not in resource.named(asked(uuid4())).tags


def test_a_run_is_asked_for_without_the_name_while_postgres_is_away(resource: DispatchersResource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its batch was handed over already."""

    def away(_: object) -> dict[str, UUID]:
        raise StoreUnavailable("down")

    monkeypatch.setattr(dispatchers, "tenant_slugs", away)
    assert resource.named(asked()) == asked()


def test_a_failed_run_tells_each_cause_once() -> None:
    forbidden = [{"id": uuid4(), "error_reason": "forbidden", "error_message": "hubspot answered 403."} for _ in range(12)]
    gone = [{"id": uuid4(), "error_reason": "record_gone", "error_message": f"Invoice {n} is gone."} for n in range(11)]
    first, *causes = failure_text([*forbidden, *gone], of=40).splitlines()
    assert first == "23 of 40 jobs ended FAILED."
    assert causes[0] == f"12 × forbidden: hubspot answered 403. (job {forbidden[0]['id']})"
    assert causes[1].startswith("1 × record_gone: Invoice 0 is gone.")
    assert causes[-1] == "... and 2 causes more"
    assert len(causes) == 11


def test_links_lead_to_the_jobs_page_in_the_console_and_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_BRIDGE_PUBLIC_URL", "https://zixly.example.com/")
    ids = [uuid4() for _ in range(9)]
    links = job_links(ids)
    assert links[f"job {str(ids[0])[-8:]}"] == f"https://zixly.example.com/console/jobs/{ids[0]}"
    assert len(link_values(links)) == LINKS_SHOWN
    assert link_values({"record 1": None}) == {}
