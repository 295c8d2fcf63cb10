"""The whole stack as it faces the internet: `zixly up --sign-in`, and a real nginx in front that `zixly gateway render` has set up.

All that an attacker reaches is the gateway's port. Each test attacks from an address of its own, so that none uses up another's limits.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from tests.support.certificate import certificate_in
from tests.support.front import SESSION, Front
from tests.support.nginx import require_nginx, running_nginx
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.deliveries import sample_maker
from zixly_cli.send import DEMO_ACCOUNTS, DEMO_RECORDS, signing_key
from zixly_cli.signed_delivery import SignedDelivery
from zixly_cli.stack.kinds import VIEWER_WEBSERVER
from zixly_cli.stack.ports import free_ports, holder_of
from zixly_sandbox.openid.people import PEOPLE, SandboxPerson

ADMIN, EDITOR, VIEWER, CLIENT, STRANGER = PEOPLE
FEW = 60


@dataclass
class Site:
    """The stack, its gateway, and the people who are signed in there."""

    stack: StackUnderTest
    front: Front
    addresses: Iterator[str] = field(default_factory=lambda: (f"127.0.{n // 250 + 1}.{n % 250 + 1}" for n in itertools.count()))
    sessions: dict[str, str] = field(default_factory=dict, repr=False)

    def person(self, who: SandboxPerson) -> httpx2.Client:
        """A browser in whose session this person is; one session each for all tests, since tries at signing in are counted."""
        if who.subject not in self.sessions:
            self.sessions[who.subject] = self.signed_in(who)
        return self.front.client(self.sessions[who.subject], source=next(self.addresses))

    def cookie(self, who: SandboxPerson) -> str:
        self.person(who).close()
        return self.sessions[who.subject]

    def nobody(self) -> httpx2.Client:
        return self.front.client(source=next(self.addresses))

    def program(self) -> httpx2.Client:
        """With the API's own token: an administrator of the agency."""
        token = self.stack.plan.secrets.api_token
        return self.front.client(headers={"authorization": f"Bearer {token}"}, source=next(self.addresses))

    def signed_in(self, who: SandboxPerson) -> str:
        """Sign in as a browser does: the cookie's value."""
        with self.nobody() as http:
            assert http.get(self.way_back(http, who)).status_code == 303
            return http.cookies[SESSION]

    def way_back(self, http: httpx2.Client, who: SandboxPerson, *, wanted: str | None = None) -> str:
        """The address by which the provider sends this browser back, once this person was chosen there."""
        to = http.get("/auth/sign-in", params={} if wanted is None else {"next": wanted}).headers["location"]
        back: str = http.get(f"{to}&person={who.subject}").headers["location"]
        return back

    def delivery(self, system: str, *, at: datetime | None = None, key: str | None = None, public_url: str | None = None) -> SignedDelivery:
        """What this system would send about a record of the demo's, signed with its secret unless another key is given."""
        settings, variables = self.stack.settings, self.stack.variables
        own = key or signing_key(system, settings=settings, variables=variables)
        about = {"account": DEMO_ACCOUNTS[system], "now": at or datetime.now(UTC), "public_url": public_url or self.front.url}
        return sample_maker(system)([DEMO_RECORDS[system]], key=own, **about)


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    require_nginx()
    with stack_in_a_temporary_folder() as stack, tempfile.TemporaryDirectory(prefix="zixly-gateway-") as made:
        ports = free_ports_beside(stack, VIEWER_WEBSERVER, "tls", "plain")
        url = f"https://localhost:{ports['tls']}"
        folder = Path(made)
        certificate = certificate_in(folder)
        chosen = {"sign_in": "required", "viewer_webserver_port": ports[VIEWER_WEBSERVER], "bridge_public_url": url}
        stack.settings = stack.settings.model_copy(update=chosen)
        stack.variables |= {
            "ZIXLY_SIGN_IN": "required",
            "ZIXLY_BRIDGE_PUBLIC_URL": url,
            "ZIXLY_API_REQUESTS_PER_MINUTE": "2000",  # all of the agency's members here are a few people
            "ZIXLY_UNSIGNED_REQUESTS_PER_MINUTE": str(FEW),
            "ZIXLY_GATEWAY_PUBLIC_URL": url,
            "ZIXLY_GATEWAY_LISTEN": f"127.0.0.1:{ports['tls']}",
            "ZIXLY_GATEWAY_LISTEN_HTTP": f"127.0.0.1:{ports['plain']}",
            "ZIXLY_GATEWAY_CERTIFICATE": str(certificate),
            "ZIXLY_GATEWAY_CERTIFICATE_KEY": str(certificate),
            "ZIXLY_GATEWAY_FOLDER": str(folder),
            "SSL_CERT_FILE": str(certificate),
        }
        # The gateway first: until it listens its ports are anybody's, and a stack takes half a minute and hundreds of connections.
        with running_nginx(rendered(stack), folder=folder, port=ports["tls"]):
            stack.up((sys.executable, "-m", "zixly_cli.main", "up", "--sign-in"))
            front = Front(ports["tls"], ports["plain"], folder, certificate)
            refuse_a_silent(front)
            yield Site(stack, front)


def refuse_a_silent(front: Front) -> None:
    """One sentence with what nginx wrote, instead of ninety failed tests."""
    try:
        with front.client() as http:
            assert http.get("/health").status_code == 200
    except httpx2.HTTPError as error:
        pytest.fail(
            f"no answer from the gateway on port {front.port}{holder_of(front.port)}: {error}; {front.folder / 'nginx.out'}:\n"
            f"{(front.folder / 'nginx.out').read_text()}"
        )


def free_ports_beside(stack: StackUnderTest, *names: str) -> dict[str, int]:
    """Free ports for these, none of which the stack will have."""
    while True:
        found = free_ports(names)
        if not set(found.values()) & set(stack.settings.ports().values()):
            return found


def rendered(stack: StackUnderTest) -> str:
    command = [sys.executable, "-m", "zixly_cli.main", "gateway", "render"]
    return subprocess.run(command, env={**os.environ, **stack.environment}, capture_output=True, text=True, check=True).stdout
