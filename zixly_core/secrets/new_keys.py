"""Making keys: plain ones, or wrapped by a key of AWS KMS."""

from __future__ import annotations

import os
from collections.abc import Callable

from zixly_core.secrets.keys import KEY_BYTES, SecretKey
from zixly_core.secrets.wrapped_keys import WrappingKey


def new_key(*, wrapping: str | None = None, random_bytes: Callable[[int], bytes] = os.urandom) -> SecretKey:
    """A new key; with `wrapping`, a text such as `awskms:alias/zixly?region=ap-southeast-2`, wrapped by that key. Raises
    `SettingsError`, `Transient` or `Permanent`."""
    value = random_bytes(KEY_BYTES)
    if wrapping is None:
        return SecretKey(value)
    wrapping_key = WrappingKey.of(wrapping)
    return SecretKey(value, wrapped=wrapping_key.holding(wrapping_key.wrapper().wrapped(value)))


def like(key: SecretKey, *, random_bytes: Callable[[int], bytes] = os.urandom) -> SecretKey:
    """A new key that is kept as this one is: wrapped by the same key, or plain."""
    return new_key(wrapping=key.wrapped and key.wrapped.partition("#")[0], random_bytes=random_bytes)
