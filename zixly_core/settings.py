"""Settings: environment variables with the prefix `ZIXLY_`, read once at the edge. `.env.example` lists them all."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from zixly_core.errors import SettingsError
from zixly_core.secret_references import SCHEME, Secret
from zixly_core.setting_addresses import HOW, is_readable
from zixly_core.setting_names import PREFIX, refuse_unknown

# What an address of Postgres, and one of the workers' queue, begins with.
POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg2://", "postgresql+psycopg://")
REDIS = ("redis://", "rediss://", "unix://", "memory://")
ROLES = ("owner", "intake", "api", "dispatch", "runs", "metrics", "retention", "reseal")
DATABASE_URLS = ("dagster_database_url", *(f"database_url_{role}" for role in ROLES))


class Settings(BaseSettings):
    """All settings with their defaults. A process needs only the ones it uses; `required` names what is missing."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    environment: Literal["local", "production"] = "local"
    home: Path = Path(".zixly")

    database_url_owner: Secret | None = None
    database_url_intake: Secret | None = None
    database_url_api: Secret | None = None
    database_url_dispatch: Secret | None = None
    database_url_runs: Secret | None = None
    database_url_metrics: Secret | None = None
    database_url_retention: Secret | None = None
    database_url_reseal: Secret | None = None
    dagster_database_url: Secret | None = None

    queue_url: Secret = Secret("memory://")
    broker_url: Secret | None = None
    objects_url: str | None = None
    secrets_key: Secret | None = None
    secrets_key_file: Path | None = None
    tokens_url: str = "postgres:"

    bridge_host: str = "127.0.0.1"
    bridge_port: int = 3000
    bridge_public_url: str = "http://127.0.0.1:3000"
    bridge_workers: int = Field(default=1, ge=1, le=64)
    bridge_tls_certificate: Path | None = None
    bridge_tls_key: Path | None = None
    bridge_tls_clients: Path | None = None
    api_token: Secret | None = None
    sign_in: Literal["required", "open"] | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: Secret | None = None
    oidc_audience: str | None = None
    max_body_bytes: int = Field(default=10_000_000, ge=1_000)
    limits_url: Secret | None = None
    api_requests_per_minute: int = Field(default=100, ge=1)
    unknown_requests_per_minute: int = Field(default=60, ge=1)
    unsigned_requests_per_minute: int = Field(default=600, ge=1)
    sign_ins_per_minute: int = Field(default=10, ge=1)
    trusted_proxies: str = ""
    outgoing_hosts: str = ""
    cors_origins: str = ""
    dagster_webserver_url: str = "http://127.0.0.1:3002"
    trust_gateway: bool = False
    webserver_port: int = 3002
    code_port: int = 3003
    sandbox_port: int = 3900
    sandbox_url: str = "http://127.0.0.1:3900"

    xero_webhook_keys: Secret | None = None
    xero_client_id: str | None = None
    xero_client_secret: Secret | None = None
    xero_api_url: str = "https://api.xero.com/api.xro/2.0"
    xero_identity_url: str = "https://identity.xero.com"
    xero_login_url: str = "https://login.xero.com"
    xero_connections_url: str = "https://api.xero.com/connections"
    xero_app_url: str = "https://go.xero.com"
    hubspot_client_id: str | None = None
    hubspot_client_secret: Secret | None = None
    hubspot_api_url: str = "https://api.hubapi.com"
    hubspot_api_version: str = "2026-09"
    hubspot_authorize_url: str = "https://app.hubspot.com/oauth/authorize"
    hubspot_app_url: str = "https://app.hubspot.com"
    hubspot_app_secrets: Secret | None = None
    shopify_client_id: str | None = None
    shopify_client_secret: Secret | None = None
    shopify_app_secrets: Secret | None = None
    shopify_api_url: str = "https://{shop}"
    shopify_api_version: str = "2026-10"
    shopify_admin_url: str = "https://admin.shopify.com"
    asana_client_id: str | None = None
    asana_client_secret: Secret | None = None
    asana_api_url: str = "https://app.asana.com/api/1.0"
    asana_oauth_url: str = "https://app.asana.com"
    asana_app_url: str = "https://app.asana.com"
    sweeps_api_url: str = "http://127.0.0.1:3900/sweeps"

    lease_seconds: float = Field(default=60, gt=1)
    heartbeat_seconds: float = Field(default=15, gt=0.1)
    handover_timeout_seconds: float = Field(default=45, gt=1)
    max_attempts: int = Field(default=3, ge=1, le=20)
    backoff_base_seconds: float = Field(default=2, gt=0)
    attempt_timeout_seconds: float = Field(default=3600, gt=1)
    max_batch: int = Field(default=160, ge=1, le=200)
    max_open_batches: int = Field(default=32, ge=1)
    max_open_jobs: int = Field(default=1280, ge=1)
    worker_slots: int = Field(default=4, ge=1, le=64)
    total_slots: int = Field(default=4, ge=1)
    metrics_token: Secret | None = None
    metrics_host: str = "127.0.0.1"
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    daemon_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    watched_folders: str = ""
    watched_certificates: str = ""

    watch_patience_seconds: float = Field(default=540, gt=0)

    payload_days: int = Field(default=90, ge=1)
    keep_years: int = Field(default=7, ge=1)
    dedupe_days: int = Field(default=90, ge=7)
    rejected_days: int = Field(default=30, ge=1)

    notify_webhook_url: Secret | None = None
    smtp_url: Secret | None = None
    notify_from: str | None = None
    notify_slack_hosts: str = ""
    notify_time_zone: str = "Australia/Brisbane"
    notify_gather_seconds: float = Field(default=10, ge=0, le=60)
    notify_settle_seconds: float = Field(default=300, ge=0)
    notify_quiet_seconds: float = Field(default=3600, ge=0)
    notify_reminder_seconds: float = Field(default=14400, ge=1)
    notify_max_attempts: int = Field(default=12, ge=1, le=100)
    runbook_url: str = "docs/operations.md"
    reports_path: Path | None = None
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    trace_vendors: bool = True
    otlp_url: str | None = None
    otlp_headers: Secret | None = None
    otlp_ratio: float = Field(default=1, ge=0, le=1)

    @field_validator(*DATABASE_URLS, "broker_url", mode="before")
    @classmethod
    def looks_like_an_address(cls, value: object, info: ValidationInfo) -> object:
        """The drivers would say so too, but each in a way of its own, and some with the address, which holds a password."""
        schemes = REDIS if info.field_name == "broker_url" else POSTGRES
        if isinstance(value, str) and not value.startswith((*schemes, SCHEME)):
            raise ValueError(f"it must begin with {schemes[0]}")
        return value

    @field_validator("broker_url", "queue_url", "limits_url", "objects_url", "tokens_url", mode="before")
    @classmethod
    def can_be_taken_apart(cls, value: object) -> object:
        if isinstance(value, str) and not value.startswith(SCHEME) and not is_readable(value):
            raise ValueError(f"it cannot be read as an address; {HOW}")
        return value

    @field_validator("sign_in")
    @classmethod
    def is_never_open_in_production(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value == "open" and info.data.get("environment") != "local":
            raise ValueError("open would let everybody in; it is for ZIXLY_ENVIRONMENT=local only")
        return value

    @property
    def asks_to_sign_in(self) -> bool:
        """Whether the API is closed to whoever proves nothing: unless said otherwise, as soon as there is anything to prove."""
        if self.sign_in is not None:
            return self.sign_in == "required"
        return self.environment != "local" or self.oidc_issuer is not None or self.api_token is not None

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    def required(self, name: str) -> str:
        """The value of a setting that this process cannot do without; `SettingsError` names the variable when it is missing."""
        value = getattr(self, name)
        if value is None:
            raise SettingsError(f"ZIXLY_{name.upper()} is not set, and this process needs it; see .env.example")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    def reread(self, name: str) -> str:
        """The value of a secret setting, asked for anew where a secret manager holds it: the one known was refused."""
        value = getattr(self, name)
        if isinstance(value, Secret):
            value.forget()
        return self.required(name)


def read_settings() -> Settings:
    """The settings from the environment; a wrong value or an unknown name stops the start with one sentence naming the variable."""
    refuse_unknown(os.environ, settings=Settings.model_fields)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "ZIXLY_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is wrong: {first['msg']}") from None


def settings_now() -> Settings:
    """`read_settings` for code that asks again and again, such as an op: read once for as long as the environment stays the same."""
    environment = getattr(os.environ, PLAIN, None) or dict(os.environ)
    kept = _kept.get(PLAIN)
    if kept is None or kept[0] != environment:
        kept = _kept[PLAIN] = (dict(environment), _settings_of(ours_of_environment()))
    return kept[1]


def ours_of_environment() -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in os.environ.items() if name.startswith(PREFIX))


@lru_cache(maxsize=4)
def _settings_of(environment: frozenset[tuple[str, str]]) -> Settings:
    return read_settings()


# The dictionary behind `os.environ`. A link to a record asks for its host, so this is asked several times for each job, and going
# through `os.environ` itself was an eighth of a worker's CPU.
PLAIN = "_data"
_kept: dict[str, tuple[dict[object, object], Settings]] = {}
