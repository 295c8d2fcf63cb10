"""Settings of the embedded stack: where its state lives, its ports, its programs. The rest goes on to the processes as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zixly_cli.stack.kinds import VIEWER_WEBSERVER
from zixly_core.errors import SettingsError

PREFIX = "ZIXLY_"
# The checkout, which holds workspace.yaml and dagster.yaml.
ROOT = Path(__file__).resolve().parent.parent

Port = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(BaseModel):
    """What `zixly up` needs to know. Every field is the variable `ZIXLY_` + its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    home: Path = ROOT / ".zixly"
    pg_bin: Path | None = None
    valkey_bin: Path | None = None
    workers: int = Field(default=1, ge=1, le=16)
    worker_slots: int = Field(default=4, ge=1, le=64)
    postgres_port: Port = 5442
    valkey_port: Port = 6390
    sandbox_port: Port = 3900
    bridge_port: Port = 3000
    webserver_port: Port = 3002
    code_port: Port = 3003
    viewer_webserver_port: Port = 3004
    daemon_metrics_port: Port = 3005
    worker_metrics_port: Port = 3010
    """The first worker's; each of the others has the next one."""
    bridge_public_url: str | None = None
    """Where a gateway in front shows the stack; unless set, people come to the ports themselves."""
    sign_in: Literal["required", "open"] | None = None
    oidc_issuer: str | None = None

    @property
    def people_sign_in(self) -> bool:
        """Whether the stack is one in which people are told apart: then viewers have a webserver of their own."""
        return self.sign_in == "required" if self.sign_in is not None else self.oidc_issuer is not None

    def ports(self) -> dict[str, int]:
        """Process name -> the port it listens on."""
        names = (*PORT_OWNERS, VIEWER_WEBSERVER) if self.people_sign_in else PORT_OWNERS
        listening = {name: getattr(self, f"{name}_port") for name in names}
        return {**listening, "daemon": self.daemon_metrics_port, **self.worker_ports()}

    def worker_ports(self) -> dict[str, int]:
        """Where each worker tells its metrics."""
        return {f"worker-{number}": self.worker_metrics_port + number - 1 for number in range(1, self.workers + 1)}


# Settings of the sandbox alone (zixly_sandbox/README.md).
SANDBOX_VARIABLES = frozenset({"ZIXLY_SANDBOX_SEED", "ZIXLY_SANDBOX_LATENCY_SECONDS", "ZIXLY_SANDBOX_HOST", "ZIXLY_SANDBOX_TARGET_URL"})
# Read by docker-compose.yml alone.
COMPOSE_VARIABLES = frozenset({"ZIXLY_COMPOSE_NETWORK", "ZIXLY_COMPOSE_CERTIFICATES"})
# Processes that listen for something else than to tell metrics.
PORT_OWNERS = ("postgres", "valkey", "sandbox", "bridge", "webserver", "code")


def port_setting(process: str) -> str:
    """The variable that chooses the port of a process."""
    name = "worker_metrics" if process.startswith("worker-") else {"daemon": "daemon_metrics"}.get(process, process)
    return f"{PREFIX}{name.upper()}_PORT"


def user_variables(folder: Path | None = None) -> dict[str, str]:
    """The `ZIXLY_` variables of the environment, and below them those of a file `.env` in the checkout."""
    written = {name: value for name, value in dotenv_values((folder or ROOT) / ".env").items() if value}
    given = {**written, **{name: value for name, value in os.environ.items() if value}}
    return {name: value for name, value in given.items() if name.startswith(PREFIX)}


def read_stack_settings(variables: Mapping[str, str]) -> StackSettings:
    """Raises `SettingsError` with one sentence that names the variable."""
    try:
        settings = StackSettings.model_validate({name.removeprefix(PREFIX).lower(): value for name, value in variables.items()})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"{PREFIX}{str(first['loc'][0]).upper()} is wrong: {first['msg']}") from None
    refuse_shared_ports(settings)
    return settings.model_copy(update={"home": settings.home.absolute()})


def refuse_shared_ports(settings: StackSettings) -> None:
    owners: dict[int, str] = {}
    for name, port in settings.ports().items():
        if port in owners:
            raise SettingsError(f"{port_setting(name)} and {port_setting(owners[port])} are both {port}")
        owners[port] = name
