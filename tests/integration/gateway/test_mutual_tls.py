"""Gateway and bridge show each other certificates: the real bridge, a real nginx, and whoever else comes."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.integration.bridge.running import eventually
from tests.security.attacker import API_TOKEN, environment
from tests.support.authority import Authority, Certificate
from tests.support.certificate import certificate_in
from tests.support.front import Front
from tests.support.nginx import require_nginx, running_nginx
from tests.support.postgres import TEMPLATE, RunningPostgres, TestDatabase
from zixly_cli.gateway import TEMPLATE as NGINX_TEMPLATE
from zixly_cli.gateway import read_gateway_settings, rendered
from zixly_cli.settings import StackSettings
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Inside:
    """A bridge that lets in only those whom `ours` vouches for, and an authority that it does not know."""

    port: int
    ours: Authority
    others: Authority
    gateway: Certificate
    stranger: Certificate

    def get(self, path: str, shown: Certificate | None, *, scheme: str = "https") -> httpx2.Response:
        trust = ssl.create_default_context(cafile=str(self.ours.file))
        if shown is not None:
            trust.load_cert_chain(shown.certificate, shown.key)
        with httpx2.Client(verify=trust, trust_env=False, timeout=10) as http:
            return http.get(f"{scheme}://localhost:{self.port}{path}", headers={"authorization": f"Bearer {API_TOKEN}"})


@pytest.fixture(scope="module")
def inside(postgres_server: RunningPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    folder, name = tmp_path_factory.mktemp("inside"), f"mutual_tls_{os.getpid()}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.OWNER, template=TEMPLATE)
    ours, others, port = Authority(folder / "ours"), Authority(folder / "others"), free_port()
    served = ours.server("localhost")
    made = Inside(port, ours, others, ours.client("gateway"), others.client("gateway"))
    tls = {
        "ZIXLY_BRIDGE_TLS_CERTIFICATE": str(served.certificate),
        "ZIXLY_BRIDGE_TLS_KEY": str(served.key),
        "ZIXLY_BRIDGE_TLS_CLIENTS": str(ours.file),
    }
    variables = environment(TestDatabase(server=postgres_server, name=name), port=port, queue_url="memory://", **tls)
    with (folder / "bridge.log").open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "webhook_bridge"], env=variables, stdout=output, stderr=output)
    try:
        eventually(lambda: answers(made), seconds=120)
        yield made
    finally:
        process.terminate()
        process.wait(timeout=15)


def answers(inside: Inside) -> bool:
    try:
        return inside.get("/health", inside.gateway).status_code == 200
    except httpx2.TransportError:
        return False


@contextmanager
def gateway(inside: Inside, folder: Path, *, trusts: Authority, shows: Certificate | None) -> Iterator[Front]:
    tls, plain, certificate = free_port(), free_port(), certificate_in(folder)
    variables = {
        "PUBLIC_URL": f"https://localhost:{tls}",
        "LISTEN": f"127.0.0.1:{tls}",
        "LISTEN_HTTP": f"127.0.0.1:{plain}",
        "CERTIFICATE": str(certificate),
        "CERTIFICATE_KEY": str(certificate),
        "FOLDER": str(folder),
        "BRIDGE": f"localhost:{inside.port}",
        "BRIDGE_AUTHORITY": str(trusts.file),
        **({"BRIDGE_CERTIFICATE": str(shows.certificate), "BRIDGE_CERTIFICATE_KEY": str(shows.key)} if shows else {}),
    }
    settings = read_gateway_settings({f"ZIXLY_GATEWAY_{name}": value for name, value in variables.items()}, StackSettings())
    require_nginx()
    with running_nginx(rendered(settings, NGINX_TEMPLATE.read_text()), folder=folder, port=tls):
        yield Front(tls, plain, folder, certificate)


def test_through_the_gateway_all_is_as_without(inside: Inside, tmp_path: Path) -> None:
    known = {"authorization": f"Bearer {API_TOKEN}"}
    with gateway(inside, tmp_path, trusts=inside.ours, shows=inside.gateway) as front, front.client() as http:
        assert http.get("/health").status_code == 200
        assert (http.get("/api/jobs").status_code, http.get("/api/jobs", headers=known).status_code) == (401, 200)
        # The verdict is asked for on the same way; what stands behind it does not run here.
        assert http.get("/dagster/graphql").status_code == 401
        assert http.get("/dagster/graphql", headers=known).status_code == 503


@pytest.mark.parametrize("gateways", ["shows none", "shows another's", "knows another authority"])
def test_a_gateway_that_shows_nothing_good_or_is_shown_nothing_good_gets_through_to_nobody(
    inside: Inside, tmp_path: Path, gateways: str
) -> None:
    shows = {"shows none": None, "shows another's": inside.stranger}.get(gateways, inside.gateway)
    trusts = inside.others if gateways == "knows another authority" else inside.ours
    with gateway(inside, tmp_path, trusts=trusts, shows=shows) as front, front.client() as http:
        assert http.get("/health").status_code == 502
        assert http.get("/dagster/graphql", headers={"authorization": f"Bearer {API_TOKEN}"}).status_code == 503


@pytest.mark.parametrize("shown", ["nothing", "another's"])
def test_whoever_reaches_the_bridge_itself_needs_a_certificate_too(inside: Inside, shown: str) -> None:
    """Even with a good token."""
    with pytest.raises(httpx2.TransportError):
        inside.get("/api/jobs", {"nothing": None, "another's": inside.stranger}[shown])
    with pytest.raises(httpx2.TransportError):
        inside.get("/api/jobs", inside.gateway, scheme="http")


def test_metrics_are_read_with_a_certificate_as_prometheus_does(inside: Inside) -> None:
    assert "http_request_duration_seconds" in inside.get("/metrics", inside.ours.client("prometheus")).text
