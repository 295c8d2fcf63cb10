"""What a bridge tells Prometheus, held against Prometheus' own rules for names, types and help texts."""

from __future__ import annotations

import subprocess

from tests.integration.bridge.running import XERO_KEY, RunningBridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.prometheus import require
from zixly_core.ids import new_id


def test_prometheus_finds_nothing_to_say_about_it(bridge: RunningBridge) -> None:
    body = xero_body(xero_event(str(new_id())))
    bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
    told = bridge.http.get("/metrics").text
    assert told.count("# TYPE") > 40
    done = subprocess.run([require("promtool"), "check", "metrics"], input=told, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
