"""The stage of whole runs, for operations."""

from __future__ import annotations

import pytest

from tests.integration.operations.reconciling import Comparing
from tests.integration.workflows.conftest import Stage, sandbox, sandbox_server, stage

__all__ = ["sandbox", "sandbox_server", "stage"]


@pytest.fixture
def comparing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Comparing:
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", stage.database.url("dispatch"))
    return Comparing(stage)
