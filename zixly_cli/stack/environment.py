"""The environment of each process: the settings it uses and no other, the database as its own roles and no other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from zixly_cli.settings import ROOT, StackSettings
from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.databases import DAGSTER
from zixly_cli.stack.home import Home
from zixly_cli.stack.orphans import MARK
from zixly_cli.stack.server_user import outside_of
from zixly_cli.stack.stack_secrets import StackSecrets

# What a process may see of the environment in which `zixly` was called, beside the `ZIXLY_` variables.
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "NO_COLOR")

# Who connects to the platform's database as whom.
DATABASE_ROLES: Mapping[str, tuple[str, ...]] = {
    "sandbox": (),
    "bridge": ("intake", "api", "metrics"),
    "code": ("dispatch",),
    "daemon": ("dispatch",),
    "webserver": ("dispatch",),
    "worker": ("runs", "dispatch", "retention"),
    "dagster-migrate": (),
    "register": ("dispatch",),
}
USES_DAGSTER = frozenset({"code", "daemon", "webserver", "worker", "dagster-migrate"})
USES_QUEUE = frozenset({"bridge", "code", "daemon", "worker"})
USES_BROKER = frozenset({"code", "daemon", "webserver", "worker"})
USES_SEALED_SECRETS = frozenset({"bridge", "worker"})
USES_OBJECTS = frozenset({"worker", "code", "bridge"})  # the code server checks the resources' config of each run

# Variables that the embedded stack sets itself, whatever the user's say.
MANAGED = (
    "ZIXLY_DATABASE_URL",
    "ZIXLY_DAGSTER_DATABASE_URL",
    "ZIXLY_QUEUE_URL",
    "ZIXLY_BROKER_URL",
    "ZIXLY_SECRETS_KEY",
    "ZIXLY_OBJECTS_URL",
    "ZIXLY_BRIDGE_TLS",
)
# Secrets that only these kinds of process may see.
SECRET_USERS: Mapping[str, frozenset[str]] = {
    "ZIXLY_XERO_WEBHOOK_KEYS": frozenset({"bridge", "sandbox"}),
    "ZIXLY_XERO_CLIENT_SECRET": frozenset({"bridge", "sandbox", "worker"}),
    "ZIXLY_HUBSPOT_CLIENT_SECRET": frozenset({"bridge", "sandbox", "worker"}),
    "ZIXLY_HUBSPOT_APP_SECRETS": frozenset({"bridge", "sandbox"}),
    "ZIXLY_SHOPIFY_CLIENT_SECRET": frozenset({"bridge", "sandbox", "worker"}),
    "ZIXLY_SHOPIFY_APP_SECRETS": frozenset({"bridge", "sandbox"}),
    "ZIXLY_ASANA_CLIENT_SECRET": frozenset({"bridge", "sandbox", "worker"}),
    "ZIXLY_API_TOKEN": frozenset({"bridge"}),
    "ZIXLY_METRICS_TOKEN": frozenset({"bridge", "daemon", "worker"}),
    "ZIXLY_OIDC_CLIENT_SECRET": frozenset({"bridge"}),
    "ZIXLY_LIMITS_URL": frozenset({"bridge"}),
    "ZIXLY_NOTIFY_WEBHOOK_URL": frozenset({"worker"}),
    "ZIXLY_SMTP_URL": frozenset({"worker"}),
    "ZIXLY_OTLP_HEADERS": frozenset({"bridge", "code", "worker"}),
}

# Made-up credentials that the sandbox accepts (zixly_sandbox/README.md).
SANDBOX_CLIENT_ID = "sandbox-client"
SANDBOX_CLIENT_SECRET = "sandbox-secret"  # noqa: S105


def environment_of(kind: str, *, home: Home, settings: StackSettings, secrets: StackSecrets, user: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process of this kind (`worker`, not `worker-1`). What `user` sets wins where it may."""
    urls = Addresses(settings, secrets)
    own = {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # of glibc: 16 by default on two cores, in which a process with 30 threads leaves its holes
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "3",
        MARK: str(home.path),
    }
    chosen = {
        **vendor_defaults(urls=urls, secrets=secrets),
        **gateway_defaults(settings),
        **{name: value for name, value in user.items() if not name.startswith(MANAGED)},
    }
    chosen.setdefault("ZIXLY_TOTAL_SLOTS", str(settings.workers * settings.worker_slots))
    chosen.setdefault("ZIXLY_WATCHED_FOLDERS", f"postgres={outside_of(home.path) if os.geteuid() == 0 else home.path}")
    return {**own, **seen_by(kind, chosen), **fixed_of(kind, home=home, settings=settings, urls=urls)}


def seen_by(kind: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Of these variables the ones that a process of this kind may see."""
    return {name: value for name, value in variables.items() if kind in SECRET_USERS.get(name, {kind})}


def vendor_defaults(*, urls: Addresses, secrets: StackSecrets) -> dict[str, str]:
    """The vendors are the sandbox, unless the user says otherwise."""
    apps = {
        f"ZIXLY_{system}_CLIENT_{name}": value
        for system in ("XERO", "HUBSPOT", "SHOPIFY", "ASANA")
        for name, value in (("ID", SANDBOX_CLIENT_ID), ("SECRET", SANDBOX_CLIENT_SECRET))
    }
    return {
        **apps,
        "ZIXLY_XERO_API_URL": f"{urls.sandbox}/xero/api.xro/2.0",
        "ZIXLY_XERO_IDENTITY_URL": f"{urls.sandbox}/xero/identity",
        "ZIXLY_XERO_LOGIN_URL": f"{urls.sandbox}/xero/login",
        "ZIXLY_XERO_CONNECTIONS_URL": f"{urls.sandbox}/xero/connections",
        "ZIXLY_XERO_WEBHOOK_KEYS": secrets.xero_webhook_key,
        "ZIXLY_HUBSPOT_API_URL": f"{urls.sandbox}/hubspot",
        "ZIXLY_HUBSPOT_AUTHORIZE_URL": f"{urls.sandbox}/hubspot/oauth/authorize",
        "ZIXLY_SHOPIFY_API_URL": f"{urls.sandbox}/shopify/{{shop}}",
        "ZIXLY_ASANA_API_URL": f"{urls.sandbox}/asana/api/1.0",
        "ZIXLY_ASANA_OAUTH_URL": f"{urls.sandbox}/asana",
        "ZIXLY_SWEEPS_API_URL": f"{urls.sandbox}/sweeps",
    }


def gateway_defaults(settings: StackSettings) -> dict[str, str]:
    """A gateway in front of this stack is on this machine, as everything of it is: what it says of who asks is believed."""
    return {"ZIXLY_TRUSTED_PROXIES": "127.0.0.1"} if settings.bridge_public_url else {}


def fixed_of(kind: str, *, home: Home, settings: StackSettings, urls: Addresses) -> dict[str, str]:
    """What makes the processes one stack."""
    fixed = {
        "ZIXLY_ENVIRONMENT": "local",
        "ZIXLY_HOME": str(home.path),
        "ZIXLY_BRIDGE_PORT": str(settings.bridge_port),
        "ZIXLY_WEBSERVER_PORT": str(settings.webserver_port),
        "ZIXLY_CODE_PORT": str(settings.code_port),
        "ZIXLY_CODE_HOST": "127.0.0.1",
        "ZIXLY_WORKSPACE": str(ROOT / "workspace.yaml"),
        "ZIXLY_SANDBOX_PORT": str(settings.sandbox_port),
        "ZIXLY_SANDBOX_URL": urls.sandbox,
        "ZIXLY_BRIDGE_PUBLIC_URL": urls.public,
        "ZIXLY_DAGSTER_WEBSERVER_URL": urls.public_webserver,
    }
    if kind == "daemon":
        fixed["ZIXLY_DAEMON_METRICS_PORT"] = str(settings.daemon_metrics_port)
    if kind == "webserver" and settings.people_sign_in:
        fixed["ZIXLY_TRUST_GATEWAY"] = "true"
    for role in DATABASE_ROLES[kind]:
        fixed[f"ZIXLY_DATABASE_URL_{role.upper()}"] = urls.database(f"zixly_{role}")
    if kind in USES_DAGSTER:
        fixed["ZIXLY_DAGSTER_DATABASE_URL"] = urls.database(DAGSTER, name="dagster", driver="postgresql+psycopg2")
    if kind in USES_QUEUE:
        fixed["ZIXLY_QUEUE_URL"] = urls.queue
    if kind in USES_BROKER:
        fixed["ZIXLY_BROKER_URL"] = urls.broker
    if kind in USES_SEALED_SECRETS:
        fixed["ZIXLY_SECRETS_KEY_FILE"] = str(home.key_file)
    if kind in USES_OBJECTS:
        fixed["ZIXLY_OBJECTS_URL"] = f"file://{home.objects}"
    return fixed


def prepare_dagster_home(home: Home, *, source: Path = ROOT / "dagster.yaml") -> None:
    """Dagster reads its instance's file from its home folder; ours is the repository's, linked."""
    link = home.dagster / "dagster.yaml"
    if link.is_symlink() or link.exists():
        link.unlink()
    link.symlink_to(source)
