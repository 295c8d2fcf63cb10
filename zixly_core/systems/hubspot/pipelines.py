"""Stages of HubSpot's pipelines: `closedwon` is the id of the default pipeline's won stage only
(developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from zixly_core.systems.hubspot.objects import unexpected


@dataclass(frozen=True)
class Stage:
    """A stage; ids are unique in the portal. Won is a closed stage of probability 1."""

    id: str
    pipeline_id: str
    label: str
    is_won: bool
    is_closed: bool


def stages_in(pipelines: object) -> Iterator[Stage]:
    """The stages of a list of pipelines. Raises `Permanent` (`unexpected_answer`)."""
    for pipeline in objects_in(pipelines, "pipelines"):
        for stage in objects_in(pipeline.get("stages"), "stages"):
            yield stage_from(stage, pipeline_id=str(pipeline.get("id", "")))


def stage_from(source: Mapping[str, Any], *, pipeline_id: str) -> Stage:
    metadata = source.get("metadata")
    told: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    probability = probability_of(told)
    named = told.get("isClosed")
    is_closed = str(named).lower() == "true" if named is not None else probability in {Decimal(0), Decimal(1)}
    return Stage(
        id=str(source.get("id", "")),
        pipeline_id=pipeline_id,
        label=str(source.get("label", "")),
        is_won=is_closed and probability == 1,
        is_closed=is_closed,
    )


def probability_of(metadata: Mapping[str, Any]) -> Decimal | None:
    try:
        return Decimal(str(metadata["probability"]))
    except (KeyError, InvalidOperation):
        return None


def objects_in(items: object, what: str) -> list[Mapping[str, Any]]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unexpected(what)
    return items
