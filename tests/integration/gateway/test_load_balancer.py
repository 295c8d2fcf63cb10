"""A gateway behind a load balancer, which speaks TLS to it but names nobody while shaking hands (AWS' does not)."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.certificate import certificate_in
from tests.support.nginx import running_nginx
from zixly_cli.gateway import TEMPLATE, read_gateway_settings, rendered
from zixly_cli.settings import StackSettings
from zixly_cli.stack.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

Ask = Callable[[str], tuple[int, bytes]]


class Bridge(BaseHTTPRequestHandler):
    """Says whose request it was told that it is."""

    def do_GET(self) -> None:
        said = self.headers["X-Forwarded-For"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def gateway(folder: Path, **more: str) -> Iterator[Ask]:
    """A gateway, and how a load balancer asks it: without a name in the handshake, with the host that the client asked for."""
    certificate, port, plain = certificate_in(folder), free_port(), free_port()
    with ThreadingHTTPServer(("127.0.0.1", 0), Bridge) as bridge:
        threading.Thread(target=bridge.serve_forever, daemon=True).start()
        variables = {
            "ZIXLY_GATEWAY_PUBLIC_URL": "https://hooks.zixly.example",
            "ZIXLY_GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "ZIXLY_GATEWAY_LISTEN_HTTP": f"127.0.0.1:{plain}",
            "ZIXLY_GATEWAY_FOLDER": str(folder),
            "ZIXLY_GATEWAY_CERTIFICATE": str(certificate),
            "ZIXLY_GATEWAY_CERTIFICATE_KEY": str(certificate),
            "ZIXLY_GATEWAY_BRIDGE": f"127.0.0.1:{bridge.server_port}",
            **more,
        }
        configuration = rendered(read_gateway_settings(variables, StackSettings()), TEMPLATE.read_text())
        with running_nginx(configuration, folder=folder, port=plain):
            yield lambda host: ask(port, host)
        bridge.shutdown()


def ask(port: int, host: str) -> tuple[int, bytes]:
    believing = ssl.create_default_context()
    believing.check_hostname, believing.verify_mode = False, ssl.CERT_NONE
    # An address is no name: the handshake names nobody.
    with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=believing)) as connection:
        connection.request("GET", "/console", headers={"Host": host, "X-Forwarded-For": "198.51.100.7, 203.0.113.9"})
        with connection.getresponse() as answer:
            return answer.status, answer.read()


def test_it_takes_a_handshake_without_a_name_and_believes_whose_request_it_is(tmp_path: Path) -> None:
    with gateway(tmp_path, ZIXLY_GATEWAY_LOAD_BALANCER="127.0.0.0/24, 10.20.0.0/24") as asked:
        assert asked("hooks.zixly.example") == (200, b"203.0.113.9")
        assert asked("other.example")[0] == 421


def test_the_word_of_any_other_proxy_is_not_taken(tmp_path: Path) -> None:
    with gateway(tmp_path, ZIXLY_GATEWAY_LOAD_BALANCER="10.20.0.0/24") as asked:
        assert asked("hooks.zixly.example") == (200, b"127.0.0.1")


def test_without_one_a_handshake_must_name_the_gateway(tmp_path: Path) -> None:
    with gateway(tmp_path) as asked, pytest.raises(ssl.SSLError):
        asked("hooks.zixly.example")
