"""Fixtures that every tier may use: real servers, started on first use, stopped at the end."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres", "tests.support.servers", "tests.support.ledger", "tests.support.kept"]

# A busy machine is no fault of what is tested.
settings.register_profile("zixly", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zixly")
