"""Batch calls, 100 inputs each (developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.hubspot.answers import Refused, batch, input_error, refusal
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.documents import record_document, written_document
from zixly_sandbox.hubspot.table import ObjectTable, Record
from zixly_sandbox.hubspot.writes import archive_record, create_record, update_record

MAX_INPUTS = 100
Input = dict[str, Any]
Work = Callable[[Visit, ObjectTable, dict[str, Any], list[Input]], tuple[list[Any], list[Any]]]


def batch_read(call: Call, visit: Visit) -> Answer:
    """Records by id or unique property; 207 names the missing ones."""
    return _answer(call, visit, read, done=200)


def batch_update(call: Call, visit: Visit) -> Answer:
    """A property that does not exist refuses the whole call; 207 names the ids that do not exist."""
    return _answer(call, visit, update, done=200)


def batch_create(call: Call, visit: Visit) -> Answer:
    """With an `objectWriteTraceId` on each input bad ones stand in the 207; without, one refuses the whole call."""
    return _answer(call, visit, create, done=201)


def batch_upsert(call: Call, visit: Visit) -> Answer:
    return _answer(call, visit, upsert, done=200)


def batch_archive(call: Call, visit: Visit) -> Answer:
    answer = _answer(call, visit, archive, done=200)
    return Answer(204) if answer.status == 200 else answer


def _answer(call: Call, visit: Visit, work: Work, *, done: int) -> Answer:
    started_at = iso_milliseconds(visit.now)
    try:
        table = visit.portal.table(call.params["type"])
        body, inputs = body_and_inputs(call)
        results, errors = work(visit, table, body, inputs)
    except Refused as error:
        return refusal(error)
    return batch(results, started_at=started_at, completed_at=iso_milliseconds(visit.now), errors=errors, done=done)


def body_and_inputs(call: Call, *, most: int = MAX_INPUTS) -> tuple[dict[str, Any], list[Input]]:
    """Raises `Refused`."""
    try:
        body = call.json()
    except ValueError:
        raise Refused("Invalid input JSON: the body could not be parsed.") from None
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(item, dict) for item in inputs):
        raise Refused("Invalid input JSON: inputs is missing, empty or no list of objects.")
    if len(inputs) > most:
        raise Refused(f"The maximum number of inputs in a batch request is {most}, but {len(inputs)} were sent.")
    return body, inputs


def read(_visit: Visit, table: ObjectTable, body: dict[str, Any], inputs: list[Input]) -> tuple[list[Any], list[Any]]:
    names = body.get("properties")
    wanted = [str(name) for name in names] if isinstance(names, list) else []
    found: dict[str, Record] = {}
    missing: list[str] = []
    for item in inputs:
        key = str(item.get("id", ""))
        record = table.find(key, id_property=id_property_of(body))
        if record is None:
            missing.append(key)
        else:
            found[record.id] = record
    results = [record_document(record, table, properties=wanted) for record in found.values()]
    return results, [input_error(gone(table, missing))] if missing else []


def update(visit: Visit, table: ObjectTable, _body: dict[str, Any], inputs: list[Input]) -> tuple[list[Any], list[Any]]:
    refuse_repeated(inputs)
    checked = [(item, table.schema.checked(item.get("properties"))) for item in inputs]
    found = [(item, values, table.find(str(item.get("id", "")), id_property=id_property_of(item))) for item, values in checked]
    for _, values, record in found:
        if record is not None:
            visit.portal.check(table, values, owner=record)
    results = [
        updated(visit, table, record, values=values, trace_id=trace_of(item)) for item, values, record in found if record is not None
    ]
    return results, missing_errors(table, [item for item, _, record in found if record is None])


def create(visit: Visit, table: ObjectTable, _body: dict[str, Any], inputs: list[Input]) -> tuple[list[Any], list[Any]]:
    all_traced = all(trace_of(item) for item in inputs)
    results: list[Any] = []
    errors: list[Any] = []
    if not all_traced:
        for item in inputs:
            visit.portal.check(table, table.schema.checked(item.get("properties")), owner=None)
    for item in inputs:
        try:
            record, values = create_record(visit, table, item, trace_id=trace_of(item))
            results.append(written_document(record, table, written=values, trace_id=trace_of(item)))
        except Refused as error:
            if not all_traced:
                raise
            errors.append(input_error(error, trace_id=trace_of(item)))
    return results, errors


def upsert(visit: Visit, table: ObjectTable, _body: dict[str, Any], inputs: list[Input]) -> tuple[list[Any], list[Any]]:
    refuse_repeated(inputs)
    checked = [(item, table.schema.checked(item.get("properties"))) for item in inputs]
    results: list[Any] = []
    for item, values in checked:
        key, id_property = str(item.get("id", "")), id_property_of(item)
        record = table.find(key, id_property=id_property)
        if record is not None:
            document = updated(visit, table, record, values=values, trace_id=trace_of(item))
        elif id_property:
            made, _ = create_record(visit, table, {**item, "properties": {id_property: key, **values}}, trace_id=trace_of(item))
            document = written_document(made, table, written=values, trace_id=trace_of(item))
        else:
            raise gone(table, [key])
        results.append({**document, "new": record is None})
    return results, []


def archive(visit: Visit, table: ObjectTable, _body: dict[str, Any], inputs: list[Input]) -> tuple[list[Any], list[Any]]:
    for item in inputs:
        record = table.records.get(str(item.get("id", "")))
        if record is not None:
            archive_record(visit, table, record)
    return [], []


def updated(visit: Visit, table: ObjectTable, record: Record, *, values: dict[str, str], trace_id: str | None) -> Any:
    update_record(visit, table, record, values=values, trace_id=trace_id)
    return written_document(record, table, written=values, trace_id=trace_id)


def id_property_of(item: Input) -> str | None:
    name = item.get("idProperty")
    return str(name) if name else None


def trace_of(item: Input) -> str | None:
    trace = item.get("objectWriteTraceId")
    return str(trace) if trace else None


def refuse_repeated(inputs: Sequence[Input]) -> None:
    keys = [str(item.get("id", "")) for item in inputs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise Refused(f"Duplicate IDs found in batch input: {repeated}. IDs must be unique", context={"ids": repeated})


def gone(table: ObjectTable, keys: Sequence[str]) -> Refused:
    kind = table.type.upper().rstrip("S") if table.type != "companies" else "COMPANY"
    text = f"Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."
    return Refused(text, status=404, category="OBJECT_NOT_FOUND", context={"ids": list(keys)})


def missing_errors(table: ObjectTable, inputs: Sequence[Input]) -> list[Any]:
    """One error for all inputs whose record is not there, with their trace ids."""
    if not inputs:
        return []
    error = input_error(gone(table, [str(item.get("id", "")) for item in inputs]))
    traces = [trace for trace in map(trace_of, inputs) if trace]
    if traces:
        error["context"]["objectWriteTraceId"] = traces
    return [error]
