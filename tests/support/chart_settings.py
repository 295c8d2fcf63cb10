"""Which settings the chart's `settings` may hold, and what each may be: drawn from `Settings`, so that the chart's schema refuses what
the processes would refuse. `python -m tests.support.chart_settings` writes them into the schema."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from zixly_core.secret_references import Secret
from zixly_core.setting_names import PREFIX
from zixly_core.settings import Settings

SCHEMA = Path(__file__).parents[2] / "deploy" / "chart" / "zixly" / "values.schema.json"
# Set by the chart itself, or by values with names of their own; of the embedded stack and the sandbox; files that no pod has.
NOT_FOR_VALUES = frozenset(
    """environment home objects_url secrets_key_file bridge_host bridge_port bridge_public_url bridge_workers bridge_tls_certificate
    bridge_tls_key bridge_tls_clients sign_in trusted_proxies dagster_webserver_url trust_gateway webserver_port code_port sandbox_port
    sandbox_url worker_slots total_slots metrics_host worker_metrics_port daemon_metrics_port watched_folders watched_certificates
    reports_path""".split()
)
# What JSON Schema and pydantic both say about a value.
KEPT = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def is_secret(annotation: Any) -> bool:
    return annotation is Secret or (get_origin(annotation) in {Union, types.UnionType} and Secret in get_args(annotation))


def secret_settings() -> set[str]:
    """Variables that hold secrets."""
    return {variable(name) for name, field in Settings.model_fields.items() if is_secret(field.annotation)}


def variable(name: str) -> str:
    return PREFIX + name.upper()


def settings_schema() -> dict[str, dict[str, Any]]:
    """The properties of the chart's `settings`, by variable."""
    allowed = [name for name, field in Settings.model_fields.items() if name not in NOT_FOR_VALUES and not is_secret(field.annotation)]
    described = Settings.model_json_schema()["properties"]
    return {variable(name): bare(described[name]) for name in sorted(allowed)}


def bare(described: Mapping[str, Any]) -> dict[str, Any]:
    """Without defaults, titles and `null`: who does not want a setting leaves it out."""
    said = next((one for one in described.get("anyOf", []) if one.get("type") != "null"), described)
    return {name: said[name] for name in KEPT if name in said}


def write() -> None:
    schema = json.loads(SCHEMA.read_text())
    schema["properties"]["settings"]["properties"] = settings_schema()
    SCHEMA.write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    write()
