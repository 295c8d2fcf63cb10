"""Where the keys come from that seal secrets, looked at again while the process runs, so that a new key needs no restart.

A file is read again as soon as it changed. A setting that names a secret in AWS Secrets Manager is asked for every five minutes
(secret_references.py), and at once when something was sealed with a key that is not known yet. A plain setting stays as it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from zixly_core.errors import SettingsError, ZixlyError
from zixly_core.secret_references import Secret
from zixly_core.secrets.key_file import read_key_file
from zixly_core.secrets.keys import SecretKey, keys_in

log = structlog.get_logger()
SETTING = "ZIXLY_SECRETS_KEY"
# Seconds. A row sealed with a key that is lost would otherwise ask Secrets Manager each time it is met.
LEAST_BETWEEN = 30.0

Mark = tuple[int, int, int]


class KeySource(Protocol):
    """Gives the same tuple for as long as nothing changed."""

    def keys(self) -> tuple[SecretKey, ...]:
        """The keys as they are known now, newest first, at least one. Never raises once they were read."""

    def keys_anew(self) -> tuple[SecretKey, ...]:
        """The same after looking where they come from: one was missed."""


class FixedKeys:
    """Keys that never change."""

    def __init__(self, keys: Sequence[SecretKey]) -> None:
        if not keys:
            raise SettingsError("A box for secrets needs at least one key")
        self._keys = tuple(keys)

    def keys(self) -> tuple[SecretKey, ...]:
        return self._keys

    def keys_anew(self) -> tuple[SecretKey, ...]:
        return self._keys


class FileKeys:
    """The keys of a file, read again when it changed. A file that is gone or wrong changes nothing, and is told of once."""

    def __init__(self, path: Path) -> None:
        """Raises `SettingsError`."""
        self._path = path
        self._mark = mark_of(path)
        self._keys = read_key_file(path)
        self._lock = threading.Lock()

    def keys(self) -> tuple[SecretKey, ...]:
        if mark_of(self._path) != self._mark:
            self._reread()
        return self._keys

    def keys_anew(self) -> tuple[SecretKey, ...]:
        return self.keys()

    def _reread(self) -> None:
        with self._lock:
            self._mark = mark_of(self._path)  # before reading: a change in between is seen the next time
            try:
                self._keys = read_key_file(self._path)
            except SettingsError as error:
                log.warning("keys_not_read", reason=error.reason, error=str(error))
            else:
                log.info("keys_read", keys=len(self._keys), newest=self._keys[0].id.hex())


def mark_of(path: Path) -> Mark | None:
    """What differs when a file was replaced or written."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class SettingKeys:
    """The keys of a setting. Where it names a secret, those of the value before its last rotation still open."""

    def __init__(self, setting: Secret, *, now: Callable[[], float] = time.monotonic) -> None:
        """Raises `SettingsError`, and `Transient` when Secrets Manager is away."""
        self._setting = setting
        self._now = now
        self._asked_at = now()
        self._texts = setting.accepted_values()
        self._keys = keys_of_texts(self._texts)

    def keys(self) -> tuple[SecretKey, ...]:
        try:
            texts = self._setting.accepted_values()
            if texts != self._texts:
                self._texts, self._keys = texts, keys_of_texts(texts)
        except ZixlyError as error:
            log.warning("keys_not_read", reason=error.reason)
        return self._keys

    def keys_anew(self) -> tuple[SecretKey, ...]:
        if self._setting.is_reference and self._now() - self._asked_at >= LEAST_BETWEEN:
            self._asked_at = self._now()
            self._setting.forget()
        return self.keys()


def keys_of_texts(texts: Sequence[str]) -> tuple[SecretKey, ...]:
    """The keys of all texts, each once."""
    return tuple(dict.fromkeys(key for text in texts for key in keys_in(text, source=SETTING)))
