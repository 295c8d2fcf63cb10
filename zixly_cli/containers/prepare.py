"""`python -m zixly_cli.containers.prepare`: the service `settings`, which runs to its end before anything else starts.

Makes what is secret where it is missing, and writes for each container a folder with what that one needs and nothing else. A wrong
setting stops it here, with one sentence naming the variable, and with it the whole start.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from zixly_cli.containers.files import gateway_files, grafana_files, postgres_files, prometheus_files, valkey_files
from zixly_cli.containers.places import ContainerPlan, plan_of
from zixly_cli.settings_of_platform import PROCESSES, refuse_wrong
from zixly_cli.stack.environment import USES_SEALED_SECRETS
from zixly_cli.stack.private_files import write_private
from zixly_core.errors import SettingsError
from zixly_core.setting_names import refuse_unknown
from zixly_core.settings import Settings

SETTINGS = Path("/settings")
# The checkout, so that names in `.env` can be looked at: compose hands on those that docker-compose.yml lists, and drops a misspelt one.
WRITTEN = Path("/checkout/.env")
PROFILES = "ZIXLY_COMPOSE_PROFILES"


def main() -> int:
    try:
        refuse_misspelt(os.environ, written=WRITTEN)
        plan = plan_of(os.environ, profiles=os.environ.get(PROFILES, ""))
        prepare(plan, folder=SETTINGS)
    except SettingsError as error:
        sys.stderr.write(f"settings: {error}\n")
        return 2
    sys.stdout.write(f"settings: written; the bridge is known as {plan.urls.public}\n")
    return 0


def refuse_misspelt(variables: Mapping[str, str], *, written: Path) -> None:
    """Raises `SettingsError` for a name that no setting has. A file that only its owner may read is not looked at, and that is said."""
    names = set(variables)
    try:
        names |= dotenv_values(written).keys() if written.is_file() else set()
    except PermissionError:
        sys.stdout.write("settings: .env may not be read by user 10001, so that misspelt names in it are not found\n")
    refuse_unknown(names, settings=Settings.model_fields)


def prepare(plan: ContainerPlan, *, folder: Path) -> None:
    """Check every container's settings, and only then write. Raises `SettingsError`."""
    kinds = (*PROCESSES, "sandbox") if plan.has_sandbox else PROCESSES
    environments = {kind: plan.environment(kind) for kind in kinds}
    refuse_wrong(environments.values())
    foreign = {
        "postgres": postgres_files(plan),
        "valkey": valkey_files(plan),
        "gateway": gateway_files(plan),
        "prometheus": prometheus_files(plan),
        "grafana": grafana_files(),
    }
    for kind, variables in environments.items():
        write_private(folder / kind / "environment", exports(variables).encode())
        if kind in USES_SEALED_SECRETS:
            copy_keys(plan, folder / kind / "secrets.key")
    for name, files in foreign.items():
        for path, text in files.items():
            write_for_another_user(folder / name / path, text)


def exports(variables: Mapping[str, str]) -> str:
    """Lines for the shell that starts a container (deploy/images/entrypoint)."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))


def copy_keys(plan: ContainerPlan, path: Path) -> None:
    write_private(path, plan.home.key_file.read_bytes())


def write_for_another_user(path: Path, text: str) -> None:
    """Stores and monitoring run as users of their own images. The volume is mounted in that one container, so its mode may be open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.new")
    written.write_text(text)
    written.chmod(0o444)
    shutil.move(written, path)


if __name__ == "__main__":
    sys.exit(main())
