"""The bridge's own TLS, for networks between gateway and bridge that are not trusted: its certificate, and the authority whose clients
alone may come. Without these settings it speaks plainly, behind a gateway on the same machine or a network of its own."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TypedDict

from zixly_core.errors import SettingsError
from zixly_core.settings import Settings

TOGETHER = "ZIXLY_BRIDGE_TLS_CERTIFICATE and ZIXLY_BRIDGE_TLS_KEY belong together, and ZIXLY_BRIDGE_TLS_CLIENTS needs both"


class TlsOptions(TypedDict, total=False):
    """What uvicorn takes for it."""

    ssl_certfile: str
    ssl_keyfile: str
    ssl_ca_certs: str
    ssl_cert_reqs: int


def tls_options(settings: Settings) -> TlsOptions:
    """Empty where the bridge speaks plainly. Raises `SettingsError` for files that do not fit together or cannot be used."""
    certificate, key, clients = settings.bridge_tls_certificate, settings.bridge_tls_key, settings.bridge_tls_clients
    if certificate is None or key is None:
        if certificate or key or clients:
            raise SettingsError(TOGETHER)
        return {}
    check_files(certificate, key, clients)
    served: TlsOptions = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    if clients is None:
        return served
    return {**served, "ssl_ca_certs": str(clients), "ssl_cert_reqs": ssl.CERT_REQUIRED}


def check_files(certificate: Path, key: Path, clients: Path | None) -> None:
    """Before anything is served: uvicorn's own words for a wrong file are a traceback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise SettingsError(f"ZIXLY_BRIDGE_TLS_CERTIFICATE or ZIXLY_BRIDGE_TLS_KEY cannot be used ({error.strerror or error})") from None
    try:
        if clients is not None:
            context.load_verify_locations(clients)
    except OSError as error:
        raise SettingsError(f"ZIXLY_BRIDGE_TLS_CLIENTS cannot be used ({error.strerror or error})") from None
