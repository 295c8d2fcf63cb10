"""The machine as metrics: room on the disks of folders that grow, and how long certificates still hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography.x509 import load_pem_x509_certificates
from prometheus_client import Metric

from zixly_core import metrics
from zixly_core.errors import SettingsError
from zixly_core.metrics import gauge_family
from zixly_core.setting_addresses import parts_of
from zixly_core.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class Watched:
    """Folders and files with certificates, by the name under which they are told."""

    folders: Mapping[str, Path] = field(default_factory=dict)
    certificates: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Watched:
        """Raises `SettingsError`. Objects that are a folder are watched without being named."""
        objects = parts_of(settings.objects_url or "", setting="ZIXLY_OBJECTS_URL")
        own = {"objects": Path(objects.path)} if objects.scheme == "file" else {}
        return cls(
            {**own, **named(settings.watched_folders, setting="ZIXLY_WATCHED_FOLDERS")},
            named(settings.watched_certificates, setting="ZIXLY_WATCHED_CERTIFICATES"),
        )


def named(text: str, *, setting: str) -> dict[str, Path]:
    """`name=/path, ...` as a mapping."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if any(not name or not path for name, _, path in pairs):
        raise SettingsError(f"{setting} is wrong: it takes name=/path, separated by commas")
    return {name: Path(path) for name, _, path in pairs}


def disk_families(watched: Watched) -> Iterable[Metric]:
    """A folder that is not there (yet) is left out."""
    free, size = gauge_family(metrics.DISK_FREE), gauge_family(metrics.DISK_SIZE)
    for place, folder in watched.folders.items():
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue
        free.add_metric([place], usage.free)
        size.add_metric([place], usage.total)
    return free, size


def certificate_family(watched: Watched) -> Metric:
    """A file that holds no certificate is left out, and a log line says so."""
    left = gauge_family(metrics.CERTIFICATE_LEFT)
    for name, file in watched.certificates.items():
        try:
            ends = min(one.not_valid_after_utc for one in load_pem_x509_certificates(file.read_bytes()))
        except (OSError, ValueError) as error:
            log.warning("certificate_not_read", name=name, error_type=type(error).__name__)
            continue
        left.add_metric([name], (ends - datetime.now(UTC)).total_seconds())
    return left
