"""The essential of the ledger's and the bridge's tests, through PgBouncer in transaction mode: claims, handover, sweep, settling,
intake with its shared commits, and the API."""

from __future__ import annotations

from tests.integration.bridge.test_audit import test_a_change_over_the_api_tells_its_address_and_the_request
from tests.integration.bridge.test_jobs_api import *  # noqa: F403
from tests.integration.bridge.test_shared_commits import *  # noqa: F403
from tests.integration.ledger.test_claims import *  # noqa: F403
from tests.integration.ledger.test_handover import *  # noqa: F403
from tests.integration.ledger.test_sweep import *  # noqa: F403

__all__ = ["test_a_change_over_the_api_tells_its_address_and_the_request"]
