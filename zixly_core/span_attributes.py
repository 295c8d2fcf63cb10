"""What spans may say: known names, and values that hold no payload, secret or personal data.

The names are OpenTelemetry's where it has one (opentelemetry.io/docs/specs/semconv), else begin with `zixly`. A value is told if its
type says that it is an id, a number or one of our words; texts are masked and cut, anything else is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from zixly_core.redaction import masked

LONGEST_TEXT = 120

ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.batch.message_count",
        "messaging.destination.name",
        "messaging.operation.type",
        "messaging.system",
        "server.address",
        "server.port",
        "url.template",
        "zixly.batch.id",
        "zixly.delivery.id",
        "zixly.job.attempt",
        "zixly.job.id",
        "zixly.job.status",
        "zixly.lane",
        "zixly.op",
        "zixly.reason",
        "zixly.run.end",
        "zixly.run.id",
        "zixly.system",
        "zixly.tenant.id",
        "zixly.verdict",
        "zixly.workflow",
    }
)

Told = str | int | float | bool


def told_attributes(attributes: Mapping[str, Any]) -> dict[str, Told]:
    """Those that may be told, as they are told."""
    told = {name: told_value(value) for name, value in attributes.items() if name in ATTRIBUTES}
    return {name: value for name, value in told.items() if value is not None}


def told_value(value: Any) -> Told | None:
    match value:
        case bool() | int() | float():
            return value
        case UUID():
            return str(value)
        case str():
            return masked(str(value))[:LONGEST_TEXT]
        case _:
            return None
