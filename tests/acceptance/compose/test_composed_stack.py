"""docker-compose.yml, brought up: a delivery goes through, each part may be restarted, and nothing is left when it is taken down.

In this order: each test goes on where the one before ended, as bringing the file up takes as long as all of them together.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.acceptance.compose.composed import ONCE, ComposedStack
from tests.acceptance.compose.engine import Engine
from tests.acceptance.compose.provider import ComposedProvider
from tests.integration.sign_in.provider.running import missing, must_run
from zixly_cli.containers.places import PUBLIC_URL

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400, func_only=True)]
# Restarted together. Those that are done once are not, nor is what has no volume: the sandbox forgets what its accounts hold.
GROUPS = {
    "queue": ("valkey",),
    "platform": ("bridge", "code", "daemon", "worker"),
    "the rest": ("postgres", "webserver", "viewer-webserver", "gateway", "prometheus", "alertmanager"),
}
NOT_RESTARTED = {*ONCE, "sandbox"}


@pytest.fixture(scope="module")
def provider(engine: Engine) -> ComposedProvider:
    if (reason := missing()) and not must_run():
        pytest.skip(reason)
    return ComposedProvider.started(engine)


def test_a_signed_delivery_becomes_a_finished_job(stack: ComposedStack) -> None:
    stack.send()
    stack.wait_for_finished(1)


@pytest.mark.parametrize(
    ("path", "words"),
    [("/console", "Zixly"), ("/dagster/", "Dagster"), ("/dagster/server_info", "dagster_version"), ("/prometheus/-/healthy", "")],
)
def test_pages_come_through_the_gateway(stack: ComposedStack, path: str, words: str) -> None:
    answer = stack.through_gateway(path)
    assert answer.status_code == (200 if words else 404), answer.text
    assert words in answer.text


def test_prometheus_hears_from_everybody(stack: ComposedStack) -> None:
    def silent() -> set[str]:
        found = stack.get("http://127.0.0.1:9090/prometheus/api/v1/targets").raise_for_status().json()["data"]["activeTargets"]
        heard = {one["labels"]["job"] for one in found if one["health"] == "up"}
        return {"webhook-bridge", "pipeline-worker", "pipeline-daemon", "alertmanager", "prometheus"} - heard

    stack.wait_until(lambda: not silent(), seconds=60, words="Prometheus has heard from every job")


def test_every_service_that_stays_is_restarted_below(stack: ComposedStack) -> None:
    assert {name for group in GROUPS.values() for name in group} == set(stack.services) - NOT_RESTARTED


@pytest.mark.parametrize("group", GROUPS)
def test_a_restart_loses_nothing(stack: ComposedStack, group: str) -> None:
    """What was sent just before is finished too, and what was finished stays."""
    before = stack.finished()
    stack.send()
    stack.restart(*GROUPS[group])
    stack.send()
    stack.wait_for_finished(len(before) + 2)
    assert before <= stack.finished()


def test_a_change_of_settings_lets_nobody_in_who_does_not_sign_in(stack: ComposedStack, provider: ComposedProvider) -> None:
    """Somebody is invited and the provider comes into `.env` of the running stack, as docs/deployment.md says it; nothing is lost."""
    before = stack.finished()
    stack.in_service("bridge", "zixly", "people", "add", "ada@zixly.example", "--name", "Ada", "--role", "ADMIN", "--staff")
    signing = replace(stack, settings=(*stack.settings, *provider.settings), more=provider.trusted_by_bridge)
    signing.up("--force-recreate")
    assert signing.get("http://127.0.0.1:3000/api/jobs").status_code == 401
    sent = signing.through_gateway("/dagster/", headers={"accept": "text/html"})
    assert (sent.status_code, urlsplit(sent.headers["location"]).path) == (302, "/auth/sign-in")
    signing.send()
    with provider.browser(signing, login="ada") as admin:

        def finished() -> set[str]:
            answer = signing.engine.inside(lambda: admin.get("/api/jobs?limit=100")).raise_for_status()
            return {job["id"] for job in answer.json()["jobs"] if job["status"] == "COMPLETED"}

        signing.wait_until(lambda: len(finished()) > len(before), seconds=60, words="the delivery's job is COMPLETED")
        assert before < finished()


@pytest.mark.parametrize(("login", "may_change"), [("ada", True), ("viewer", False)])
def test_people_meet_the_dagster_ui_that_their_role_may_use(
    stack: ComposedStack, provider: ComposedProvider, login: str, may_change: bool
) -> None:
    inside = stack.engine.inside
    with provider.browser(stack, login=login) as browser:
        assert inside(browser.me).json()["proof"] == "session"
        for path, words in (("/console", "Zixly"), ("/dagster/server_info", "dagster_version")):
            page = inside(lambda path=path: browser.get(path))
            assert (page.status_code, words in page.text) == (200, True), path
        mutation = {"query": "mutation { reloadWorkspace { __typename } }"}
        headers = {"origin": PUBLIC_URL, "accept": "application/json"}
        answer = inside(lambda: browser.http.post(f"{PUBLIC_URL}/dagster/graphql", json=mutation, headers=headers))
        assert answer.status_code == (200 if may_change else 403), answer.text
        inside(browser.sign_out)
        assert inside(browser.me).status_code == 401


def test_taken_down_it_leaves_nothing(stack: ComposedStack) -> None:
    stack.down()
    assert stack.containers() == []
    assert stack.engine.run("podman", "volume", "ls", "--quiet", seconds=30) == ""


def test_a_wrong_setting_is_named_and_nothing_is_started(engine: Engine) -> None:
    stack = ComposedStack(engine, ("ZIXLY_LEASE_SECONDS=a minute",), project="wrong")
    try:
        done = stack.tried("up", "--detach", "--no-build", "postgres", seconds=120)
        assert done.returncode != 0
        assert "ZIXLY_LEASE_SECONDS" in stack.compose("logs", "--no-color", "settings", seconds=60)
        assert stack.running() == {}
    finally:
        stack.down()
