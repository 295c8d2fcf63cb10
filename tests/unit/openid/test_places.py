from __future__ import annotations

import pytest

from zixly_core.openid.places import allowed_place, origin_of

ORIGINS = {origin_of("https://zixly.example"), origin_of("http://127.0.0.1:3002")}


def place(wanted: str | None) -> str:
    return allowed_place(wanted, origins=ORIGINS, default="/home")


@pytest.mark.parametrize(
    "wanted", ["/", "/api/jobs?limit=5#top", "https://zixly.example/x", "https://zixly.example:443/x", "http://127.0.0.1:3002/runs/1"]
)
def test_our_own_pages_and_the_settings_are_places_to_go_on_to(wanted: str) -> None:
    assert place(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https://evil.example",
        "https://zixly.example.evil.example",
        "https://zixly.example@evil.example",
        "https://evil.example@zixly.example",
        "https://zixly.example:444/",
        "http://zixly.example/",
        "http://127.0.0.1:3003/",
        "javascript:alert(1)",
        "data:text/html,x",
        "relative",
        "https://[",
        "https://zixly.example:x/",
        "/" + "x" * 3_000,
    ],
)
def test_nobody_is_sent_anywhere_else(wanted: str | None) -> None:
    assert place(wanted) == "/home"
