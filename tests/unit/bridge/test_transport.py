"""Which TLS the bridge is told to speak."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support.authority import Authority
from webhook_bridge.transport import tls_options
from zixly_core.errors import SettingsError
from zixly_core.settings import Settings


def test_unless_told_otherwise_it_speaks_plainly() -> None:
    assert tls_options(Settings()) == {}


def test_with_an_authority_of_clients_each_client_has_to_show_a_certificate(tmp_path: Path) -> None:
    made = Authority(tmp_path).server()
    own = Settings(bridge_tls_certificate=made.certificate, bridge_tls_key=made.key)
    assert "ssl_cert_reqs" not in tls_options(own)
    asked = tls_options(own.model_copy(update={"bridge_tls_clients": tmp_path / "authority.pem"}))
    assert asked["ssl_cert_reqs"] == ssl.CERT_REQUIRED


@pytest.mark.parametrize("given", [("certificate",), ("key",), ("clients",), ("certificate", "clients")])
def test_what_belongs_together_is_asked_for_together(tmp_path: Path, given: tuple[str, ...]) -> None:
    settings = Settings().model_copy(update={f"bridge_tls_{name}": tmp_path / name for name in given})
    with pytest.raises(SettingsError, match="belong together"):
        tls_options(settings)


def test_a_file_that_cannot_be_used_is_named_before_anything_is_served(tmp_path: Path) -> None:
    made, other = Authority(tmp_path / "a").server(), Authority(tmp_path / "b").server()
    (tmp_path / "empty").touch()
    for certificate, key, clients, named in (
        (made.certificate, other.key, None, "BRIDGE_TLS_CERTIFICATE"),
        (tmp_path / "missing", made.key, None, "BRIDGE_TLS_CERTIFICATE"),
        (made.certificate, made.key, tmp_path / "empty", "BRIDGE_TLS_CLIENTS"),
    ):
        settings = Settings(bridge_tls_certificate=certificate, bridge_tls_key=key, bridge_tls_clients=clients)
        with pytest.raises(SettingsError, match=named):
            tls_options(settings)
