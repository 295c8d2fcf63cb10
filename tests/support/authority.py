"""A certificate authority of a test's own: servers and clients whose certificates it has signed, in files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in PEM files."""

    certificate: Path
    key: Path


@dataclass
class Authority:
    """Signs what it is asked to; `file` is what those who trust it are given."""

    folder: Path
    name: str = "Test authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        own = self.named(self.name, public_key=self.key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = x509.KeyUsage(**dict.fromkeys(USAGES, False) | {"key_cert_sign": True, "crl_sign": True})
        self.file.write_bytes(pem(own.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())))

    @property
    def file(self) -> Path:
        return self.folder / "authority.pem"

    def server(self, *hosts: str) -> Certificate:
        """For a server at these names and addresses; this machine's if left out."""
        names = [host_name(host) for host in hosts or ("localhost", "127.0.0.1")]
        return self.signed(hosts[0] if hosts else "localhost", names=names)

    def client(self, name: str) -> Certificate:
        """For a client of this name, such as a database role."""
        return self.signed(name, names=[])

    def signed(self, name: str, *, names: list[x509.GeneralName]) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self.named(name, public_key=key.public_key()).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        files = Certificate(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        files.certificate.write_bytes(pem(made.sign(self.key, hashes.SHA256())))
        files.key.touch(mode=0o600)
        files.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return files

    def named(self, name: str, *, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(common(name))
            .issuer_name(common(self.name))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - HOUR)
            .not_valid_after(now + DAY)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )


USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def host_name(host: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
