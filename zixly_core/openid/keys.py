"""The provider's public keys, fetched when they are needed and kept for a while; a key that is not known is looked for once a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key

from zixly_core.errors import Transient

# After so long they are asked for again, so that a key that was withdrawn is trusted no longer.
FRESH_SECONDS = 3_600.0
# While the provider is away, the last ones known are kept for so long.
STALE_SECONDS = 24 * 3_600.0
# Whoever sends tokens with made-up key names makes us ask no more often than this.
UNKNOWN_EVERY_SECONDS = 60.0
# After a failed fetch.
PAUSE_SECONDS = 5.0
MIN_RSA_BITS = 2_048
NEVER = float("-inf")


class ProviderKeys:
    """Safe to share between threads. `fetch` gives the provider's key set and raises `Transient`."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, Key] = {}
        self._fetched_at = NEVER
        self._failed_at = NEVER
        self._looked_at = NEVER

    def key(self, kid: str | None) -> Key | None:
        """The key of this name, or the only one when none is named. Raises `Transient` while the provider is away and no key is known."""
        with self._lock:
            is_new = self._refreshed_when_old()
            found = self._found(kid)
            if found is None and not is_new and self._clock() - self._looked_at >= UNKNOWN_EVERY_SECONDS:
                self._looked_at = self._clock()
                self._refresh()
                found = self._found(kid)
            return found

    def _found(self, kid: str | None) -> Key | None:
        if kid is not None:
            return self._keys.get(kid)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    def _refreshed_when_old(self) -> bool:
        age = self._clock() - self._fetched_at
        if age < FRESH_SECONDS:
            return False
        try:
            self._refresh_unless_pausing()
        except Transient:
            if age >= STALE_SECONDS:
                raise
            return False
        return True

    def _refresh_unless_pausing(self) -> None:
        if self._clock() - self._failed_at < PAUSE_SECONDS:
            raise Transient("The sign-in provider could not be reached a moment ago; try again.", reason="provider_away")
        self._refresh()

    def _refresh(self) -> None:
        try:
            self._keys = signing_keys(self._fetch())
        except Transient:
            self._failed_at = self._clock()
            raise
        self._fetched_at = self._clock()


def signing_keys(document: Mapping[str, Any]) -> dict[str, Key]:
    """The keys of a key set (RFC 7517) that may have signed a token, by name; one without a name goes by an empty one.

    Keys that we cannot use, such as those for encryption or of kinds that we do not know, are left out.
    """
    found: dict[str, Key] = {}
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        key = usable(entry)
        if key is not None:
            found[str(entry.get("kid", ""))] = key
    return found


def usable(entry: object) -> Key | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or not may_sign(entry) or is_weak(entry):
        return None
    try:
        return jwk.import_key({name: value for name, value in entry.items() if name not in PRIVATE_PARTS})
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def may_sign(entry: Mapping[str, Any]) -> bool:
    """Whether a key is of a kind that we take. Of the octet keys only Ed25519: others are for agreeing on a secret, or rare."""
    return entry.get("kty") in {"RSA", "EC"} or (entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519")


def is_weak(entry: Mapping[str, Any]) -> bool:
    """Whether a modulus is shorter than it may be; each character of it holds six bits."""
    return entry["kty"] == "RSA" and len(str(entry.get("n", ""))) * 6 < MIN_RSA_BITS


# A public key set has none of these; a key is never more to us than what verifies.
PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
