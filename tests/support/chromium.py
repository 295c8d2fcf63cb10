"""Whether there is a Chromium: a browser's flows are proved in CI, and elsewhere where one is installed."""

from __future__ import annotations

import os

import pytest

from tests.support.browser import find_chromium


def require_chromium() -> str:
    """Its path. In CI a missing browser is a failure: a suite that skips there proves nothing."""
    found = find_chromium()
    if found is not None:
        return found
    text = "Chromium is not installed; on Debian: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)
