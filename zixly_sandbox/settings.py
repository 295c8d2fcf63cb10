"""Settings of the sandbox's process."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from zixly_core.errors import SettingsError
from zixly_sandbox.constants import APP, DEFAULT_SEED, WEBHOOK_KEY


class SandboxSettings(BaseSettings):
    """Environment variables with the prefix `ZIXLY_`; some are other processes' too."""

    model_config = SettingsConfigDict(env_prefix="ZIXLY_", extra="ignore", env_ignore_empty=True)

    sandbox_port: int = Field(default=3900, ge=1, le=65535)
    sandbox_host: str = "127.0.0.1"
    sandbox_url: str | None = None
    """Where others know the sandbox; this machine where it is not set."""
    sandbox_target_url: str | None = None
    """The bridge to which it sends its webhooks; the one on this machine where it is not set."""
    sandbox_seed: int = DEFAULT_SEED
    sandbox_latency_seconds: float = Field(default=0, ge=0, le=10)
    bridge_port: int = 3000
    bridge_public_url: str | None = None
    """Where the vendors know the bridge; HubSpot signs over it. The bridge on this machine where it is not set."""
    xero_webhook_keys: SecretStr = SecretStr(WEBHOOK_KEY)
    """Separated by commas; the sandbox signs with the first."""
    hubspot_app_secrets: SecretStr | None = None
    hubspot_client_secret: SecretStr = SecretStr(APP.client_secret)
    """HubSpot signs with the first of the app's secrets, else with the client secret."""
    shopify_app_secrets: SecretStr | None = None
    shopify_client_secret: SecretStr = SecretStr(APP.client_secret)
    """Shopify signs with the first of the app's secrets, else with the client secret."""
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def base_url(self) -> str:
        return self.sandbox_url or f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def bridge_url(self) -> str:
        return (self.sandbox_target_url or f"http://127.0.0.1:{self.bridge_port}").rstrip("/")

    @property
    def target_url(self) -> str:
        return f"{self.bridge_url}/webhook/xero"

    @property
    def hubspot_url(self) -> str:
        return f"{self.bridge_url}/webhook/hubspot"

    @property
    def hubspot_public_url(self) -> str:
        return f"{self.bridge_public_url.rstrip('/')}/webhook/hubspot" if self.bridge_public_url else self.hubspot_url

    @property
    def hubspot_signing_secret(self) -> str:
        found = self.hubspot_app_secrets or self.hubspot_client_secret
        return found.get_secret_value().split(",")[0].strip()

    @property
    def shopify_url(self) -> str:
        return f"{self.bridge_url}/webhook/shopify"

    @property
    def shopify_signing_secret(self) -> str:
        found = self.shopify_app_secrets or self.shopify_client_secret
        return found.get_secret_value().split(",")[0].strip()

    @property
    def signing_key(self) -> str:
        return self.xero_webhook_keys.get_secret_value().split(",")[0].strip()


def read_sandbox_settings() -> SandboxSettings:
    """Raises `SettingsError` with one sentence that names the variable."""
    try:
        return SandboxSettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"ZIXLY_{str(first['loc'][0]).upper()} is wrong: {first['msg']}") from None
