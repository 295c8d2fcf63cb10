"""What addresses and forms of the console say, as values: what was left empty asks for nothing, and times without a zone are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, ValidationError

from zixly_core.errors import MalformedPayload

Text = Annotated[str, Query(max_length=300)]
Form = TypeVar("Form", bound=BaseModel)


def text(given: str | None) -> str | None:
    return (given or "").strip() or None


def moment(given: str | None, *, name: str) -> datetime | None:
    """Raises `MalformedPayload`."""
    told = text(given)
    if told is None:
        return None
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise MalformedPayload(f"{name}: {told[:40]!r} is no time such as 2026-11-28T14:30.", reason="invalid_parameter") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def answered(values: Mapping[str, object]) -> dict[str, str]:
    """Only what was answered, as it stands in an address."""
    return {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in values.items() if value is not None}


def address(path: str, values: Mapping[str, object]) -> str:
    query = urlencode(answered(values))
    return f"{path}?{query}" if query else path


def form_as(model: type[Form], fields: Mapping[str, object]) -> Form:
    """A form's answers as what the API takes, under the same rules. Raises `MalformedPayload`, naming the field."""
    try:
        return model.model_validate({name: value for name, value in fields.items() if not isinstance(value, str) or value.strip()})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "form"
        raise MalformedPayload(f"{place}: {first['msg']}", reason="invalid_parameter") from None
