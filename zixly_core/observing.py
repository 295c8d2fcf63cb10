"""What each process of ours begins with: its logs, and its spans where a collector is named."""

from __future__ import annotations

import atexit
from importlib import import_module
from typing import TextIO
from urllib.parse import urlsplit

from zixly_core.errors import SettingsError
from zixly_core.logs import configure_logs
from zixly_core.settings import Settings
from zixly_core.tracing import record_to

TRACES_PATH = "/v1/traces"  # of OTLP over HTTP, below the collector's address
OTLP = "zixly_core.otlp"


def observe(settings: Settings, *, process: str, stream: TextIO | None = None) -> None:
    """Logs (to standard output, or to `stream`) and spans of this process from now on. Raises `SettingsError`."""
    configure_logs(log_format=settings.log_format, level=settings.log_level, process=process, stream=stream)
    if settings.otlp_url is None:
        record_to(None)
        return
    url, headers = traces_url(settings.otlp_url), headers_of(settings)
    try:
        otlp = import_module(OTLP)
    except ImportError:
        raise SettingsError("ZIXLY_OTLP_URL is set, and OpenTelemetry is not installed: install zixly with its extra `tracing`") from None
    recorder = otlp.recorder_to(url, headers=headers, process=process, environment=settings.environment, ratio=settings.otlp_ratio)
    record_to(recorder)
    atexit.register(recorder.close)


def traces_url(url: str) -> str:
    """Where spans go: the address as it is where it has a path, else the usual path there. Raises `SettingsError`."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_good = None
    if not is_good:
        raise SettingsError("ZIXLY_OTLP_URL is wrong: it has the form http://collector:4318")
    if parts.username is not None or parts.query:
        raise SettingsError("ZIXLY_OTLP_URL is wrong: what authorises goes into ZIXLY_OTLP_HEADERS")
    return url if parts.path.strip("/") else url.rstrip("/") + TRACES_PATH


def headers_of(settings: Settings) -> dict[str, str]:
    """From ZIXLY_OTLP_HEADERS: `name=value`, separated by commas. Raises `SettingsError`."""
    if settings.otlp_headers is None:
        return {}
    pairs = [one.partition("=") for one in settings.required("otlp_headers").split(",") if one.strip()]
    if not all(name.strip() and mark for name, mark, _ in pairs):
        raise SettingsError("ZIXLY_OTLP_HEADERS is wrong: it has the form name=value,name=value")
    return {name.strip(): value.strip() for name, _, value in pairs}
