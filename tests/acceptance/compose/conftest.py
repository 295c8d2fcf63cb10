"""One engine for the tests of the composed stack, with the images that they need."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.compose.composed import SERVICES, ComposedStack, composed, serve
from tests.acceptance.compose.engine import FOLDER, Engine, engine_in, require_containers
from tests.acceptance.compose.images import build, make_standins

BUILT = [name for name, service in SERVICES.items() if "build" in service]


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    require_containers()
    with tempfile.TemporaryDirectory(prefix="zixly-compose-", dir=FOLDER) as folder, engine_in(Path(folder)) as made:
        wheels = make_standins(made, locks=("image.lock", "audit.lock", "ministack.lock"))
        for service in BUILT:
            build(made, target=SERVICES[service]["build"]["target"], image=SERVICES[service]["image"], wheels=wheels)
        serve(made)
        yield made


@pytest.fixture(scope="module")
def stack(engine: Engine) -> Iterator[ComposedStack]:
    with composed(engine, "COMPOSE_PROFILES=sandbox") as made:
        made.up()
        yield made
