"""A provider that we did not write (npm's oidc-provider), for as long as a test needs it. `make provider` installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules" / "oidc-provider"
CLIENT_ID, CLIENT_SECRET = "zixly", "a-client-secret-of-the-tests"


def missing() -> str | None:
    """Why the provider cannot run here, None when it can. In CI it must."""
    if shutil.which("node") is None:
        return "node is not installed"
    return None if PACKAGE.exists() else "oidc-provider is not installed: run `make provider`"


def must_run() -> bool:
    return os.environ.get("CI") == "true"


def command_for(*, bridge: str, **settings: Any) -> list[str]:
    """What starts a provider that knows the bridge at this address. `settings`: those of provider.js."""
    client: Mapping[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{bridge}/auth/callback"],
        "post_logout_redirect_uris": [f"{bridge}/auth/signed-out"],
        "backchannel_logout_uri": f"{bridge}/auth/back-channel-logout",
        "backchannel_logout_session_required": True,
    }
    return ["node", str(HERE / "provider.js"), orjson.dumps({"port": 0, "clients": [client], **settings}).decode()]


@contextmanager
def running_provider(*, bridge: str) -> Iterator[str]:
    """The issuer of a provider that knows the bridge at this address."""
    command = command_for(bridge=bridge)
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        issuer = next((line.strip() for line in process.stdout if line.startswith("http://")), None)
        assert issuer is not None, "the provider did not start"
        yield issuer
    finally:
        process.kill()
        process.communicate()


def rotate_keys(issuer: str) -> None:
    """New keys; the old ones are published no more."""
    httpx2.post(f"{issuer}/rotate").raise_for_status()
