"""Pipelines of deals (developers.hubspot.com/docs/guides/api/crm/pipelines): the default one, whose stages have well-known ids,
and one of the portal's own, whose won stage is a number that only the pipelines API explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.answers import Refused, refusal
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.stages import PIPELINES, Pipeline, Stage

# When the portal was made, for what never changes.
MADE_AT = iso_milliseconds(1_700_000_000_000)


@dataclass(frozen=True)
class Place:
    """Which pipelines a call is about."""

    pipelines: Mapping[str, Pipeline]

    def one(self, key: str) -> Pipeline:
        """Raises `Refused` (404)."""
        if key not in self.pipelines:
            raise Refused(f"Pipeline {key} was not found.", status=404, category="OBJECT_NOT_FOUND")
        return self.pipelines[key]


def list_pipelines(call: Call, visit: Visit) -> Answer:
    try:
        found = place_of(call, visit)
    except Refused as error:
        return refusal(error)
    return json_answer({"results": [pipeline_document(item) for item in found.pipelines.values()]})


def one_pipeline(call: Call, visit: Visit) -> Answer:
    try:
        found = place_of(call, visit).one(call.params["pipeline"])
    except Refused as error:
        return refusal(error)
    return json_answer(pipeline_document(found))


def list_stages(call: Call, visit: Visit) -> Answer:
    try:
        found = place_of(call, visit).one(call.params["pipeline"])
    except Refused as error:
        return refusal(error)
    return json_answer({"results": [stage_document(stage, number) for number, stage in enumerate(found.stages)]})


def place_of(call: Call, visit: Visit) -> Place:
    """Only deals have pipelines here. Raises `Refused` for a type that is not there."""
    table = visit.portal.table(call.params["type"])
    return Place(PIPELINES if table.type == "deals" else {})


def pipeline_document(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "id": pipeline.id,
        "label": pipeline.label,
        "displayOrder": list(PIPELINES).index(pipeline.id),
        "stages": [stage_document(stage, number) for number, stage in enumerate(pipeline.stages)],
        "createdAt": MADE_AT,
        "updatedAt": MADE_AT,
        "archived": False,
    }


def stage_document(stage: Stage, number: int) -> dict[str, Any]:
    """Metadata is text, booleans and numbers too."""
    return {
        "id": stage.id,
        "label": stage.label,
        "displayOrder": number,
        "metadata": {"isClosed": str(stage.is_closed).lower(), "probability": str(stage.probability)},
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "createdAt": MADE_AT,
        "updatedAt": MADE_AT,
        "archived": False,
    }
