"""`zixly connect` and `zixly connections`, over a bridge at the lowest seam."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import httpx2
import orjson
import pytest
from rich.console import Console

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.connect import begun, connection_table, ended, with_settings
from zixly_cli.moments import distance
from zixly_core.errors import Rejected, SettingsError, Transient

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CONNECTION: dict[str, Any] = {
    "id": "c-1",
    "tenant": "demo",
    "system": "xero",
    "external_id": "org-1",
    "name": "Demo Company (AU)",
    "health": "well",
    "token_expires_at": "2026-11-22T10:29:00+00:00",
    "refreshed_at": "2026-11-20T10:00:00+00:00",
    "settings": {"document": False, "mapping": {"a": "status"}},
}
CONSENT: dict[str, Any] = {"id": "k-1", "status": "INVITED", "link": "http://x/connect/xero?ticket=t", "expires_at": "soon"}


class Bridge:
    """Answers in turn; keeps what it was asked."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.requests: list[httpx2.Request] = []
        self._answers = iter(answers)
        self.api = BridgeApi("http://bridge.test", token=None, transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, content=orjson.dumps(next(self._answers)))

    def body(self) -> Any:
        return orjson.loads(self.requests[-1].content)


def at(status: str, **more: object) -> dict[str, Any]:
    return CONSENT | {"status": status, **more}


def never(_: float) -> None:
    pytest.fail("nothing was to be waited for")


def test_a_consent_is_begun_for_a_client_or_for_a_connection() -> None:
    bridge = Bridge([CONSENT])
    assert begun(bridge.api, "xero", tenant="demo", connection=None, account=None, own=False) == CONSENT
    assert (bridge.requests[0].url.path, bridge.body()["tenant"]) == ("/api/connect/xero", "demo")
    for tenant, connection in ((None, None), ("demo", "c-1")):
        with pytest.raises(SettingsError, match="--tenant"):
            begun(Bridge([]).api, "xero", tenant=tenant, connection=connection, account=None, own=False)


def test_what_came_of_it_is_waited_for_and_shown() -> None:
    waited: list[float] = []
    bridge = Bridge(
        [at("ASKED"), at("CHOOSING"), at("DONE", connection_ids=["c-1"]), {"connections": [CONNECTION, CONNECTION | {"id": "c-2"}]}]
    )
    made = ended(bridge.api, CONSENT, wait_seconds=60, pause=waited.append)
    assert [row["id"] for row in made] == ["c-1"]
    assert len(waited) == 3


def test_why_it_failed_is_told_in_the_bridges_words() -> None:
    with pytest.raises(Rejected, match="declined") as failure:
        ended(Bridge([]).api, at("FAILED", reason="consent_denied", message="It was declined."), wait_seconds=60, pause=never)
    assert failure.value.reason == "consent_denied"


def test_nobody_consents_in_time() -> None:
    with pytest.raises(Transient, match="good until"):
        ended(Bridge([]).api, CONSENT, wait_seconds=-1, pause=never)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "-"),
        ("2026-11-22T10:00:30+00:00", "in 30 s"),
        ("2026-11-22T10:29:00+00:00", "in 29 min"),
        ("2026-11-22T20:00:00+10:00", "0 s ago"),
        ("2026-11-22T07:00:00+00:00", "3 h ago"),
        ("2026-10-23T10:00:00+00:00", "30 d ago"),
    ],
)
def test_times_are_told_as_distances(text: str | None, words: str) -> None:
    assert distance(text, now=NOW) == words


def test_the_table_tells_health_and_tokens() -> None:
    console = Console(width=200, record=True, file=StringIO())
    console.print(connection_table([CONNECTION, CONNECTION | {"health": "disconnected", "refreshed_at": None}], now=NOW))
    shown = console.export_text()
    for word in ("demo", "org-1", "well", "disconnected", "in 29 min", "2 d ago"):
        assert word in shown


@pytest.mark.parametrize(
    ("pairs", "document", "sent"),
    [
        (["document=true"], None, {"document": True, "mapping": {"a": "status"}}),
        (["mapping.b=fully_paid_on"], None, {"document": False, "mapping": {"a": "status", "b": "fully_paid_on"}}),
        (["account=200", "name=two words"], None, CONNECTION["settings"] | {"account": 200, "name": "two words"}),
        ([], '{"notify": true}', {"notify": True}),
    ],
)
def test_settings_are_sent_whole(pairs: list[str], document: str | None, sent: dict[str, Any]) -> None:
    bridge = Bridge([CONNECTION] if document else [{"connections": [CONNECTION]}, CONNECTION])
    with_settings(bridge.api, "c-1", pairs=pairs, document=document)
    assert (bridge.requests[-1].method, bridge.requests[-1].url.path) == ("PUT", "/api/connections/c-1/settings")
    assert bridge.body() == sent


WRONG: Sequence[tuple[list[str], str | None]] = [
    ([], None),
    (["a=1"], "{}"),
    (["no-value"], None),
    (["=1"], None),
    ([], "[1]"),
    ([], "no json"),
]


@pytest.mark.parametrize(("pairs", "document"), WRONG)
def test_settings_that_make_no_sense_are_not_sent(pairs: list[str], document: str | None) -> None:
    bridge = Bridge([{"connections": [CONNECTION]}])
    with pytest.raises(SettingsError):
        with_settings(bridge.api, "c-1", pairs=pairs, document=document)
    assert [request.method for request in bridge.requests] in ([], ["GET"])


def test_a_connection_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="zixly connections list"):
        with_settings(Bridge([{"connections": []}]).api, "c-9", pairs=["a=1"], document=None)
