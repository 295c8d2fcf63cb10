"""The outside systems. One folder each; one line here makes it real: route, settings, metric labels and contract tests follow."""

from __future__ import annotations

from zixly_core.system import System
from zixly_core.systems.callbacks.receive import CallbacksProfile
from zixly_core.systems.xero.receive import XeroProfile

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System("xero", "Xero", XeroProfile(), paths=("xero", "xero-invoice"), secrets_setting="xero_webhook_keys"),
        System(
            "callbacks",
            "Callbacks (Standard Webhooks)",
            CallbacksProfile(),
            paths=("callbacks/{token}",),
            content_types=("application/json",),
        ),
    )
}
