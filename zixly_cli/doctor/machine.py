"""What would stop `zixly up` on this machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from zixly_cli.control import status_rows
from zixly_cli.doctor.findings import Check, words_of
from zixly_cli.settings import ROOT, StackSettings
from zixly_cli.stack.ports import refuse_taken_ports
from zixly_cli.stack.postgres_binaries import find_binaries
from zixly_cli.stack.server_user import server_user
from zixly_cli.stack.valkey import find_valkey
from zixly_core.errors import SettingsError
from zixly_core.setting_names import refuse_unknown
from zixly_core.settings import Settings


def machine_checks(variables: Mapping[str, str], settings: StackSettings) -> list[Check]:
    """Programs, files and ports."""
    return [
        Check("python", lambda: sys.version.split()[0], "Install Python 3.11 or newer and set PYTHON=... for make."),
        Check("settings", lambda: check_variables(variables), "Mend the name in the environment or in .env."),
        Check("postgres", lambda: describe_postgres(settings), "Run `make setup`, or point ZIXLY_PG_BIN at the programs of a Postgres."),
        Check("valkey", lambda: str(find_valkey(settings.valkey_bin)), "Run `make setup`, or point ZIXLY_VALKEY_BIN at a valkey-server."),
        Check("files", check_files, "Run zixly from a checkout of the repository."),
        Check("ports", lambda: check_ports(settings), "Set another port, such as ZIXLY_BRIDGE_PORT=4000, or stop what holds it."),
    ]


def check_variables(variables: Mapping[str, str]) -> str:
    """Processes refuse a misspelt variable too, each of those that it has in its environment."""
    refuse_unknown(variables, settings=Settings.model_fields)
    return f"{len(variables)} set" if variables else "all defaults"


def describe_postgres(settings: StackSettings) -> str:
    binaries = find_binaries(settings.pg_bin)
    user = server_user()
    return f"{binaries.major} in {binaries.folder}" + (f", run as {user.name}" if user else "")


def check_files() -> str:
    missing = [name for name in ("workspace.yaml", "dagster.yaml") if not (ROOT / name).is_file()]
    if missing:
        raise SettingsError(f"{' and '.join(missing)} not found in {ROOT}")
    return str(ROOT)


def check_ports(settings: StackSettings) -> str:
    if status_rows(settings):
        return "held by the stack, which is up"
    refuse_taken_ports(settings.ports())
    return words_of(settings.ports())
