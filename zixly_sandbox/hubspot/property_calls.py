"""The properties API: which properties and groups an object type has, and new ones."""

from __future__ import annotations

import re

from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.answers import Refused, refusal
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.properties import Property
from zixly_sandbox.hubspot.single import body_of

TYPES = {"string", "number", "date", "datetime", "enumeration", "bool"}
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def list_properties(call: Call, visit: Visit) -> Answer:
    try:
        table = visit.portal.table(call.params["type"])
    except Refused as error:
        return refusal(error)
    return json_answer({"results": [item.document() for item in table.schema.all()]})


def one_property(call: Call, visit: Visit) -> Answer:
    try:
        found = visit.portal.table(call.params["type"]).schema.get(call.params["name"])
    except Refused as error:
        return refusal(error)
    if found is None:
        text = f"Property '{call.params['name']}' does not exist."
        return refusal(Refused(text, status=404, category="OBJECT_NOT_FOUND"))
    return json_answer(found.document())


def create_property(call: Call, visit: Visit) -> Answer:
    try:
        table = visit.portal.table(call.params["type"])
        made = property_from(body_of(call))
        table.schema.add(made)
    except Refused as error:
        return refusal(error)
    visit.desk.record_write(visit, operation="CREATE", object_type="properties", object_id=made.name, properties={"type": made.type})
    return json_answer(made.document(), status=201)


def list_groups(call: Call, visit: Visit) -> Answer:
    try:
        groups = visit.portal.table(call.params["type"]).schema.groups
    except Refused as error:
        return refusal(error)
    return json_answer({"results": [group_document(name, label) for name, label in groups.items()]})


def create_group(call: Call, visit: Visit) -> Answer:
    try:
        table = visit.portal.table(call.params["type"])
        name, label = group_from(body_of(call))
        table.schema.add_group(name, label)
    except Refused as error:
        return refusal(error)
    return json_answer(group_document(name, label), status=201)


def group_from(body: dict[str, object]) -> tuple[str, str]:
    """Name and label of a new group. Raises `Refused`."""
    name = body.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Refused("Invalid input JSON: the name of the group is wrong.")
    return name, str(body.get("label") or name)


def group_document(name: str, label: str) -> dict[str, object]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


def property_from(body: dict[str, object]) -> Property:
    """Raises `Refused`."""
    name, kind = body.get("name"), body.get("type")
    if not isinstance(name, str) or not NAME.fullmatch(name) or kind not in TYPES:
        raise Refused("Invalid input JSON: name or type of the property is wrong.")
    return Property(
        name,
        str(body.get("label") or name),
        kind,  # type: ignore[arg-type]  # one of TYPES
        str(body.get("groupName") or ""),
        is_custom=True,
        is_unique=bool(body.get("hasUniqueValue")),
    )
