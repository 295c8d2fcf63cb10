"""`zixly doctor`: what is wrong with this machine, the stack's servers, its clocks and the way to the vendors, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping

from zixly_cli.doctor.findings import Finding, all_looked_at
from zixly_cli.doctor.machine import machine_checks
from zixly_cli.doctor.platform import Platform, platform_of
from zixly_cli.doctor.room import room_checks
from zixly_cli.doctor.servers import server_checks
from zixly_cli.doctor.transport import transport_checks
from zixly_cli.doctor.trust import trust_checks
from zixly_cli.doctor.vendors import vendor_checks
from zixly_cli.settings import read_stack_settings
from zixly_core.errors import SettingsError

__all__ = ["Finding", "examine"]

# In the order in which they are told.
CHECKS = (server_checks, room_checks, trust_checks, transport_checks, vendor_checks)
NOT_UP = "not up, so its servers, clocks and accounts were not looked at"


def examine(variables: Mapping[str, str]) -> list[Finding]:
    """Look at everything; a finding for each. Changes nothing."""
    try:
        settings = read_stack_settings(variables)
    except SettingsError as error:
        return [Finding("settings", "", str(error), "Mend the variable in the environment or in .env; .env.example lists them all.")]
    findings = all_looked_at(machine_checks(variables, settings))
    try:
        platform: Platform | None = platform_of(variables, settings)
    except SettingsError as error:
        return [*findings, Finding("values", "", str(error), "Mend the variable in the environment or in .env.")]
    if platform is None:
        return [*findings, Finding("stack", NOT_UP)]
    return [
        *findings,
        *all_looked_at([check for checks in CHECKS for check in checks(platform)]),
    ]
