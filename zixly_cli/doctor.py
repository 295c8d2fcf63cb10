"""`zixly doctor`: what would stop `zixly up` on this machine, each with what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zixly_cli.control import status_rows
from zixly_cli.settings import ROOT, SANDBOX_VARIABLES, StackSettings, read_stack_settings
from zixly_cli.stack.ports import refuse_taken_ports
from zixly_cli.stack.postgres_binaries import find_binaries
from zixly_cli.stack.server_user import server_user
from zixly_cli.stack.valkey import find_valkey
from zixly_core.errors import SettingsError
from zixly_core.settings import Settings

# Variables that are no settings of ours: what workspace.yaml and the processes of the stack are told.
OTHER_VARIABLES = SANDBOX_VARIABLES | {"ZIXLY_CODE_HOST", "ZIXLY_WORKSPACE", "ZIXLY_STACK"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `problem` None: it is well."""

    what: str
    found: str
    problem: str | None = None


def examine(variables: Mapping[str, str]) -> list[Finding]:
    """Look at everything; a finding for each."""
    try:
        settings = read_stack_settings(variables)
    except SettingsError as error:
        return [Finding("settings", "", str(error))]
    return [
        looked_at("python", lambda: sys.version.split()[0]),
        looked_at("settings", lambda: check_variables(variables)),
        looked_at("postgres", lambda: describe_postgres(settings)),
        looked_at("valkey", lambda: str(find_valkey(settings.valkey_bin))),
        looked_at("files", check_files),
        looked_at("ports", lambda: check_ports(settings)),
    ]


def looked_at(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, look())
    except SettingsError as error:
        return Finding(what, "", str(error))


def check_variables(variables: Mapping[str, str]) -> str:
    """A misspelt variable would be ignored in silence everywhere else."""
    known = {f"ZIXLY_{name.upper()}" for name in (*Settings.model_fields, *StackSettings.model_fields)} | OTHER_VARIABLES
    unknown = sorted(set(variables) - known)
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no setting has this name; .env.example lists them all")
    return f"{len(variables)} set" if variables else "all defaults"


def describe_postgres(settings: StackSettings) -> str:
    binaries = find_binaries(settings.pg_bin)
    user = server_user()
    return f"{binaries.major} in {binaries.folder}" + (f", run as {user.name}" if user else "")


def check_files() -> str:
    missing = [name for name in ("workspace.yaml", "dagster.yaml") if not (ROOT / name).is_file()]
    if missing:
        raise SettingsError(f"{' and '.join(missing)} not found in {ROOT}; run zixly from a checkout of the repository")
    return str(ROOT)


def check_ports(settings: StackSettings) -> str:
    if status_rows(settings):
        return "held by the stack, which is up"
    refuse_taken_ports(settings.ports())
    return ", ".join(f"{name} {port}" for name, port in settings.ports().items())
