"""Clients and sandbox together, held against the official descriptions by something that we did not write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest

from tests.contract.prism.proxy import Violations, missing, must_run, prism
from tests.support import vendor_flows
from tests.support.outgoing import HERE
from tests.support.running_sandbox import running_sandbox
from tests.support.vendor_accounts import SandboxTokens, handshake_target
from zixly_core.errors import ZixlyError
from zixly_core.http_client import new_client
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.xero.client import XeroClient
from zixly_sandbox.constants import DEMO

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(missing() is not None and not must_run(), reason=str(missing())),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """The address of a sandbox."""
    with running_sandbox() as url:
        yield url


@contextmanager
def checked(description: str, *, upstream: str, folder: Path) -> Iterator[tuple[httpx2.Client, str]]:
    """A client's HTTP connections and the address that leads to `upstream` through prism; the block passes only without a violation."""
    violations = Violations()
    with prism(description, upstream=upstream, folder=folder) as url, new_client(HERE, transport=violations) as http:
        try:
            yield http, url
        except ZixlyError as error:
            assert violations.found == [], "\n".join(violations.found)
            raise error from None
        assert violations.found == [], "\n".join(violations.found)
        assert violations.calls > 0


def test_xeros_client_and_the_sandbox_speak_as_the_official_description_says(sandbox: str, tmp_path: Path) -> None:
    tokens = SandboxTokens(sandbox, "xero")
    upstream = f"{sandbox}/xero/api.xro/2.0"
    with checked("xero_accounting_subset", upstream=upstream, folder=tmp_path) as (http, url):
        client = XeroClient(http, base_url=url, tokens=tokens, external_id=DEMO.organisation)
        vendor_flows.xero_reads(client)
        vendor_flows.xero_writes(client)


@pytest.mark.parametrize("version", ["2026-09", "v3"])
def test_hubspots_client_and_the_sandbox_speak_as_its_description_says(sandbox: str, tmp_path: Path, version: str) -> None:
    tokens = SandboxTokens(sandbox, "hubspot")
    with checked("hubspot_crm_subset", upstream=f"{sandbox}/hubspot", folder=tmp_path) as (http, url):
        client = HubSpotClient(http, base_url=url, version=version, tokens=tokens, external_id=DEMO.portal)
        vendor_flows.hubspot_reads(client)
        vendor_flows.hubspot_writes(client)


def test_asanas_client_and_the_sandbox_speak_as_the_official_description_says(sandbox: str, tmp_path: Path) -> None:
    tokens = SandboxTokens(sandbox, "asana")
    upstream = f"{sandbox}/asana/api/1.0"
    with checked("asana_oas", upstream=upstream, folder=tmp_path) as (http, url), handshake_target() as target:
        client = AsanaClient(http, base_url=url, tokens=tokens, external_id=DEMO.workspace)
        vendor_flows.asana_tasks(client)
        vendor_flows.asana_webhooks(client, target=target)


def test_the_proxy_itself_refuses_a_call_that_is_not_described(sandbox: str, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {SandboxTokens(sandbox, 'xero').current()}", "xero-tenant-id": DEMO.organisation}
    with prism("xero_accounting_subset", upstream=f"{sandbox}/xero/api.xro/2.0", folder=tmp_path) as url, new_client(HERE) as http:
        for wrong in ("/Invoices?summaryOnly=perhaps", "/Bills"):
            answer = http.get(f"{url}{wrong}", headers=headers)
            assert answer.headers["content-type"].startswith("application/problem+json")
        assert http.get(f"{url}/Invoices?summaryOnly=true", headers=headers).status_code == 200


class WrongBooks(BaseHTTPRequestHandler):
    """Answers what the description does not allow."""

    def do_GET(self) -> None:
        body = b'{"Invoices": [{"InvoiceID": 5, "Total": "much"}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing to tell."""


def test_the_proxy_itself_refuses_an_answer_that_is_not_described(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), WrongBooks) as books:
        thread = threading.Thread(target=books.serve_forever, daemon=True)
        thread.start()
        upstream = f"http://127.0.0.1:{books.server_port}"
        headers = {"Authorization": "Bearer x", "xero-tenant-id": DEMO.organisation}
        with prism("xero_accounting_subset", upstream=upstream, folder=tmp_path) as url, new_client(HERE, transport=Violations()) as http:
            answer = http.get(f"{url}/Invoices", headers=headers)
        books.shutdown()
        thread.join(10)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert "Total" in answer.text
