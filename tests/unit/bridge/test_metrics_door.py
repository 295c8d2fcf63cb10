"""Who may read `/metrics`, and what it tells of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fastapi import Request

from webhook_bridge.metrics_door import MetricsDoor
from webhook_bridge.problems import NotSignedIn
from webhook_bridge.scrape_machine import Watched, certificate_family, disk_families
from zixly_core.errors import SettingsError
from zixly_core.settings import Settings

pytestmark = pytest.mark.unit
TOKEN = "a-token-only-for-tests"


def asking(peer: str = "127.0.0.1", **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/metrics", "headers": named, "client": (peer, 50_000)})


@pytest.mark.parametrize("is_production", [True, False])
def test_where_a_token_is_set_whoever_bears_it_is_let_in_and_nobody_else(is_production: bool) -> None:
    door = MetricsDoor(is_production, TOKEN)
    door.let_in(asking("10.0.0.9", authorization=f"Bearer {TOKEN}"))
    for headers in ({}, {"authorization": TOKEN}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN}x"}):
        with pytest.raises(NotSignedIn):
            door.let_in(asking(**headers))
    assert TOKEN not in repr(door)


def test_without_a_token_everybody_is_let_in_on_ones_own_machine_and_only_its_programs_in_production() -> None:
    MetricsDoor(False, None).let_in(asking("10.0.0.9"))
    door = MetricsDoor(True, None)
    door.let_in(asking())
    for request in (
        asking("10.0.0.9"),
        asking(x_forwarded_for="203.0.113.7"),
        asking(forwarded="for=203.0.113.7"),
        asking(via="1.1 proxy"),
    ):
        with pytest.raises(NotSignedIn, match="ZIXLY_METRICS_TOKEN"):
            door.let_in(request)


def test_disks_of_folders_are_told_and_one_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    watched = Watched.of(Settings(objects_url=f"file://{tmp_path}", watched_folders=f" postgres={tmp_path / 'away'} "))
    free, size = disk_families(watched)
    ((labels, room),) = [(one.labels, one.value) for one in free.samples]
    assert labels == {"place": "objects"}
    assert 0 < room <= size.samples[0].value


@pytest.mark.parametrize("text", ["/var/lib", "name=", "=/var/lib"])
def test_a_folder_without_a_name_or_the_reverse_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_WATCHED_CERTIFICATES"):
        Watched.of(Settings(watched_certificates=text))


def test_of_several_certificates_in_a_file_the_first_that_ends_is_told(tmp_path: Path) -> None:
    file, rubbish = tmp_path / "chain.pem", tmp_path / "rubbish.pem"
    file.write_bytes(certificate(days=40) + certificate(days=3))
    rubbish.write_text("no certificate")
    family = certificate_family(Watched(certificates={"gateway": file, "rubbish": rubbish, "away": tmp_path / "away"}))
    ((labels, left),) = [(one.labels, one.value) for one in family.samples]
    assert labels == {"certificate": "gateway"}
    assert timedelta(days=2, hours=23).total_seconds() < left <= timedelta(days=3).total_seconds()


def certificate(*, days: int) -> bytes:
    key, name, now = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]),
        datetime.now(UTC),
    )
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=days))
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
