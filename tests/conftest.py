"""Fixtures that every tier may use: real servers, started on first use, stopped at the end."""

import os

from hypothesis import HealthCheck, settings

from zixly_cli.stack import ports

pytest_plugins = ["tests.support.postgres", "tests.support.servers", "tests.support.ledger", "tests.support.kept"]

# A busy machine is no fault of what is tested.
settings.register_profile("zixly", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zixly")

# Beside one another test processes look for ports in stretches of their own: a port that a server of one is about to listen at, or has
# left for a moment to come back to it, looks free to the others. Longer than the longest row of ports that a stack wants.
STRETCH = 64
if process := os.environ.get("PYTEST_XDIST_WORKER"):
    number, processes = int(process.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    ports._candidates = (port for port in ports.candidates(ports.lent_ports()) if port // STRETCH % processes == number)
