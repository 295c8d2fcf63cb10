from __future__ import annotations

import pytest
from fastapi import Request
from pydantic import SecretStr

from webhook_bridge.problems import NotSignedIn
from webhook_bridge.signed_in import caller_of
from zixly_core.errors import NotAllowed
from zixly_core.settings import Settings


def request(method: str = "GET", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": raw})


def test_locally_everybody_is_staff() -> None:
    assert caller_of(Settings())(request()).scope.is_staff


def test_a_token_that_is_set_is_asked_for_locally_too() -> None:
    caller = caller_of(Settings(api_token=SecretStr("token")))
    assert caller(request(authorization="bearer token")).name == "api-token"
    for headers in ({}, {"authorization": "Bearer tokem"}, {"authorization": "Bearer "}, {"authorization": "token"}):
        with pytest.raises(NotSignedIn):
            caller(request(**headers))


def test_production_without_a_token_lets_nobody_in() -> None:
    with pytest.raises(NotSignedIn, match="ZIXLY_API_TOKEN"):
        caller_of(Settings(environment="production"))(request(authorization="Bearer "))


@pytest.mark.parametrize(("site", "is_allowed"), [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)])
def test_pages_of_other_sites_change_nothing(site: str, is_allowed: bool) -> None:
    caller = caller_of(Settings())
    assert caller(request(sec_fetch_site=site))
    if is_allowed:
        assert caller(request("POST", sec_fetch_site=site))
    else:
        with pytest.raises(NotAllowed):
            caller(request("POST", sec_fetch_site=site))
