"""Names of settings: a variable with our prefix that nobody knows is a misspelt one, and would be passed over in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from zixly_core.errors import SettingsError

PREFIX = "ZIXLY_"
# What is read by others than the processes, which see it where a whole `.env` is in their environment: the embedded stack and its
# sandbox, the gateway, docker-compose.yml, workspace.yaml. A test compares it with those.
READ_BY_OTHERS = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("PG_BIN", "VALKEY_BIN", "WORKERS", "POSTGRES_PORT", "VALKEY_PORT", "SANDBOX_PORT", "WEBSERVER_PORT", "VIEWER_WEBSERVER_PORT"),
        *("SANDBOX_SEED", "SANDBOX_LATENCY_SECONDS", "SANDBOX_HOST", "SANDBOX_TARGET_URL"),
        *("CODE_PORT", "CODE_HOST", "WORKSPACE", "STACK"),
        *(
            f"GATEWAY_{name}"
            for name in (
                *("PUBLIC_URL", "LISTEN", "LISTEN_HTTP", "FOLDER", "CERTIFICATE", "CERTIFICATE_KEY", "LOAD_BALANCER"),
                *("BRIDGE", "BRIDGE_AUTHORITY", "BRIDGE_CERTIFICATE", "BRIDGE_CERTIFICATE_KEY"),
                *("DAGSTER", "DAGSTER_READ_ONLY", "GRAFANA", "PROMETHEUS", "PORT", "HTTP_PORT"),
            )
        ),
        *(f"COMPOSE_{name}" for name in ("NETWORK", "CERTIFICATES", "PROFILES", "GATEWAY_ADDRESS")),
        *(f"COMPOSE_{name}" for name in ("BRIDGE", "DAGSTER", "DAGSTER_READ_ONLY", "GRAFANA", "PROMETHEUS")),
        *("FULL", "TAKE_GRANTS", "WRITE_GOLDEN"),  # for tests
    )
)
FOR_TESTS = f"{PREFIX}TEST_"


def refuse_unknown(names: Iterable[str], *, settings: Collection[str]) -> None:
    """Raises `SettingsError` with one sentence that names the first unknown variable, and the known one that it is nearest to.

    `settings` are the fields of the processes' settings.
    """
    known = READ_BY_OTHERS | {f"{PREFIX}{name.upper()}" for name in settings}
    unknown = sorted(name for name in names if name.startswith(PREFIX) and not name.startswith(FOR_TESTS) and name not in known)
    if not unknown:
        return
    near = get_close_matches(unknown[0], sorted(known), n=1)
    raise SettingsError(f"{unknown[0]} is no setting" + (f"; {near[0]} is" if near else "; .env.example lists them all"))
