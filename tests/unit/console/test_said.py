from __future__ import annotations

from starlette.requests import HTTPConnection

from webhook_bridge.console.said import Said, done, said_to


def browser(cookie: str = "") -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_what_an_action_came_to_is_told_on_the_next_page() -> None:
    answer = done(browser(), to="/console/jobs", text="Rückgängig <b>", tone="bad")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/jobs")
    assert said_to(browser(answer.headers["set-cookie"].partition(";")[0])) == Said("Rückgängig <b>", "bad")


def test_a_cookie_that_is_none_of_ours_says_nothing() -> None:
    for cookie in ("", "zixly-said=", "zixly-said=x", "zixly-said=e30=", "zixly-said=WzEsMl0=", "zixly-said=WzFd"):
        assert said_to(browser(cookie)) is None
