"""Headers that keep browsers careful, on every answer: what `helmet` sets (helmetjs.github.io), stricter where nothing of ours needs it.

A route that needs another value sets it itself, as the pages do with their policy (pages.py).
"""

from __future__ import annotations

from collections.abc import Mapping

# Nothing of ours uses any of these.
UNUSED = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb")
ALWAYS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "permissions-policy": ", ".join(f"{name}=()" for name in UNUSED),
    # Not no-referrer: with that, browsers send `Origin: null` from our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
    "x-download-options": "noopen",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
    "x-xss-protection": "0",  # the filter of old browsers could be used against a page
}
HTTPS_ONLY = {"strict-transport-security": "max-age=31536000; includeSubDomains"}


def browser_headers(*, is_https: bool) -> Mapping[str, str]:
    """Those of a bridge that is reached by https, or not: over http a browser would not believe the last one."""
    return {**ALWAYS, **HTTPS_ONLY} if is_https else ALWAYS
