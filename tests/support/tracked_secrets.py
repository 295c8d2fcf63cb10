"""No secret is committed: `python -m tests.support.tracked_secrets` looks through every tracked file, and `make check` runs it.

A finding is a file that must never be tracked (`.env`, keys), or a text of the form of a real secret. What is made up for tests
either says so in itself (`test`, `example`, `sandbox`, ...) or stands in `MADE_UP` by its digest. Findings name file, line and form, and
never the text.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
NEVER_TRACKED = re.compile(r"(^|/)(\.env(\.(?!example$).+)?|id_(rsa|dsa|ecdsa|ed25519)|.+\.(pem|key|p12|pfx|jks|keystore))$")
# Form -> a text without which it cannot be there (looking for that is much faster), and the form.
FORMS = {
    "private key": ("PRIVATE KEY", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{40,}"),
    "AWS access key": ("AKIA", r"\bAKIA[A-Z0-9]{16}\b"),
    "Shopify token": ("shp", r"\bshp(?:at|ca|pa|ss|rt|ua|tka)_[a-fA-F0-9]{32}\b"),
    "HubSpot token": ("pat-", r"\bpat-[a-z]{2,4}\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    "Asana token": ("/1", r"(?<![\w/])[012]/\d{10,}(?:/\d{10,})?:[0-9a-f]{32}\b"),
    "Slack token": ("xox", r"\bxox[abposr]-[A-Za-z0-9-]{20,}"),
    "Slack webhook": ("hooks.slack.com", r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}"),
    "JSON web token": (".eyJ", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    "signing secret": ("whsec_", r"\bwhsec_[A-Za-z0-9+/=]{24,}"),
    "machine token": ("zx_", r"\bzx_[A-Za-z0-9_-]{24,}"),
    "GitHub token": ("gh", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})"),
    "password in a URL": (
        "@",
        r"\b(?:postgres(?:ql)?|rediss?|amqps?|smtps?|https?)(?:\+\w+)?://[^\s:/@'\"{}]*:(?P<value>[^\s:/@'\"{}]{3,})@",
    ),
    "secret setting": ("ZIXLY_", r"(?m)^[ \t]*(?:export )?ZIXLY_\w*(?:SECRETS?|KEYS?|TOKEN|PASSWORD)=(?P<value>[^\s'\"#$]{16,})$"),
}
SAYS_SO = re.compile(r"test|example|sandbox|password|secret|marker|fake|dummy|only|planted|:pw@|%\(|\$\{|<", re.IGNORECASE)
# SHA-256 of texts that are made up and do not say so.
MADE_UP = frozenset(
    {
        "76ae32237f4adbf8b4fbd45f137d198000530a03246cdc064576a44e16bfb621",  # the recorded callbacks' secret (tests/payloads/README.md)
        "8810ad581e59f2bc3928b261707a71308f7e139eb04820366dc4d5c18d980225",  # `wrong`, in test_postgres.py
        "1785cfc3bc6ac7738e8b38cdccd1af12563c2b9070e07af336a1bf8c0f772b6a",  # in test_runs_and_jobs.py
        "d349831971026efe15bc2a71bf0435e6fee08d8390f4503eafd65ba01b326fa3",  # in test_messages.py
    }
)


@dataclass(frozen=True)
class Finding:
    """Where something is, and of what form; never what."""

    file: str
    line: int
    form: str
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.form}{f' (sha256 {self.digest})' if self.digest else ''}"


def findings_in(file: str, text: str) -> Iterator[Finding]:
    for form, (needed, pattern) in FORMS.items():
        for found in re.finditer(pattern, text) if needed in text else ():
            value = found.groupdict().get("value") or found[0]
            digest = hashlib.sha256(value.encode()).hexdigest()
            if not SAYS_SO.search(value) and digest not in MADE_UP:
                yield Finding(file, text.count("\n", 0, found.start()) + 1, form, digest)


def findings(files: Iterable[str], *, root: Path = ROOT) -> Iterator[Finding]:
    for file in files:
        if NEVER_TRACKED.search(PurePosixPath(file).as_posix()):
            yield Finding(file, 1, "a file that must not be tracked")
        elif (root / file).is_file():
            content = (root / file).read_bytes()
            if b"\0" not in content:  # a picture, an archive
                yield from findings_in(file, content.decode(errors="replace"))


def tracked(root: Path = ROOT) -> list[str]:
    """What git would hand on: tracked files, and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True, timeout=60)
    return [name for name in done.stdout.decode().split("\0") if name]


def main() -> int:
    found = list(findings(tracked()))
    for one in found:
        sys.stderr.write(f"{one}\n")
    if found:
        sys.stderr.write("Take it out (and change the secret), or say that it is made up: tests/support/tracked_secrets.py\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
