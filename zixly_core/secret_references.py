"""Secrets that a setting only names: `secretsmanager://name[?region=...&endpoint=...][#json-key]` in AWS Secrets Manager.

A reference is resolved when its value is first needed and kept in the process. After a rotation in Secrets Manager the new value is
taken within `FRESH`; the one before stays accepted where senders sign, since they change at another moment than we do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson
import structlog
from pydantic import GetCoreSchemaHandler, SecretStr
from pydantic_core import CoreSchema, core_schema

from zixly_core.errors import SettingsError, ZixlyError
from zixly_core.setting_addresses import parts_of

SCHEME = "secretsmanager://"
# Seconds. Secrets Manager is asked this seldom for each reference, and a rotation is noticed this late at most.
FRESH = 300.0
# AWS's library is imported only where a reference is used.
MANAGER = "zixly_core.secrets.manager"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SecretReference:
    """Where a secret is. With `key`, the secret is a JSON object and the value one of its fields."""

    name: str
    key: str | None
    region: str | None
    endpoint: str | None

    @classmethod
    def of(cls, text: str) -> SecretReference:
        """Raises `SettingsError` for a reference without a name."""
        parts = parts_of(text, setting=f"A setting that begins with {SCHEME}")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        name = (parts.netloc + parts.path).strip("/")
        if not name:
            raise SettingsError(f"A setting begins with {SCHEME} and names no secret; write {SCHEME}name#field")
        return cls(name=name, key=parts.fragment or None, region=options.get("region"), endpoint=options.get("endpoint"))


@dataclass(frozen=True)
class SecretValues:
    """A secret's present value, and the one before its last rotation."""

    current: str = field(repr=False)
    previous: str | None = field(repr=False)


class Reads(Protocol):
    """What is used of `SecretsManager`."""

    def staged(self, name: str, *, stage: str = ...) -> str | None: ...


def manager_of(reference: SecretReference) -> Reads:
    manager: Reads = import_module(MANAGER).SecretsManager.at(region=reference.region, endpoint=reference.endpoint)
    return manager


class SecretReferences:
    """The resolved references of a process. Safe to share between threads; a known value is given without waiting."""

    def __init__(self, open_manager: Callable[[SecretReference], Reads] = manager_of, *, now: Callable[[], float] = time.monotonic) -> None:
        self._open_manager = open_manager
        self._now = now
        self._known: dict[str, tuple[SecretValues, float]] = {}
        self._looking: set[str] = set()
        self._lock = threading.Lock()

    def values(self, text: str) -> SecretValues:
        """The values of a reference. The first time it is asked for; later, when what is known is older than `FRESH`, it is asked
        for in the background, and what is known goes on being used as long as Secrets Manager is away.

        Raises `SettingsError` when there is no such secret or field, `Transient` when it cannot be read for the first time.
        """
        known = self._known.get(text)
        if known is None:
            return self._read(text)
        if self._now() - known[1] > FRESH:
            self._look_again(text)
        return known[0]

    def forget(self, text: str) -> None:
        """Ask anew the next time: the value was refused."""
        self._known.pop(text, None)

    def _look_again(self, text: str) -> None:
        with self._lock:
            if text in self._looking:
                return
            self._looking.add(text)
        threading.Thread(target=self._reread, args=(text,), name="secret-reference", daemon=True).start()

    def _reread(self, text: str) -> None:
        try:
            self._read(text)
        except ZixlyError as error:
            log.warning("secret_not_read", secret_name=SecretReference.of(text).name, reason=error.reason)
        finally:
            with self._lock:
                self._looking.discard(text)

    def _read(self, text: str) -> SecretValues:
        reference = SecretReference.of(text)
        manager = self._open_manager(reference)
        current = manager.staged(reference.name)
        if current is None:
            raise SettingsError(f"Secrets Manager has no secret {reference.name}, which a setting names")
        previous = manager.staged(reference.name, stage="AWSPREVIOUS")
        values = SecretValues(value_in(current, reference), None if previous is None else value_or_none(previous, reference))
        self._known[text] = (values, self._now())
        return values


def value_in(text: str, reference: SecretReference) -> str:
    value = value_or_none(text, reference)
    if value is None:
        raise SettingsError(f"The secret {reference.name} in Secrets Manager has no text field {reference.key!r}, which a setting names")
    return value


def value_or_none(text: str, reference: SecretReference) -> str | None:
    if reference.key is None:
        return text
    try:
        document: Mapping[str, Any] = orjson.loads(text)
        value = document.get(reference.key)
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return value if isinstance(value, str) else None


references = SecretReferences()


class Secret(SecretStr):
    """A secret setting: its value, or a reference to one. Takes a plain `SecretStr` too."""

    @property
    def is_reference(self) -> bool:
        return self._secret_value.startswith(SCHEME)

    def get_secret_value(self) -> str:
        """The value; the present one where it is a reference. Raises as `SecretReferences.values`."""
        text = super().get_secret_value()
        return references.values(text).current if text.startswith(SCHEME) else text

    def accepted_values(self) -> tuple[str, ...]:
        """The present value, and the one before its last rotation, which senders may still sign with. Raises as above."""
        text = super().get_secret_value()
        if not text.startswith(SCHEME):
            return (text,)
        values = references.values(text)
        return (values.current,) if values.previous in {None, values.current} else (values.current, str(values.previous))

    def forget(self) -> None:
        """Ask for the value anew the next time, where it is a reference: it was refused."""
        references.forget(super().get_secret_value())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        def of_plain(value: object) -> object:
            return cls(value.get_secret_value()) if isinstance(value, SecretStr) and not isinstance(value, cls) else value

        return core_schema.no_info_before_validator_function(of_plain, super().__get_pydantic_core_schema__(source, handler))
