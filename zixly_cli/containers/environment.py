"""The environment of each container: what `zixly up` gives the same process, and what is different inside a container."""

from __future__ import annotations

from collections.abc import Mapping

from zixly_cli.settings import StackSettings
from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.environment import MANAGED, USES_OBJECTS, USES_QUEUE, USES_SEALED_SECRETS, fixed_of, seen_by, vendor_defaults
from zixly_cli.stack.home import Home

# The folder that a container's own settings are mounted at.
SETTINGS = "/settings"
# These stores may lie elsewhere (SQS, S3, on AWS or its emulator); the embedded stack has no choice.
MAY_BE_ELSEWHERE: Mapping[str, frozenset[str]] = {"ZIXLY_QUEUE_URL": USES_QUEUE, "ZIXLY_OBJECTS_URL": USES_OBJECTS}
# What docker-compose.yml tells the service `settings` alone.
COMPOSE_PREFIX = "ZIXLY_COMPOSE_"
# The gateway's address in the inside network: what it says of who asks is believed, and nobody else is.
GATEWAY_ADDRESS = f"{COMPOSE_PREFIX}GATEWAY_ADDRESS"


def container_environment(
    kind: str, *, home: Home, settings: StackSettings, urls: Addresses, user: Mapping[str, str], sandbox: bool
) -> dict[str, str]:
    """All variables of ours for a container of this kind. What `user` sets wins where it may."""
    defaults = vendor_defaults(urls=urls, secrets=urls.secrets) if sandbox else {}
    chosen = {**defaults, **{name: value for name, value in user.items() if not name.startswith((*MANAGED, COMPOSE_PREFIX))}}
    chosen.setdefault("ZIXLY_WORKER_SLOTS", str(settings.worker_slots))
    chosen.setdefault("ZIXLY_TOTAL_SLOTS", str(settings.workers * settings.worker_slots))
    chosen.setdefault("ZIXLY_WATCHED_FOLDERS", "volumes=/objects")
    chosen["ZIXLY_TRUSTED_PROXIES"] = user.get(GATEWAY_ADDRESS, "")
    fixed = {**fixed_of(kind, home=home, settings=settings, urls=urls), **inside_of(kind)}
    elsewhere = {name: user[name] for name, kinds in MAY_BE_ELSEWHERE.items() if kind in kinds and name in user}
    return {**seen_by(kind, chosen), **fixed, **elsewhere, "ZIXLY_ENVIRONMENT": user.get("ZIXLY_ENVIRONMENT", "local")}


def inside_of(kind: str) -> dict[str, str]:
    """Containers listen on the inside network, and find their files at the same places each time."""
    inside = {
        "ZIXLY_HOME": "/tmp/zixly",  # noqa: S108 - the container's own, in memory
        "ZIXLY_BRIDGE_HOST": "0.0.0.0",  # noqa: S104 - the inside network; what is published is published on loopback
        "ZIXLY_METRICS_HOST": "0.0.0.0",  # noqa: S104
        "ZIXLY_SANDBOX_HOST": "0.0.0.0",  # noqa: S104
        "ZIXLY_SANDBOX_TARGET_URL": "http://bridge:3000",
        "ZIXLY_CODE_HOST": "code",
        "ZIXLY_WORKSPACE": "/app/workspace.yaml",
        "ZIXLY_TRUST_GATEWAY": "true" if kind == "webserver" else "false",
    }
    if kind in USES_OBJECTS:
        inside["ZIXLY_OBJECTS_URL"] = "file:///objects"
    if kind in USES_SEALED_SECRETS:
        inside["ZIXLY_SECRETS_KEY_FILE"] = f"{SETTINGS}/secrets.key"
    if kind == "worker":
        inside["ZIXLY_WORKER_METRICS_PORT"] = "3010"
    return inside
