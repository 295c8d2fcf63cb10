"""What somebody filled into a form, held against the API's models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

Wanted = TypeVar("Wanted", bound=BaseModel)


def filled(form: Mapping[str, str], name: str) -> str | None:
    """A field; None where it was left empty, which asks for nothing."""
    return form.get(name, "").strip() or None


def wanted_from(form: Mapping[str, str], model: type[Wanted], *names: str, **given: Any) -> Wanted:
    """The model of the fields that were filled in, and of what the page adds. Raises `RequestValidationError`, which becomes a page."""
    return checked(model, {name: filled(form, name) for name in names if filled(form, name)} | given)


def checked(model: type[Wanted], values: Mapping[str, Any]) -> Wanted:
    """The model of values that came from outside; what was left empty asks for nothing. Raises `RequestValidationError`."""
    try:
        return model.model_validate({name: value for name, value in values.items() if not isinstance(value, str) or value.strip()})
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_url=False, include_context=False)) from None


def back_to(form: Mapping[str, str], *, default: str) -> str:
    """The page of ours on which the form stood."""
    named = form.get("back", "")
    return named if named.startswith("/console/") and "\\" not in named and ".." not in named else default
