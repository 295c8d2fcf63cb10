"""Which systems an operator has switched off, as Dagster keeps it."""

from __future__ import annotations

import pytest
from dagster import DagsterInstance
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData

from zixly_dagster.sensors.sweep import switched_off

pytestmark = pytest.mark.unit


def keep_state(instance: DagsterInstance, name: str, status: InstigatorStatus, *, location: str = "zixly") -> None:
    place = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name=location)
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(place, "__repository__"), name)
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, status, SensorInstigatorData()))


def test_the_systems_whose_dispatch_sensors_are_stopped_and_no_others() -> None:
    with DagsterInstance.local_temp() as instance:
        keep_state(instance, "dispatch_xero", InstigatorStatus.STOPPED)
        keep_state(instance, "dispatch_hubspot", InstigatorStatus.RUNNING)
        keep_state(instance, "dispatch_shopify", InstigatorStatus.DECLARED_IN_CODE)
        keep_state(instance, "sweep", InstigatorStatus.STOPPED)
        keep_state(instance, "dispatch_asana", InstigatorStatus.STOPPED, location="another")
        assert switched_off(instance, location="zixly", repository="__repository__") == ["xero"]
