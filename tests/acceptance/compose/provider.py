"""An OpenID Connect provider in the network of the composed stack, by https, as an agency's own would be."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.compose.composed import ComposedStack
from tests.acceptance.compose.engine import READY_SECONDS, Engine
from tests.integration.sign_in.browser import Browser
from tests.integration.sign_in.provider.running import CLIENT_ID, CLIENT_SECRET, command_for
from tests.support.busy import longest
from zixly_cli.containers.certificate import certificate_for
from zixly_cli.containers.places import PUBLIC_URL

# The network's own address, that containers and the engine's network both reach.
HOST, PORT = "172.31.250.1", 9443
ISSUER = f"https://{HOST}:{PORT}"
TRUSTED = "/trust/authorities.pem"


@dataclass(frozen=True)
class ComposedProvider:
    """The provider with its certificate, which no authority has signed."""

    engine: Engine
    certificate: Path

    @classmethod
    def started(cls, engine: Engine) -> ComposedProvider:
        certificate, key = certificate_for(HOST)
        file = engine.folder / "authorities.pem"
        file.write_text(certificate)
        output = engine.folder / "provider.log"
        tls = {"cert": certificate, "key": key}
        engine.start(*command_for(bridge=PUBLIC_URL, host="0.0.0.0", port=PORT, issuer=ISSUER, tls=tls), output=output)  # noqa: S104 - a network of its own
        began = time.monotonic()
        while ISSUER not in output.read_text():
            assert time.monotonic() - began < longest(READY_SECONDS), output.read_text()
            time.sleep(0.05)
        return cls(engine, file)

    @property
    def settings(self) -> tuple[str, ...]:
        """Lines for `.env` (docs/access.md)."""
        return (f"ZIXLY_OIDC_ISSUER={ISSUER}", f"ZIXLY_OIDC_CLIENT_ID={CLIENT_ID}", f"ZIXLY_OIDC_CLIENT_SECRET={CLIENT_SECRET}")

    @property
    def trusted_by_bridge(self) -> Mapping[str, Any]:
        """As docs/deployment.md says it for an authority of one's own."""
        return {"bridge": {"environment": [f"SSL_CERT_FILE={TRUSTED}"], "volumes": [f"{self.certificate}:{TRUSTED}:ro"]}}

    @contextmanager
    def browser(self, stack: ComposedStack, *, login: str) -> Iterator[Browser]:
        """One in which this person has signed in. It trusts the certificates of the gateway and of the provider, and no other."""
        made = Browser(PUBLIC_URL, trust=ssl.create_default_context(cadata=stack.certificate() + self.certificate.read_text()))
        with closing(made.http):
            self.engine.inside(lambda: made.sign_in(login))
            yield made
