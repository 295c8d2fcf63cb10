"""Calls about one record, and the list of all."""

from __future__ import annotations

from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.answers import Refused, refusal
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.documents import associations_document, record_document, written_document
from zixly_sandbox.hubspot.table import ObjectTable, Record
from zixly_sandbox.hubspot.writes import archive_record, create_record, update_record

MAX_LIST = 100


def get_one(call: Call, visit: Visit) -> Answer:
    """By id, or by the property that `idProperty` names."""
    try:
        table, record = found(call, visit)
        types = [visit.portal.table(name).type for name in call.values("associations")]
    except Refused as error:
        return refusal(error)
    document = record_document(record, table, properties=call.values("properties"))
    associations = associations_document(record, table, types=types, portal=visit.portal)
    return json_answer({**document, "associations": associations} if associations else document)


def create_one(call: Call, visit: Visit) -> Answer:
    try:
        table = visit.portal.table(call.params["type"])
        record, values = create_record(visit, table, body_of(call))
    except Refused as error:
        return refusal(error)
    return json_answer(written_document(record, table, written=values), status=201)


def update_one(call: Call, visit: Visit) -> Answer:
    try:
        table, record = found(call, visit)
        values = table.schema.checked(body_of(call).get("properties"))
        update_record(visit, table, record, values=values)
    except Refused as error:
        return refusal(error)
    return json_answer(written_document(record, table, written=values))


def archive_one(call: Call, visit: Visit) -> Answer:
    """204 whether it was there or not."""
    try:
        table, record = found(call, visit)
    except Refused as error:
        return Answer(204) if error.status == 404 else refusal(error)
    archive_record(visit, table, record)
    return Answer(204)


def list_all(call: Call, visit: Visit) -> Answer:
    """Records in the order of their making; `after` is the place to go on from."""
    try:
        table = visit.portal.table(call.params["type"])
        limit, after = number(call, "limit", default=10), number(call, "after", default=0)
    except Refused as error:
        return refusal(error)
    end = after + min(limit, MAX_LIST)
    records = list(table.records.values())
    results = [record_document(record, table, properties=call.values("properties")) for record in records[after:end]]
    paging = {"paging": {"next": {"after": str(end)}}} if end < len(records) else {}
    return json_answer({"results": results, **paging})


def found(call: Call, visit: Visit) -> tuple[ObjectTable, Record]:
    """Raises `Refused` (404) when there is no such record."""
    table = visit.portal.table(call.params["type"])
    record = table.find(call.params["id"], id_property=call.query.get("idproperty"))
    if record is None:
        raise Refused("Object not found. objectId are usually numeric.", status=404, category="OBJECT_NOT_FOUND")
    return table, record


def body_of(call: Call) -> dict[str, object]:
    try:
        return call.json()
    except ValueError:
        raise Refused("Invalid input JSON: the body could not be parsed.") from None


def number(call: Call, name: str, *, default: int) -> int:
    text = call.query.get(name, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise Refused(f"The parameter {name} is not a number.")
    return int(text) if text else default
