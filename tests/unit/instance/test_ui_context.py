"""Backfills are launched in one request and run much later: who asked is put on them while he asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dagster import DagsterInstance, instance_for_test
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from starlette.requests import Request

from zixly_dagster.instance.gateway_user import ROLE_HEADER, USER_HEADER, USER_TAG
from zixly_dagster.instance.ui_context import SignedInProcess

OLGA = "user:0191d7c2-7f4a-7c55-9b1e-3a1f5c0e2b11"


@pytest.fixture(scope="module")
def instance() -> Iterator[DagsterInstance]:
    with instance_for_test() as made:
        yield made


def tags_by(instance: DagsterInstance, source: object, *, trusts_gateway: bool = True) -> dict[str, str]:
    with SignedInProcess(instance, EmptyWorkspaceTarget(), is_read_only=False, trusts_gateway=trusts_gateway) as process:
        return process.create_request_context(source).get_viewer_tags()


def request(user: str) -> Request:
    headers = [(USER_HEADER.lower().encode(), user.encode()), (ROLE_HEADER.lower().encode(), b"EDITOR")]
    return Request({"type": "http", "method": "POST", "path": "/graphql", "headers": headers})


def test_what_somebody_launches_bears_his_id(instance: DagsterInstance) -> None:
    assert tags_by(instance, request(OLGA)) == {USER_TAG: OLGA}


@pytest.mark.parametrize("user", ["kim@zixly.example", "Kim Larsen", ""])
def test_no_name_and_no_address_is_taken(instance: DagsterInstance, user: str) -> None:
    assert tags_by(instance, request(user)) == {}


def test_without_a_gateway_in_front_nobody_is_believed(instance: DagsterInstance) -> None:
    assert tags_by(instance, request(OLGA), trusts_gateway=False) == {}


def test_the_daemon_which_has_no_request_is_nobody(instance: DagsterInstance) -> None:
    assert tags_by(instance, None) == {}


def test_a_read_only_webserver_stays_read_only(instance: DagsterInstance) -> None:
    with SignedInProcess(instance, EmptyWorkspaceTarget(), is_read_only=True, trusts_gateway=True) as process:
        assert process.create_request_context(request(OLGA)).read_only
