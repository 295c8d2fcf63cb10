"""Tokens in AWS Secrets Manager, one secret for each grant; lock and version stay in the grant's row in Postgres.

Each exchange writes a new version of the secret, which gets an id of its own, and the row then names that id. Versions never change, so
what a worker wrote that had lost its lock, or died before its row was committed, is a version that nobody reads.
"""

from __future__ import annotations

from uuid import UUID

from zixly_core.aws import AwsAddress
from zixly_core.errors import Permanent, SettingsError
from zixly_core.secrets.manager import SecretsManager
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.token_store import KeptTokens, TokenSet, packed, unpacked


def open_from_url(url: str, *, sealed: SealedTokens | None) -> ManagedTokens:
    """The vault of `secretsmanager://prefix?endpoint=...&region=...`. Raises `SettingsError` without a prefix."""
    address = AwsAddress.of(url, setting="ZIXLY_TOKENS_URL")
    prefix = f"{address.host}/{address.path}".strip("/")
    if not prefix:
        raise SettingsError("ZIXLY_TOKENS_URL names no prefix; write secretsmanager://prefix")
    manager = SecretsManager.at(region=address.options.get("region"), endpoint=address.options.get("endpoint"))
    return ManagedTokens(manager, prefix=prefix, sealed=sealed)


class ManagedTokens:
    """`TokenVault` over Secrets Manager. Tokens that are still sealed in their row are read there, and move at their next exchange."""

    def __init__(self, manager: SecretsManager, *, prefix: str, sealed: SealedTokens | None) -> None:
        self._manager = manager
        self._prefix = prefix
        self._sealed = sealed

    def keep(self, grant_id: UUID, tokens: TokenSet) -> KeptTokens:
        return KeptTokens(secret_version=self._manager.put(self._name_of(grant_id), packed(tokens).decode()))

    def kept(self, grant_id: UUID, where: KeptTokens) -> TokenSet:
        if where.secret_version is None and self._sealed is not None:
            return self._sealed.kept(grant_id, where)
        text = self._manager.at_version(self._name_of(grant_id), version=where.secret_version) if where.secret_version else None
        if text is None:
            message = f"Secrets Manager has no tokens of grant {grant_id} under {self._prefix}; connect the account again."
            raise Permanent(message, reason="tokens_missing")
        return unpacked(text.encode())

    def forget(self, grant_id: UUID, where: KeptTokens) -> None:
        if where.secret_version is not None:
            self._manager.delete(self._name_of(grant_id))

    def _name_of(self, grant_id: UUID) -> str:
        return f"{self._prefix}/{grant_id}"
