"""What only a real server shows: dropped connections, and the process as it is started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from tests.support.sandbox import HUBSPOT
from zixly_cli.sandbox_control_commands import app
from zixly_cli.stack.ports import free_port
from zixly_core.errors import Rejected, Transient
from zixly_sandbox.constants import ADA_IN_HUBSPOT, APP, DEAL, DEMO, OPEN_INVOICE

START_SECONDS = 30


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A running `python -m zixly_sandbox` on a free port."""
    port = free_port()
    variables = {**os.environ, "ZIXLY_SANDBOX_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "zixly_sandbox"], env=variables)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_alive(url, process)
        yield url
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) in {0, -signal.SIGTERM}
    finally:
        process.kill()
        process.wait()


def wait_until_alive(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline
        try:
            if httpx2.get(f"{url}/health", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)


@pytest.fixture
def client(base_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=base_url, trust_env=False) as made:
        made.post("/_sandbox/reset", json={})
        form = {"grant_type": "refresh_token", "refresh_token": DEMO.hubspot_refresh}
        proof = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        pair = made.post("/hubspot/oauth/2026-09/token", data={**form, **proof}).json()
        made.headers["Authorization"] = f"Bearer {pair['access_token']}"
        yield made


@pytest.mark.parametrize(("kind", "writes"), [("disconnect_before", 0), ("disconnect_after", 1)])
def test_a_dropped_connection_breaks_off_without_any_answer(client: httpx2.Client, kind: str, writes: int) -> None:
    rule = {"system": "hubspot", "pattern": "POST */batch/update", "kind": kind, "count": 1}
    client.post("/_sandbox/faults", json=rule)
    body = {"inputs": [{"id": ADA_IN_HUBSPOT, "properties": {"firstname": "Augusta"}}]}
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        client.post(f"{HUBSPOT}/contacts/batch/update", json=body)
    assert client.get("/_sandbox/writes").json()["total"] == writes
    assert client.post(f"{HUBSPOT}/contacts/batch/update", json=body).status_code == 200


def test_commands_act_on_it_and_say_what_it_refuses(client: httpx2.Client, base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_SANDBOX_URL", base_url)

    def run(*words: str) -> Any:
        return orjson.loads(CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False).stdout)

    due = client.get(f"/_sandbox/xero/{DEMO.organisation}/invoices/{OPEN_INVOICE}").json()["AmountDue"]
    assert run("pay", OPEN_INVOICE, "--amount", str(due - 1)) == {"paid": [OPEN_INVOICE]}
    assert run("pay", OPEN_INVOICE) == {"paid": [OPEN_INVOICE]}
    assert run("deal", DEAL, "--stage", "7100013")["properties"]["hs_is_closed_won"] == "true"
    assert len(run("seed", "7")["invoice_ids"]) == 7
    assert run("rules", "xero.minute_calls=70")["xero"]["minute_calls"] == 70
    assert run("faults", "add", "xero", "503", "--count", "2")["left"] == 2
    assert [rule["kind"] for rule in run("faults", "list")] == ["503"]
    assert run("tokens", "expire", "xero") == {"grants": 2}
    assert run("objects") == {"created": 0, "doubled": 0, "objects": []}
    assert run("deliveries", "hubspot")["deliveries"][0]["events"][0]["propertyName"] == "dealstage"
    with pytest.raises(Rejected, match="PAID and cannot be paid"):
        run("pay", OPEN_INVOICE)
    with pytest.raises(Rejected, match="There is no rule"):
        run("rules", "xero.hour_calls=1")


def test_commands_say_so_when_there_is_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ZIXLY_SANDBOX_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(Transient, match="No sandbox answers"):
            CliRunner().invoke(app, ["state"], catch_exceptions=False)


def test_the_admin_api_describes_itself(client: httpx2.Client) -> None:
    paths = client.get("/_sandbox/openapi.json").json()["paths"]
    assert {"/_sandbox/reset", "/_sandbox/faults", "/_sandbox/writes", "/_sandbox/webhooks/xero/send"} <= set(paths)
