"""Tokens sealed in the row of their grant: the database alone opens nothing (secret_box.py)."""

from __future__ import annotations

from uuid import UUID

from zixly_core.errors import Permanent
from zixly_core.secret_box import SecretBox
from zixly_core.token_store import KeptTokens, TokenSet, packed, unpacked


class SealedTokens:
    """`TokenVault` without another service."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def keep(self, grant_id: UUID, tokens: TokenSet) -> KeptTokens:
        return KeptTokens(ciphertext=self._box.seal(packed(tokens), context=str(grant_id)))

    def kept(self, grant_id: UUID, where: KeptTokens) -> TokenSet:
        if where.ciphertext is None:
            text = f"The tokens of grant {grant_id} lie in Secrets Manager; set ZIXLY_TOKENS_URL to secretsmanager://... to use them."
            raise Permanent(text, reason="other_token_store")
        return unpacked(self._box.open(where.ciphertext, context=str(grant_id)))

    def forget(self, grant_id: UUID, where: KeptTokens) -> None:
        """They go with their row."""
