"""The gateway's nginx configuration, filled from settings. Containers fill the same template with envsubst (deploy/gateway/README.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from zixly_cli.settings import PREFIX, ROOT, StackSettings
from zixly_core.errors import SettingsError

TEMPLATE = ROOT / "deploy" / "gateway" / "nginx.conf.template"
VARIABLE = re.compile(r"\$\{(ZIXLY_GATEWAY_\w+)\}")
# What nginx would read as something else than a word: a value must not end a directive or begin a variable.
UNSAFE = re.compile(r"[\s;{}$'\"\\#]")


def word(value: Any) -> Any:
    """Raises `ValueError` for what nginx would not take as one word."""
    if UNSAFE.search(str(value)) or not str(value):
        raise ValueError("it must be one word, without quotes, semicolons, braces and dollar signs")
    return value


def https_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.username:
        raise ValueError("it must be https://NAME or https://NAME:PORT, and nothing behind")
    return word(value)  # type: ignore[no-any-return]


def networks(value: str) -> str:
    """Raises `ValueError` for what is no list of networks."""
    for name in value.split(","):
        ip_network(name.strip())
    return value


Word = Annotated[str, AfterValidator(word)]
PathWord = Annotated[Path, AfterValidator(word)]
# Two places of the template that are others behind a load balancer.
HTTP_BLOCK = "http {\n"
STRANGERS = "    ssl_reject_handshake on;\n"


class GatewaySettings(BaseModel):
    """What the template needs. Every field is the variable `ZIXLY_` + its name in capitals; upstreams are HOST:PORT."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    gateway_public_url: Annotated[str, AfterValidator(https_url)] = "https://localhost:8443"
    gateway_listen: Word = "127.0.0.1:8443"
    gateway_listen_http: Word = "127.0.0.1:8080"
    gateway_certificate: PathWord | None = None
    gateway_certificate_key: PathWord | None = None
    gateway_folder: PathWord | None = None
    gateway_load_balancer: Annotated[str, AfterValidator(networks)] | None = None
    gateway_bridge: Word | None = None
    gateway_bridge_authority: PathWord | None = None
    gateway_bridge_certificate: PathWord | None = None
    gateway_bridge_certificate_key: PathWord | None = None
    gateway_dagster: Word | None = None
    gateway_dagster_read_only: Word | None = None
    gateway_grafana: Word = "127.0.0.1:3001"
    gateway_prometheus: Word = "127.0.0.1:9090"


def read_gateway_settings(variables: Mapping[str, str], stack: StackSettings) -> GatewaySettings:
    """What is not set is the embedded stack's. Raises `SettingsError` naming the variable."""
    folder = stack.home / "gateway"
    defaults = {
        "gateway_certificate": folder / "certificate.pem",
        "gateway_certificate_key": folder / "certificate.key",
        "gateway_folder": folder,
        "gateway_bridge": f"127.0.0.1:{stack.bridge_port}",
        "gateway_dagster": f"127.0.0.1:{stack.webserver_port}",
        "gateway_dagster_read_only": f"127.0.0.1:{stack.viewer_webserver_port}",
    }
    given = {name.removeprefix(PREFIX).lower(): value for name, value in variables.items() if value}
    try:
        return GatewaySettings.model_validate({**defaults, **given})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"{PREFIX}{str(first['loc'][0]).upper()} is wrong: {first['msg']}") from None


def bridge_tls(settings: GatewaySettings) -> str:
    """nginx's directives for TLS to the bridge, whose certificate must name the host of its address; empty where it speaks plainly.
    Raises `SettingsError`."""
    authority, certificate, key = (
        settings.gateway_bridge_authority,
        settings.gateway_bridge_certificate,
        settings.gateway_bridge_certificate_key,
    )
    if (certificate is None) != (key is None) or (certificate is not None and authority is None):
        raise SettingsError(f"{PREFIX}GATEWAY_BRIDGE_CERTIFICATE, its _KEY and {PREFIX}GATEWAY_BRIDGE_AUTHORITY are needed together")
    if authority is None:
        return ""
    own = [f"proxy_ssl_certificate {certificate};", f"proxy_ssl_certificate_key {key};"] if certificate else []
    host = (settings.gateway_bridge or "").rpartition(":")[0]
    named = [f"proxy_ssl_trusted_certificate {authority};", "proxy_ssl_verify on;", "proxy_ssl_server_name on;", f"proxy_ssl_name {host};"]
    return "\n  ".join(["proxy_ssl_protocols TLSv1.3;", *named, *own])


def rendered(settings: GatewaySettings, template: str) -> str:
    """The configuration. Raises `SettingsError` where the template asks for something that there is not."""
    values = {f"{PREFIX}{name.upper()}": str(value) for name, value in settings if value is not None}
    values[f"{PREFIX}GATEWAY_NAME"] = urlsplit(settings.gateway_public_url).hostname or ""
    values[f"{PREFIX}GATEWAY_BRIDGE_SCHEME"] = "https" if settings.gateway_bridge_authority else "http"
    values[f"{PREFIX}GATEWAY_BRIDGE_TLS"] = bridge_tls(settings)
    missing = sorted(set(VARIABLE.findall(template)) - values.keys())
    if missing:
        raise SettingsError(f"The gateway's template needs {', '.join(missing)}")
    return VARIABLE.sub(lambda found: values[found.group(1)], behind_load_balancer(settings, template))


def behind_load_balancer(settings: GatewaySettings, template: str) -> str:
    """The template for a gateway to which a load balancer speaks TLS: it names no host while shaking hands, so strangers are turned away
    by the name that they ask for (421), and whose request it is stands in its header. Raises `SettingsError`."""
    if settings.gateway_load_balancer is None:
        return template
    if template.count(STRANGERS) != 1 or template.count(HTTP_BLOCK) != 1:
        raise SettingsError(f"The gateway's template has no place for {PREFIX}GATEWAY_LOAD_BALANCER")
    proxies = "".join(f"  set_real_ip_from {name.strip()};\n" for name in settings.gateway_load_balancer.split(","))
    shown = "".join(f"    ssl_{name} ${{{PREFIX}GATEWAY_{name.upper()}}};\n" for name in ("certificate", "certificate_key"))
    known = f"{HTTP_BLOCK}{proxies}  real_ip_header X-Forwarded-For;\n  real_ip_recursive on;\n"
    return template.replace(HTTP_BLOCK, known).replace(STRANGERS, shown)
