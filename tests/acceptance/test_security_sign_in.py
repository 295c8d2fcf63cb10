"""`zixly up --sign-in`: the whole stack in which nobody may look without saying who he is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing

import httpx2
import pytest

from tests.acceptance.test_security_sockets import is_loopback, sockets_of
from tests.integration.sign_in.browser import Browser
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.settings import VIEWER_WEBSERVER
from zixly_cli.stack.orphans import orphans_of
from zixly_cli.stack.ports import free_ports
from zixly_sandbox.openid.people import PEOPLE

ADMIN, EDITOR, VIEWER, CLIENT, STRANGER = PEOPLE


@pytest.fixture(scope="module")
def stack() -> Iterator[StackUnderTest]:
    with stack_in_a_temporary_folder() as made:
        made.settings = made.settings.model_copy(
            update={"sign_in": "required", "viewer_webserver_port": free_ports([VIEWER_WEBSERVER])[VIEWER_WEBSERVER]}
        )
        made.up((sys.executable, "-m", "zixly_cli.main", "up", "--sign-in"))
        yield made


def signed_in(stack: StackUnderTest, subject: str) -> Browser:
    """A browser of this person, after the provider's page where one chooses who one is."""
    browser = Browser(stack.plan.urls.bridge)
    page = browser.http.get(browser.leave())
    back = browser.http.get(f"{page.url}&person={subject}").headers["location"]
    browser.http.get(back)
    return browser


def test_nobody_sees_anything_and_each_person_what_his_role_allows(stack: StackUnderTest) -> None:
    bridge = stack.plan.urls.bridge
    assert httpx2.get(f"{bridge}/api/jobs", trust_env=False).status_code == 401
    new_tenant = {"slug": "new-client", "name": "New client", "time_zone": "Australia/Brisbane"}
    seen = {}
    for person in PEOPLE:
        with closing(signed_in(stack, person.subject).http) as http:
            changed = http.post(f"{bridge}/api/tenants", json=new_tenant, headers={"origin": bridge}).status_code
            seen[person.what] = (http.get(f"{bridge}/api/jobs").status_code, changed)
    assert seen == {
        ADMIN.what: (200, 201),
        EDITOR.what: (200, 403),
        VIEWER.what: (200, 403),
        CLIENT.what: (200, 403),
        STRANGER.what: (401, 401),
    }


def test_the_commands_of_the_stack_prove_themselves_and_a_delivery_is_done(stack: StackUnderTest) -> None:
    sent = stack.zixly("send", "xero")
    assert sent.returncode == 0, sent.stderr
    stack.wait_until(lambda: "COMPLETED" in stack.job_statuses(), seconds=90, words="the delivery's job is done")
    listed = stack.zixly("jobs", "ls", "--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)


def test_viewers_have_a_webserver_that_refuses_changes_and_everything_listens_on_this_machine(stack: StackUnderTest) -> None:
    mutation = {"query": 'mutation { shutdownRepositoryLocation(repositoryLocationName: "zixly") { __typename } }'}
    answer = httpx2.post(f"{stack.plan.urls.viewer_webserver}/graphql", json=mutation, trust_env=False)
    assert answer.status_code == 403, answer.text
    sockets = {socket for process in orphans_of(stack.settings.home) for socket in sockets_of(process)}
    assert {port for _, _, port in sockets} >= set(stack.settings.ports().values())
    assert {one for one in sockets if not is_loopback(one[1])} == set()
