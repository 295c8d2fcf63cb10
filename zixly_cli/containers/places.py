"""Where the parts of the composed stack are: each by its name in the inside network, on the port that is its own there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zixly_cli.containers.environment import container_environment
from zixly_cli.settings import StackSettings, read_stack_settings
from zixly_cli.stack.addresses import GATEWAY_PATH, Addresses
from zixly_cli.stack.home import Home
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_core.secrets.key_file import create_key_file

# Volumes of docker-compose.yml: the secrets of all, which only `settings` and `migrate` see, and below the other what each container sees.
SECRETS = Path("/secrets")
PUBLIC_URL = "https://localhost:8443"
# The user's variables about ports say where ports are published; inside nothing moves.
STORE_PORTS = {"ZIXLY_POSTGRES_PORT": "5432", "ZIXLY_VALKEY_PORT": "6379"}
# Replicas of the service `worker`, and the slots of each, unless .env says otherwise: one goes on while the other is replaced.
WORKERS = {"ZIXLY_WORKERS": "2", "ZIXLY_WORKER_SLOTS": "2"}
SANDBOX_PROFILE = "sandbox"


class ContainerAddresses(Addresses):
    """The same URLs, by the names of the services."""

    def host_of(self, part: str) -> str:
        return part

    @property
    def public_webserver(self) -> str:
        return f"{self.public}{GATEWAY_PATH}"

    @property
    def webserver_path(self) -> str:
        return GATEWAY_PATH


@dataclass(frozen=True)
class ContainerPlan(Plan):
    """What every container's settings are made from."""

    profiles: frozenset[str] = frozenset()

    @property
    def urls(self) -> ContainerAddresses:
        return ContainerAddresses(self.settings, self.secrets)

    @property
    def has_sandbox(self) -> bool:
        """Whether the vendors are stand-ins, and the demo tenants are there."""
        return SANDBOX_PROFILE in self.profiles

    def environment(self, kind: str) -> dict[str, str]:
        return container_environment(
            kind, home=self.home, settings=self.settings, urls=self.urls, user=self.user_variables, sandbox=self.has_sandbox
        )


def plan_of(variables: Mapping[str, str], *, profiles: str, secrets: Path = SECRETS) -> ContainerPlan:
    """The plan of these variables; secrets that are missing are made. Raises `SettingsError` naming the variable."""
    given = {name: value for name, value in variables.items() if name.startswith("ZIXLY_") and value}
    inside = {name: value for name, value in given.items() if not name.endswith("_PORT")}
    public = given.get("ZIXLY_GATEWAY_PUBLIC_URL") or PUBLIC_URL
    settings: StackSettings = read_stack_settings({**WORKERS, **inside, **STORE_PORTS, "ZIXLY_BRIDGE_PUBLIC_URL": public})
    home = Home(secrets)
    made = load_or_make_secrets(home.secrets_file)
    if not home.key_file.exists():
        create_key_file(home.key_file)
    named = frozenset(name.strip() for name in profiles.split(",") if name.strip())
    return ContainerPlan(home=home, settings=settings, secrets=made, user_variables=inside, profiles=named)
