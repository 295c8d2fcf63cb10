"""The second line against secrets in texts: what looks like one is masked, wherever it came from.

The first line are types: a secret is a `SecretStr`, or a field that `repr` leaves out, and such values are never written (logs.py). This
is for what others put into texts: a driver that quotes its URL, a vendor that repeats a token.
"""

from __future__ import annotations

import re
from functools import lru_cache

MASK = "**********"

# Headers and fields whose values are secret whatever they look like; compared in lower case, with `_` for `-`.
SECRET_NAMES = frozenset(
    {
        "authorization",
        "proxy_authorization",
        "cookie",
        "set_cookie",
        "x_hook_secret",
        "x_hook_signature",
        "x_xero_signature",
        "x_hubspot_signature",
        "x_hubspot_signature_v3",
        "x_shopify_hmac_sha256",
        "x_shopify_access_token",
        "webhook_signature",
        "webhook_token",
        "password",
        "client_secret",
        "access_token",
        "refresh_token",
        "id_token",
        "token",
        "code_verifier",
        "api_key",
        "secret",
    }
)

# Parameters of URLs and forms with such values.
PARAMETERS = "access_token|refresh_token|id_token|client_secret|code_verifier|token|password|secret|api_key|hapikey|hmac|signature"

FORMS = (
    # A URL's user and password: the scheme and the host stay.
    r"(?<=://)[^\s@'\"]*:[^\s@'\"]*(?=@)",
    r"(?P<scheme>\b(?:[Bb]earer|[Bb]asic) )[A-Za-z0-9._~+/=:\-]{8,}",
    # The code of a consent, in the URL that a vendor sends the browser back to.
    r"(?P<code>[?&]code=)[^\s&'\"#]+",
    rf"(?P<parameter>(?<=[?&\s'\"{{])(?:{PARAMETERS})(?:=|['\"]?\s*:\s*['\"]))[^\s&'\"#]+",
    # JSON web tokens: access tokens of Xero, id tokens of everybody.
    r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*)?",
    # Ours for machines; Standard Webhooks' signing secrets; keys of AWS.
    r"\bzx_[A-Za-z0-9_\-]{8,}",
    r"\bwhsec_[A-Za-z0-9+/=]{8,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    # shopify.dev/docs/apps/build/authentication-authorization: shpat_, shpca_, shppa_, shpss_, shprt_, shpua_ with hexadecimal.
    r"\bshp(?:at|ca|pa|ss|rt|ua|tka)_[A-Za-z0-9]{8,}",
    # developers.hubspot.com: private apps' tokens, refresh tokens, and access tokens (base64, begun by a length).
    r"\bpat-[a-z]{2,4}\d-[0-9a-fA-F\-]{8,}",
    r"\b(?:na|eu|ap)\d-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f\-]{8,}",
    r"\bC[A-Z][A-Za-z0-9_\-]{2}[A-Za-z0-9_\-]{60,}",
    # developers.asana.com: 2/USER/APP:HEX and 1/USER:HEX, refresh tokens alike.
    r"(?<![\w/])[012]/\d{5,}(?:/\d{5,})?:[0-9A-Za-z]{8,}",
    # What stands for a path at the bridge.
    r"(?P<path>/webhook/(?:callbacks|asana)/)[A-Za-z0-9_\-]{6,}",
)
NET = re.compile("|".join(f"(?:{form})" for form in FORMS))
KEPT = ("scheme", "code", "parameter", "path")


def masked(text: str) -> str:
    """The text without what looks like a secret in it."""
    return NET.sub(mask, text)


def mask(found: re.Match[str]) -> str:
    """The name of a parameter and the beginning of a path stay, so that one sees what was there."""
    return next((found[name] for name in KEPT if found[name]), "") + MASK


@lru_cache(maxsize=1024)
def is_secret_name(name: object) -> bool:
    return isinstance(name, str) and name.lower().replace("-", "_") in SECRET_NAMES
