"""A provider's keys and what it signs with them."""

from __future__ import annotations

import hmac
import json
import warnings
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from zixly_core.openid.keys import signing_keys

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ISSUER, CLIENT_ID, AUDIENCE, NONCE = "https://login.example.com", "zixly", "zixly-api", "the-nonce"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed-1", "use": "sig"})
ANOTHERS = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})


class Published:
    """Keys that are known already."""

    def __init__(self, *keys: Key) -> None:
        self._keys = signing_keys({"keys": [key.as_dict(private=False) for key in keys]})

    def key(self, kid: str | None) -> Key | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)


def signed(claims: dict[str, Any], *, key: Key = RSA, alg: str = "RS256", **header: Any) -> str:
    told = {"alg": alg, "kid": key.kid, **header}
    header = {name: value for name, value in told.items() if value is not None}
    with warnings.catch_warnings():  # the library's, about EdDSA
        warnings.simplefilter("ignore")
        return jwt.encode(header, claims, key, algorithms=[alg])


def signed_by_public_key(claims: dict[str, Any]) -> str:
    """What an attacker makes who takes the public key, which everybody can fetch, for a secret of HMAC. joserfc itself refuses to."""
    parts = ({"alg": "HS256", "kid": RSA.kid}, claims)
    text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    digest = hmac.digest(RSA.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def id_claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    good = {"iss": ISSUER, "sub": "ada", "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": NONCE}
    return {name: value for name, value in (good | changes).items() if value is not None}


def access_claims(**changes: Any) -> dict[str, Any]:
    return id_claims(**({"aud": AUDIENCE, "nonce": None} | changes))


def logout_claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    good = {"iss": ISSUER, "sub": "ada", "sid": "s1", "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": "j1", "events": event}
    return {name: value for name, value in (good | changes).items() if value is not None}
