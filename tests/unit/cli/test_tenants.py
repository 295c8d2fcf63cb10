"""The commands about clients, over a bridge that answers what it is told to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.tenants import exported, state_of
from zixly_core.errors import Permanent, Rejected, SettingsError, Transient

ASKED = {"id": "e1", "status": "ASKED", "counts": {}, "reason": None}
READY = {**ASKED, "status": "READY", "counts": {"events": 2}}


def bridge(answer: Callable[[httpx2.Request], httpx2.Response]) -> BridgeApi:
    return BridgeApi("http://bridge.example.test", token=None, transport=httpx2.MockTransport(answer))


def test_an_export_is_fetched_into_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/fetch"):
            return httpx2.Response(200, content=b"zip")
        return httpx2.Response(202, json=READY)

    file = tmp_path / "acme.zip"
    assert exported(bridge(answer), "acme", file, wait_seconds=1)["counts"] == {"events": 2}
    assert file.read_bytes() == b"zip"
    assert file.stat().st_mode & 0o077 == 0


def test_nothing_is_asked_for_when_the_file_is_there_or_its_folder_is_not(tmp_path: Path) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(request)

    (tmp_path / "there.zip").touch()
    for file, words in ((tmp_path / "there.zip", "there already"), (tmp_path / "no" / "x.zip", "no folder")):
        with pytest.raises(SettingsError, match=words):
            exported(bridge(answer), "acme", file, wait_seconds=1)


def test_an_export_that_fails_or_is_not_ready_in_time_leaves_no_file(tmp_path: Path) -> None:
    failed = {**ASKED, "status": "FAILED", "reason": "objects"}
    with pytest.raises(Permanent, match="FAILED"):
        exported(bridge(lambda _: httpx2.Response(202, json=failed)), "acme", tmp_path / "x.zip", wait_seconds=1)
    with pytest.raises(Transient, match="not ready"):
        exported(bridge(lambda _: httpx2.Response(202, json=ASKED)), "acme", tmp_path / "x.zip", wait_seconds=0)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_fetch_leaves_no_file_and_says_why(tmp_path: Path) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/fetch"):
            return httpx2.Response(409, json={"status": 409, "reason": "wrong_state", "detail": "fetched already"})
        return httpx2.Response(202, json=READY)

    with pytest.raises(Rejected, match="fetched already"):
        exported(bridge(answer), "acme", tmp_path / "x.zip", wait_seconds=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("moments", "state"),
    [
        ({}, "active"),
        ({"paused_at": "2026-11-01"}, "paused"),
        ({"paused_at": "2026-11-01", "erasure_asked_at": "2026-11-02"}, "being erased"),
        ({"paused_at": "2026-11-01", "erasure_asked_at": "2026-11-02", "erased_at": "2026-11-03T01:00:00Z"}, "erased 2026-11-03"),
    ],
)
def test_the_state_of_a_client_in_words(moments: dict[str, str], state: str) -> None:
    assert state_of({"paused_at": None, "erased_at": None, "erasure_asked_at": None, **moments}) == state
