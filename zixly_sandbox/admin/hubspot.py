"""`/_sandbox/hubspot`: what people do there, such as winning a deal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.hubspot.answers import Refused
from zixly_sandbox.hubspot.changes import PERSON, changes_made, creation, deletion
from zixly_sandbox.hubspot.documents import record_document
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.hubspot.stages import PIPELINES
from zixly_sandbox.hubspot.table import ObjectTable, Record
from zixly_sandbox.sandbox import Sandbox


class RecordChange(BaseModel):
    """New property values."""

    properties: dict[str, str]


class NewRecord(BaseModel):
    """A record as a person makes one, joined with others: `{"contacts": ["901"]}`."""

    properties: dict[str, str]
    associations: dict[str, list[str]] = Field(default_factory=dict)


class StageChange(BaseModel):
    """The stage to move a deal to; without one it is won, in the pipeline that it is in."""

    stage: str | None = None


def hubspot_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/hubspot", tags=["hubspot"])

    @router.get("/{portal}/{object_type}/{key}")
    async def record(portal: str, object_type: str, key: str, id_property: str | None = None) -> dict[str, Any]:
        """A record with all its properties and what it is joined with, without counting as a call."""
        found = portal_of(sandbox, portal)
        return whole_document(*record_of(found, object_type, key, id_property=id_property))

    @router.post("/{portal}/{object_type}", status_code=201)
    async def make(portal: str, object_type: str, body: NewRecord) -> dict[str, Any]:
        """Make a record as a person would; webhooks tell of it."""
        return whole_document(*made(sandbox, portal_of(sandbox, portal), object_type, body))

    @router.patch("/{portal}/{object_type}/{key}")
    async def change(portal: str, object_type: str, key: str, body: RecordChange) -> dict[str, Any]:
        """Change a record as a person would; webhooks tell of what is subscribed to."""
        found = portal_of(sandbox, portal)
        table, item = record_of(found, object_type, key)
        changed(sandbox, found, table, item, body.properties)
        return whole_document(table, item)

    @router.delete("/{portal}/{object_type}/{key}", status_code=204)
    async def remove(portal: str, object_type: str, key: str) -> None:
        """Remove a record as a person would; webhooks tell of it."""
        found = portal_of(sandbox, portal)
        table, item = record_of(found, object_type, key)
        found.remove(table, item)
        sandbox.hubspot_webhook.emit(deletion(found, table, item, source=PERSON))

    @router.post("/{portal}/deals/{key}/stage")
    async def move(portal: str, key: str, body: StageChange) -> dict[str, Any]:
        """Move a deal to another stage; a stage of another pipeline takes the deal along."""
        found = portal_of(sandbox, portal)
        table, item = record_of(found, "deals", key)
        changed(sandbox, found, table, item, stage_values(item, body.stage))
        return whole_document(table, item)

    return router


def portal_of(sandbox: Sandbox, key: str) -> Portal:
    found = sandbox.hubspot.accounts.get(key)
    if found is None:
        raise HTTPException(404, f"There is no portal {key}.")
    return found.portal


def record_of(portal: Portal, object_type: str, key: str, *, id_property: str | None = None) -> tuple[ObjectTable, Record]:
    try:
        table = portal.table(object_type)
        item = table.find(key, id_property=id_property)
    except Refused as error:
        raise HTTPException(422, str(error)) from error
    if item is None:
        raise HTTPException(404, f"There is no {object_type} {key}.")
    return table, item


def whole_document(table: ObjectTable, item: Record) -> dict[str, Any]:
    joined = {name: list(partners) for name, partners in item.associations.items() if partners}
    return {**record_document(item, table, properties=item.properties), "associations": joined}


def made(sandbox: Sandbox, portal: Portal, object_type: str, body: NewRecord) -> tuple[ObjectTable, Record]:
    try:
        table = portal.table(object_type)
        values = table.schema.checked(dict(body.properties))
        portal.check(table, values, owner=None)
        for name, keys in body.associations.items():
            for key in keys:
                portal.partner(portal.table(name), key)
        item = portal.new_record(table, values, now=sandbox.clock.milliseconds(), lag_ms=0)
        for name, keys in body.associations.items():
            portal.associate(item, table.type, with_type=name, ids=keys)
    except Refused as error:
        raise HTTPException(422, str(error)) from error
    sandbox.hubspot_webhook.emit(creation(portal, table, item, source=PERSON))
    return table, item


def changed(sandbox: Sandbox, portal: Portal, table: ObjectTable, item: Record, properties: Mapping[str, str]) -> None:
    """Change a record; it is no write of a caller."""
    try:
        values = table.schema.checked(dict(properties))
        portal.check(table, values, owner=item)
    except Refused as error:
        raise HTTPException(422, str(error)) from error
    differing = portal.change(table, item, values, now=sandbox.clock.milliseconds(), lag_ms=0)
    sandbox.hubspot_webhook.emit(changes_made(portal, table, item, differing, source=PERSON))


def stage_values(item: Record, stage: str | None) -> dict[str, str]:
    """What is written to move a deal: the stage, and the pipeline that has it."""
    present = PIPELINES.get(item.properties.get("pipeline") or "default")
    if stage is None and present is not None:
        return {"dealstage": next(one.id for one in present.stages if one.is_won)}
    for pipeline in PIPELINES.values():
        if any(one.id == stage for one in pipeline.stages):
            return {"dealstage": str(stage), "pipeline": pipeline.id}
    raise HTTPException(422, f"There is no stage {stage}.")
