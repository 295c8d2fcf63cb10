"""No value of ours shows a secret when it is printed: fields that hold one are left out of `repr`, or are of a type that hides it."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import webhook_bridge
import zixly_cli
import zixly_core
import zixly_dagster
from zixly_core.settings import Settings

PACKAGES: tuple[ModuleType, ...] = (zixly_core, webhook_bridge, zixly_dagster, zixly_cli)
SECRET_WORD = re.compile(r"(^|_)(tokens?|secrets?|passwords?|verifier|client_secret|ciphertext|api_key|signing_key|private_key)$")
# Fields of these names that hold no secret, and why.
HARMLESS = {
    "TokenBucket.tokens": "a count of calls",
}
# Modules that do something when they are imported.
SKIPPED = {"zixly_core.migrations.env", "zixly_cli.stack.launch", "webhook_bridge.serving"}
SECRET_SETTINGS = [name for name in Settings.model_fields if SECRET_WORD.search(name) or "database" in name]


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, prefix=f"{package.__name__}."):
            if found.name not in SKIPPED and not found.name.endswith("__main__") and ".versions." not in found.name:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of Dagster's, when definitions are loaded
                    module = importlib.import_module(found.name)
                yield module


def classes() -> Iterator[type[Any]]:
    for module in modules():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def shown_secrets() -> Iterator[str]:
    """Fields that are named like a secret and would be printed."""
    for kind in classes():
        if dataclasses.is_dataclass(kind):
            for field in dataclasses.fields(kind):
                name = f"{kind.__name__}.{field.name}"
                if field.repr and SECRET_WORD.search(field.name) and name not in HARMLESS and holds_text(str(field.type)):
                    yield f"{kind.__module__}: {name}: {field.type}"


def holds_text(annotation: str) -> bool:
    """Secrets are texts, bytes, or values that hide them themselves."""
    return bool(re.search(r"\b(str|bytes)\b", annotation))


def test_no_dataclass_prints_a_secret() -> None:
    assert sorted(shown_secrets()) == [], "write field(repr=False)"


@pytest.mark.parametrize("name", SECRET_SETTINGS)
def test_every_setting_that_is_named_like_a_secret_is_of_the_type_that_hides_it(name: str) -> None:
    assert "Secret" in str(Settings.model_fields[name].annotation), name
