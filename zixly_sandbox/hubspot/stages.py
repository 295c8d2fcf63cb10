"""The stages that a deal goes through, and what follows from the one that it is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.answers import Refused


@dataclass(frozen=True)
class Stage:
    """`probability` is 1 for won and 0 for lost."""

    id: str
    label: str
    probability: float

    @property
    def is_won(self) -> bool:
        return self.probability == 1

    @property
    def is_closed(self) -> bool:
        return self.probability in {0, 1}


@dataclass(frozen=True)
class Pipeline:
    """Stages in their order."""

    id: str
    label: str
    stages: tuple[Stage, ...]


DEFAULT = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", 0.2),
        Stage("qualifiedtobuy", "Qualified To Buy", 0.4),
        Stage("presentationscheduled", "Presentation Scheduled", 0.6),
        Stage("decisionmakerboughtin", "Decision Maker Bought-In", 0.8),
        Stage("contractsent", "Contract Sent", 0.9),
        Stage("closedwon", "Closed Won", 1.0),
        Stage("closedlost", "Closed Lost", 0.0),
    ),
)
PROJECTS = Pipeline(
    "7100001",
    "Projects",
    (
        Stage("7100011", "Briefing", 0.2),
        Stage("7100012", "Offer", 0.6),
        Stage("7100013", "Order received", 1.0),
        Stage("7100014", "Went elsewhere", 0.0),
    ),
)
PIPELINES: Mapping[str, Pipeline] = {item.id: item for item in (DEFAULT, PROJECTS)}


def checked_stage(values: Mapping[str, str], present: Mapping[str, str]) -> Stage | None:
    """The stage that a deal is in with these values; None while it is in none. Raises `Refused` for one that there is not."""
    pipeline_id = values.get("pipeline") or present.get("pipeline") or DEFAULT.id
    stage_id = values.get("dealstage") or present.get("dealstage")
    pipeline = PIPELINES.get(pipeline_id)
    if pipeline is None:
        raise not_an_option("pipeline", pipeline_id, sorted(PIPELINES))
    if not stage_id:
        return None
    found = next((stage for stage in pipeline.stages if stage.id == stage_id), None)
    if found is None:
        raise not_an_option("dealstage", stage_id, [stage.id for stage in pipeline.stages])
    return found


def not_an_option(name: str, value: str, options: list[str]) -> Refused:
    text = f"{value} was not one of the allowed options: {options}"
    return Refused(text, code="INVALID_OPTION", context={"propertyName": [name]})


def of_stage(stage: Stage, values: Mapping[str, str], present: Mapping[str, str], *, now: int) -> dict[str, str]:
    """Properties that HubSpot sets itself. A deal that is closed without a date is closed now."""
    set_by_stage = {
        "pipeline": values.get("pipeline") or present.get("pipeline") or DEFAULT.id,
        "hs_is_closed": str(stage.is_closed).lower(),
        "hs_is_closed_won": str(stage.is_won).lower(),
        "hs_deal_stage_probability": str(stage.probability),
    }
    is_moved = stage.is_closed and stage.id != present.get("dealstage") and not values.get("closedate")
    return {**set_by_stage, "closedate": iso_milliseconds(now)} if is_moved else set_by_stage
