"""A connection's settings as a person writes them: JSON, with what can stand there beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zixly_core.connection_settings import MODELS
from zixly_core.errors import MalformedPayload


@dataclass(frozen=True)
class SettingField:
    """A field that can be set: its path such as `won_deals.due_in_days`, and what holds where it is left out."""

    path: str
    default: str
    about: str


def settings_in(text: str) -> dict[str, Any]:
    """What was written. Raises `MalformedPayload`, with the line."""
    try:
        given = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise MalformedPayload(f"This is no JSON: {error.msg}, in line {error.lineno}, column {error.colno}.") from None
    if not isinstance(given, dict):
        raise MalformedPayload("Settings are a JSON object: {...}.")
    return given


def fields_of(system: str) -> Sequence[SettingField]:
    """All that can be set about a connection of the system, each with its default."""
    model = MODELS.get(system)
    return [] if model is None else list(fields_in(model, prefix=""))


def fields_in(model: type[BaseModel], *, prefix: str) -> Iterator[SettingField]:
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from fields_in(type(field.default), prefix=f"{prefix}{name}.")
        else:
            yield SettingField(f"{prefix}{name}", default_of(field), field.description or "")


def default_of(field: FieldInfo) -> str:
    def plain(value: Any) -> Any:
        return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)

    return orjson.dumps(field.default, default=plain).decode()
