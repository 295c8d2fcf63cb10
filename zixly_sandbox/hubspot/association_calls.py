"""Associations in batches (developers.hubspot.com/docs/guides/api/crm/associations/associations-v4). Unlike search they show a
write at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.hubspot.answers import Refused, batch, input_error, refusal
from zixly_sandbox.hubspot.association_types import AssociationType
from zixly_sandbox.hubspot.batch import body_and_inputs
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.portal import NUMBERS, SINGULAR
from zixly_sandbox.hubspot.table import ObjectTable, Record

MAX_READ = 1_000
MAX_WRITTEN = 2_000
Found = tuple[list[Any], list[Any]]


@dataclass(frozen=True)
class Pair:
    """The two object types in the address."""

    source: ObjectTable
    target: ObjectTable


def batch_read(call: Call, visit: Visit) -> Answer:
    """What each record is joined with, page by page; 207 names the records that are joined with nothing."""
    return _answer(call, visit, read, most=MAX_READ, done=200)


def batch_default(call: Call, visit: Visit) -> Answer:
    return _answer(call, visit, join_default, most=MAX_WRITTEN, done=200)


def batch_create(call: Call, visit: Visit) -> Answer:
    return _answer(call, visit, join_labelled, most=MAX_WRITTEN, done=201)


def batch_archive(call: Call, visit: Visit) -> Answer:
    """All kinds between the records; 204 whether there were any or not."""
    answer = _answer(call, visit, part_all, most=MAX_WRITTEN, done=200)
    return Answer(204) if answer.status == 200 else answer


def batch_archive_labels(call: Call, visit: Visit) -> Answer:
    answer = _answer(call, visit, part_labels, most=MAX_WRITTEN, done=200)
    return Answer(204) if answer.status == 200 else answer


def _answer(call: Call, visit: Visit, work: Callable[[Visit, Pair, list[Any]], Found], *, most: int, done: int) -> Answer:
    now = iso_milliseconds(visit.now)
    try:
        pair = pair_of(call, visit)
        _, inputs = body_and_inputs(call, most=most)
        results, errors = work(visit, pair, inputs)
    except Refused as error:
        return refusal(error)
    return batch(results, started_at=now, completed_at=now, errors=errors, done=done)


def pair_of(call: Call, visit: Visit) -> Pair:
    """Raises `Refused` for a type that is not there."""
    return Pair(visit.portal.table(call.params["type"]), visit.portal.table(call.params["target"]))


def read(visit: Visit, pair: Pair, inputs: list[Any]) -> Found:
    results: list[Any] = []
    errors: list[Any] = []
    for item in inputs:
        key = str(item.get("id", ""))
        record = pair.source.records.get(key)
        partners = record.associations.get(pair.target.type) if record else None
        if partners:
            listed, paging = page_of(visit, pair, partners, after=str(item.get("after") or "0"), limit=visit.desk.rules.association_page)
            results.append({"from": {"id": key}, "to": listed, **paging})
        else:
            errors.append(nothing_joined(pair, key))
    return results, errors


def page_of(visit: Visit, pair: Pair, partners: dict[str, list[int]], *, after: str, limit: int) -> tuple[list[Any], dict[str, Any]]:
    """The partners from a place on, and the place to go on from. Raises `Refused` for a place that is none."""
    if not (after.isascii() and after.isdecimal()):
        raise Refused(f"The value of after is not valid: {after}")
    start, end = int(after), int(after) + limit
    listed = [partner_document(visit, pair, key, numbers) for key, numbers in list(partners.items())[start:end]]
    return listed, {"paging": {"next": {"after": str(end)}}} if end < len(partners) else {}


def partner_document(visit: Visit, pair: Pair, key: str, numbers: list[int]) -> dict[str, Any]:
    kinds = [visit.portal.kinds.get(number, source=pair.source.type) for number in numbers]
    return {"toObjectId": key, "associationTypes": [kind.document() for kind in kinds]}


def nothing_joined(pair: Pair, key: str) -> dict[str, Any]:
    text = f"No {SINGULAR[pair.target.type]} is associated with {SINGULAR[pair.source.type]} {key}."
    error = Refused(text, status=404, category="OBJECT_NOT_FOUND", context={"fromObjectId": [key]})
    return {**input_error(error), "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}


def join_default(visit: Visit, pair: Pair, inputs: list[Any]) -> Found:
    """Both directions stand in the answer."""
    kind = visit.portal.kinds.default(pair.source.type, pair.target.type)
    back = visit.portal.kinds.inverse(kind)
    results: list[Any] = []
    for record, key in ends_of(visit, pair, inputs):
        visit.portal.join(record, kind, key)
        note(visit, pair, record, key, operation="ASSOCIATE")
        results.append({"from": {"id": record.id}, "to": {"id": key}, "associationSpec": kind.spec()})
        results.append({"from": {"id": key}, "to": {"id": record.id}, "associationSpec": back.spec()})
    return results, []


def join_labelled(visit: Visit, pair: Pair, inputs: list[Any]) -> Found:
    ends = ends_of(visit, pair, inputs)
    planned = [(record, key, kinds_of(visit, pair, item.get("types"))) for item, (record, key) in zip(inputs, ends, strict=True)]
    results: list[Any] = []
    for record, key, kinds in planned:
        for kind in kinds:
            visit.portal.join(record, kind, key)
        note(visit, pair, record, key, operation="ASSOCIATE")
        results.append(joined_document(pair, record.id, key, kinds))
    return results, []


def part_all(visit: Visit, pair: Pair, inputs: list[Any]) -> Found:
    for item in inputs:
        record = pair.source.records.get(key_in(item.get("from")))
        partners = item.get("to")
        for partner in partners if isinstance(partners, list) else []:
            part(visit, pair, record, key_in(partner))
    return [], []


def part_labels(visit: Visit, pair: Pair, inputs: list[Any]) -> Found:
    for item, (record, key) in zip(inputs, ends_of(visit, pair, inputs), strict=True):
        for kind in kinds_of(visit, pair, item.get("types")):
            visit.portal.part(record, pair.source.type, target=pair.target.type, key=key, only=kind)
    return [], []


def part(visit: Visit, pair: Pair, record: Record | None, key: str) -> None:
    """Undo the joining, if there is one."""
    if record is not None and key in record.associations.get(pair.target.type, {}):
        visit.portal.part(record, pair.source.type, target=pair.target.type, key=key)
        note(visit, pair, record, key, operation="DISSOCIATE")


def ends_of(visit: Visit, pair: Pair, inputs: list[Any]) -> list[tuple[Record, str]]:
    """The record and the partner's id of each input. Raises `Refused` (404) before anything is kept."""
    found = [(visit.portal.partner(pair.source, key_in(item.get("from"))), key_in(item.get("to"))) for item in inputs]
    for _, key in found:
        visit.portal.partner(pair.target, key)
    return found


def key_in(end: object) -> str:
    if not isinstance(end, dict) or "id" not in end:
        raise Refused("Invalid input JSON: from or to has no id.")
    return str(end["id"])


def kinds_of(visit: Visit, pair: Pair, types: object) -> list[AssociationType]:
    """The kinds that a caller lists. Raises `Refused`."""
    if not isinstance(types, list) or not types or not all(isinstance(item, dict) for item in types):
        raise Refused("Invalid input JSON: types is missing or empty.")
    numbers = [item.get("associationTypeId") for item in types]
    return [visit.portal.kinds.get(number, source=pair.source.type, target=pair.target.type) for number in numbers]


def joined_document(pair: Pair, source: str, target: str, kinds: list[AssociationType]) -> dict[str, Any]:
    return {
        "fromObjectTypeId": NUMBERS[pair.source.type],
        "fromObjectId": source,
        "toObjectTypeId": NUMBERS[pair.target.type],
        "toObjectId": target,
        "labels": [kind.label for kind in kinds if kind.label],
    }


def note(visit: Visit, pair: Pair, record: Record, key: str, *, operation: str) -> None:
    """Note that a caller joined or parted two records."""
    visit.desk.record_write(
        visit, operation=operation, object_type=pair.source.type, object_id=record.id, properties={f"associated_{pair.target.type}": key}
    )
