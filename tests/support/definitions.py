"""The definitions of the code location, without the warnings that Dagster gives about itself, which would be errors here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from dagster import Definitions
from dagster_shared.utils.warnings import BetaWarning
from pydantic import PydanticDeprecatedSince20


@contextmanager
def dagster_without_warnings() -> Iterator[None]:
    """Dagster reads its resources' fields by a name that pydantic is about to drop, and passes a parameter of which it warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The `__fields__` attribute", category=PydanticDeprecatedSince20)
        warnings.filterwarnings("ignore", message="Parameter `owners`", category=BetaWarning)
        yield


@cache
def loaded_definitions() -> Definitions:
    with dagster_without_warnings():
        from zixly_dagster.definitions import defs
    return defs
