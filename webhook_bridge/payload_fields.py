"""Which fields of answers are payloads, and their hiding from whoever sees none.

A payload is what came in deliveries and what was made of it: values of customers' records. Ids, times, counts, states and our own
words are not. The mark stands at the field, so that models, enforcement and docs/access.md say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Field

Answer = TypeVar("Answer", bound=BaseModel)
FLAG = "payloads_hidden"


@dataclass(frozen=True)
class PayloadMark:
    """Stands in the annotation of a field that holds a payload; such a field can be null."""


PAYLOAD = PayloadMark()
PayloadsHidden = Annotated[bool, Field(description="True where fields are null because the caller may not see payloads.")]


def shown(answer: Answer, *, sees_payloads: bool) -> Answer:
    """The answer as the caller may see it."""
    return answer if sees_payloads else hidden(answer)


def hidden(answer: Answer) -> Answer:
    """The answer without its payloads, which says so in `payloads_hidden` where that is a field."""
    fields = type(answer).model_fields
    changed: dict[str, Any] = {
        name: None if PAYLOAD in field.metadata else hidden_in(getattr(answer, name)) for name, field in fields.items()
    }
    if FLAG in fields:
        changed[FLAG] = True
    return answer.model_copy(update=changed)


def hidden_in(value: Any) -> Any:
    match value:
        case BaseModel():
            return hidden(value)
        case list():
            return [hidden_in(one) for one in value]
        case dict():
            return {key: hidden_in(one) for key, one in value.items()}
        case _:
            return value


def holds_payloads(value: object) -> bool:
    """Whether anything marked stands in an answer, which is not so where there was nothing to show."""
    match value:
        case BaseModel():
            fields = type(value).model_fields
            return any(bool(part) if PAYLOAD in fields[name].metadata else holds_payloads(part) for name, part in value)
        case list():
            return any(map(holds_payloads, value))
        case dict():
            return any(map(holds_payloads, value.values()))
        case _:
            return False


def payload_fields(model: object) -> list[str]:
    """The payloads in an answer of this type, as paths such as `jobs.result`."""
    return sorted(set(paths_in(model, seen=())))


def paths_in(kind: object, *, seen: tuple[type[BaseModel], ...]) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind in seen:
            return
        for name, field in kind.model_fields.items():
            if PAYLOAD in field.metadata:
                yield name
            else:
                yield from (f"{name}.{path}" for path in paths_in(field.annotation, seen=(*seen, kind)))
        return
    for part in get_args(kind):
        yield from paths_in(part, seen=seen)
