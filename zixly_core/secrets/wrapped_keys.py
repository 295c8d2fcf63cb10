"""Keys wrapped by a key-encryption key that never leaves its service: what is written down opens nothing by itself.

A wrapped key is `awskms:KEY?region=REGION&endpoint=URL#WRAPPED`. The service is asked once for each key and process; sealing and
opening need it no more.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Protocol
from urllib.parse import parse_qs, quote, unquote, urlencode

from zixly_core.errors import SettingsError, ZixlyError
from zixly_core.setting_addresses import parts_of

WRAPPED = "awskms:"
# AWS's library is imported only where a wrapped key is used.
KMS = "zixly_core.secrets.kms"


class KeyWrapper(Protocol):
    """A service that holds a key-encryption key."""

    def wrapped(self, key: bytes) -> bytes:
        """The key as it may be written down. Raises `Transient` or `Permanent`."""

    def unwrapped(self, wrapped: bytes) -> bytes:
        """The key. Raises as `wrapped`."""


@dataclass(frozen=True)
class WrappingKey:
    """Which key of AWS KMS wraps: an id, an ARN or `alias/NAME`."""

    name: str
    region: str | None
    endpoint: str | None

    @classmethod
    def of(cls, text: str) -> WrappingKey:
        """From `awskms:KEY?region=...`, with or without something wrapped behind it. Raises `SettingsError`."""
        parts = parts_of(text, setting=f"A key that begins with {WRAPPED}")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not text.startswith(WRAPPED) or not parts.path:
            raise SettingsError(f"A key of AWS KMS is written {WRAPPED}KEY?region=REGION")
        return cls(name=unquote(parts.path), region=options.get("region"), endpoint=options.get("endpoint"))

    def holding(self, wrapped: bytes) -> str:
        """What is written down for a key that this one has wrapped: no comma and no white space, which stand between keys."""
        options = urlencode({name: value for name, value in (("region", self.region), ("endpoint", self.endpoint)) if value})
        where = quote(self.name, safe="/:") + (f"?{options}" if options else "")
        return f"{WRAPPED}{where}#{base64.urlsafe_b64encode(wrapped).decode()}"

    def wrapper(self) -> KeyWrapper:
        wrapper: KeyWrapper = import_module(KMS).Kms.at(self)
        return wrapper


@lru_cache(maxsize=32)
def unwrapped(text: str) -> bytes:
    """The key that a wrapped text holds. Raises `SettingsError`: without it the process has nothing to begin with."""
    wrapping_key = WrappingKey.of(text)
    try:
        wrapped = base64.b64decode(text.partition("#")[2], altchars=b"-_", validate=True)
        return wrapping_key.wrapper().unwrapped(wrapped)
    except binascii.Error:
        raise SettingsError(f"What {wrapping_key.name} has wrapped is not whole; copy it again from where it was made") from None
    except ZixlyError as error:
        raise SettingsError(f"A key that seals secrets could not be unwrapped: {error}") from error
