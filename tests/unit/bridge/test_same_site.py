from __future__ import annotations

import pytest
from fastapi import Request

from webhook_bridge.same_site import FORM_TOKEN, OwnSite, demand_own_form, form_fields_of, refuse_other_sites
from zixly_core.errors import NotAllowed, SettingsError

SITE = OwnSite.of("https://bridge.example", "https://app.example, http://127.0.0.1:5173")


def request(method: str = "POST", site: OwnSite = SITE, **headers: str) -> Request:
    given = {"host": "bridge.example"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    return Request({"type": "http", "method": method, "headers": raw, "state": {"own_site": site}})


def is_let_through(asked: Request) -> bool:
    try:
        refuse_other_sites(asked)
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "https://bridge.example"}, False),
        # Old browsers: the origin alone.
        ({"origin": "https://bridge.example"}, True),
        ({"origin": "https://bridge.example:443"}, True),
        ({"origin": "http://bridge.example"}, False),
        ({"origin": "https://bridge.example.evil.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://bridge.example:8443"}, False),
        # Other pages that the settings name.
        ({"origin": "https://app.example", "sec_fetch_site": "cross-site"}, True),
        ({"origin": "http://127.0.0.1:5173"}, True),
        ({"origin": "https://127.0.0.1:5173", "sec_fetch_site": "cross-site"}, False),
        # Programs say nothing; whoever is known by a cookie has to.
        ({}, True),
        ({"authorization": "Bearer a-token"}, True),
        ({"cookie": "__Host-zixly=a-session"}, False),
        ({"cookie": "zixly=a-session"}, False),
        ({"cookie": "zixly_connect=a-browser"}, False),
        ({"cookie": "zixly=a-session", "authorization": "Bearer a-token"}, False),
        ({"cookie": "zixly=a-session", "origin": "https://bridge.example"}, True),
        ({"cookie": "of_others=1"}, True),
    ],
)
def test_a_change_is_asked_for_by_our_own_pages_or_by_a_program(headers: dict[str, str], is_allowed: bool) -> None:
    assert is_let_through(request(**headers)) is is_allowed


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_is_for_the_browser_to_allow(method: str) -> None:
    assert is_let_through(request(method, sec_fetch_site="cross-site", cookie="zixly=a-session"))


def test_over_http_on_ones_own_machine_the_page_may_have_any_of_its_names() -> None:
    site = OwnSite("http://127.0.0.1:3000")
    assert is_let_through(request(site=site, host="localhost:3000", origin="http://localhost:3000"))
    assert not is_let_through(request(site=site, host="localhost:3000", origin="http://localhost:3001"))


@pytest.mark.parametrize("setting", ["*", "null", "https://*.example", "app.example", "https://app.example/", "https://app.example/a"])
def test_only_whole_origins_may_be_named(setting: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_CORS_ORIGINS"):
        OwnSite.of("https://bridge.example", setting)


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("127.0.0.1:3000", True),
        ("[::1]:3000", True),
        ("localhost:3000", True),
        ("bridge:3000", True),
        ("a.localhost", True),
        ("bridge.example", True),
        ("evil.example:3000", False),
        ("127.0.0.1.evil.example", False),
        ("bridge.example.evil.example", False),
    ],
)
def test_where_nobody_signs_in_a_page_cannot_give_this_machine_a_name_of_its_own(host: str, is_known: bool) -> None:
    """A name that first led to the page and now leads here would be of the same origin (DNS rebinding)."""
    asked = request("GET", host=host, sec_fetch_site="same-origin")
    if is_known:
        SITE.refuse_other_names(asked)
        return
    with pytest.raises(NotAllowed) as refused:
        SITE.refuse_other_names(asked)
    assert refused.value.reason == "unknown_host"


def test_a_form_is_of_the_session_that_it_was_made_for() -> None:
    mine, other = request(cookie="__Host-zixly=mine"), request(cookie="__Host-zixly=another")
    fields = form_fields_of(mine)
    demand_own_form(mine, fields[FORM_TOKEN])
    for given in (None, "", form_fields_of(other)[FORM_TOKEN]):
        with pytest.raises(NotAllowed):
            demand_own_form(mine, given)
    assert "mine" not in fields[FORM_TOKEN]


def test_without_a_session_there_is_nothing_that_a_form_could_be_bound_to() -> None:
    asked = request()
    assert form_fields_of(asked) == {}
    demand_own_form(asked, None)
