"""Proofs that an attacker makes up, and headers by which he claims to be somebody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

SPOOFED = {
    "X-Forwarded-User": "admin@zixly.example",
    "X-Remote-User": "admin",
    "Remote-User": "admin",
    "X-Auth-Request-User": "admin",
    "X-Auth-Request-Email": "admin@zixly.example",
    "Zixly-User": "admin@zixly.example",
    "Zixly-Role": "ADMIN",
    "Zixly-Tenant": "demo",
    "X-Forwarded-For": "127.0.0.1",
    "X-Real-Ip": "127.0.0.1",
    "Forwarded": "for=127.0.0.1;proto=https",
    "X-Original-Url": "/health",
    "X-Rewrite-Url": "/health",
    "X-Http-Method-Override": "GET",
    "Cookie": "zixly=1; __Host-zixly=1; session=1",
}


def forged_proofs(api_token: str) -> dict[str, str]:
    """What is sent as `Authorization`; the API's token is known to the attacker but for a letter."""
    now = int(time.time())
    claims = {"iss": "https://id.example.test", "aud": "zixly", "sub": "1", "email": "admin@zixly.example", "iat": now, "exp": now + 600}
    return {
        "nothing": "",
        "empty": "Bearer",
        "two words": "Bearer a b",
        "other scheme": f"Basic {base64.b64encode(f'admin:{api_token}'.encode()).decode()}",
        "shortened": f"Bearer {api_token[:-1]}",
        "lengthened": f"Bearer {api_token}x",
        "other case": f"Bearer {api_token.swapcase()}",
        "no algorithm": f"Bearer {jwt({'alg': 'none'}, claims)}",
        "no algorithm, spelt otherwise": f"Bearer {jwt({'alg': 'nOnE', 'typ': 'JWT'}, claims)}",
        "signed with the empty key": f"Bearer {jwt({'alg': 'HS256'}, claims, key=b'')}",
        "signed with a guess": f"Bearer {jwt({'alg': 'HS256', 'kid': '../../../../dev/null'}, claims, key=b'secret')}",
        "key of his own": f"Bearer {jwt({'alg': 'HS256', 'jwk': {'kty': 'oct', 'k': b64(b'mine')}}, claims, key=b'mine')}",
        "keys at his place": f"Bearer {jwt({'alg': 'RS256', 'jku': 'https://evil.example/keys'}, claims, key=b'x')}",
        "expired": f"Bearer {jwt({'alg': 'HS256'}, claims | {'exp': now - 1}, key=api_token.encode())}",
        "machine token of nobody": "Bearer zx_" + "0" * 40,
        "SQL": "Bearer ' or '1'='1",
        "long": "Bearer " + "a" * 6_000,
    }


def jwt(header: dict[str, Any], claims: dict[str, Any], *, key: bytes | None = None) -> str:
    head = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    signature = b64(hmac.new(key, head.encode(), hashlib.sha256).digest()) if key is not None else ""
    return f"{head}.{signature}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
